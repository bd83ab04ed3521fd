//! Rules in the typed form: no template, one kind of query.

use std::time::Duration;

use super::faults::{Faults, quoted};
use super::node::{Node, Value};
use super::rules_file::{Api, COMMON};
use super::scalar;
use super::section::{Field, Mapping, Section};

/// A rule in the typed form.
#[derive(Clone, Debug)]
pub struct TypedRule {
    /// Name of the metric it makes.
    pub metric: String,
    /// Resource (`pods`, `services`, `deployments.apps`; `namespace` for the scope) → label that names it.
    pub objects: Vec<(String, String)>,
    /// How the value is computed.
    pub query: TypedQuery,
}

/// The kinds of typed rules.
#[derive(Clone, Debug, PartialEq)]
pub enum TypedQuery {
    /// Events per second: `rate: {counter, window}`.
    Rate {
        /// A counter, with matchers if need be: `http_requests_total{code=~"2.."}`.
        counter: String,
        /// Range of `rate()`.
        window: Duration,
    },
    /// A quantile of a histogram: `quantile: {histogram, q, window, buckets}`.
    Quantile {
        /// Base name of the histogram, without `_bucket`, with matchers if need be.
        histogram: String,
        /// Between 0 and 1.
        q: f64,
        /// Range of `rate()`.
        window: Duration,
        /// How the histogram is stored.
        buckets: Buckets,
    },
    /// One rate over another: `ratio: {of, to, window}`.
    Ratio {
        /// Counter above the line.
        of: String,
        /// Counter below the line.
        to: String,
        /// Range of both rates.
        window: Duration,
    },
    /// A gauge as it stands: `gauge: {series, aggregate}`.
    Gauge {
        /// The gauge, with matchers if need be.
        series: String,
        /// How several series of one object become one. Default `sum`.
        aggregate: Aggregate,
    },
    /// Any PromQL: `query: {promql}`; matchers are added to every selector in it.
    Query {
        /// The expression.
        promql: String,
    },
}

/// How a histogram is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buckets {
    /// `_bucket` series with `le`.
    Classic,
    /// One native histogram series.
    Native,
}

/// How several series of one object become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

pub(crate) const TYPED_RULE: Section = Section {
    title: "A rule in the typed form",
    about: "An entry of `rules` or `externalRules` with `metric` and exactly one of `rate`, `quantile`, `ratio`, `gauge` and `query`.\n\
            It becomes PromQL that `explain` shows.",
    fields: &[
        Field::new(
            "metric",
            "text",
            "http_requests_per_second",
            "Name of the metric it makes.",
        ),
        Field::new(
            "objects",
            "mapping of resource to label",
            "{namespace: namespace, services: service}",
            "Which label names the object, by resource: `pods`, `services`, `deployments.apps`.\n\
             `namespace` is the label of the namespace.\n\
             Left out: `{namespace: namespace, pods: pod}` for a custom metric, `{namespace: namespace}` for an external one.\n\
             `{}` on an external metric: the namespace is not matched.",
        ),
        Field::new(
            "rate",
            "mapping",
            "{counter: http_requests_total, window: 2m}",
            "Events per second of a counter.",
        ),
        Field::new(
            "quantile",
            "mapping",
            "{histogram: http_request_duration_seconds, q: 0.95, window: 2m, buckets: classic}",
            "A quantile of a histogram.",
        ),
        Field::new(
            "ratio",
            "mapping",
            r#"{of: 'http_requests_total{code=~"5.."}', to: http_requests_total, window: 2m}"#,
            "The rate of one counter over the rate of another; 0 where only the second has traffic.",
        ),
        Field::new(
            "gauge",
            "mapping",
            "{series: queue_depth, aggregate: max}",
            "A gauge as it stands.",
        ),
        Field::new(
            "query",
            "mapping",
            "{promql: 'max by (queue) (queue_depth)'}",
            "Any PromQL; matchers are added to every selector in it.",
        ),
    ],
    shared: COMMON,
};

pub(crate) const RATE: Section = Section {
    title: "`rate`",
    about: "`sum by (…) (rate(counter[window]))`",
    fields: &[
        Field::new(
            "counter",
            "series selector",
            r#"'http_requests_total{code!~"5.."}'"#,
            "The counter, with matchers if need be.",
        ),
        WINDOW,
    ],
    shared: &[],
};

pub(crate) const QUANTILE: Section = Section {
    title: "`quantile`",
    about: "`histogram_quantile(q, sum by (le, …) (rate(histogram_bucket[window])))`, without `le` for a native histogram.",
    fields: &[
        Field::new(
            "histogram",
            "series selector",
            "http_request_duration_seconds",
            "Base name of the histogram, without `_bucket`, with matchers if need be.",
        ),
        Field::new(
            "q",
            "number from 0 to 1",
            "0.95",
            "The quantile: 0.95 is the value that 95 % of the observations do not exceed.",
        ),
        WINDOW,
        Field::new(
            "buckets",
            "`classic` or `native`",
            "native",
            "How the histogram is stored: as `_bucket` series with `le`, or as one native histogram.",
        )
        .or("classic"),
    ],
    shared: &[],
};

pub(crate) const RATIO: Section = Section {
    title: "`ratio`",
    about: "The rate of `of` divided by the rate of `to`, over the same window.",
    fields: &[
        Field::new(
            "of",
            "series selector",
            r#"'http_requests_total{code=~"5.."}'"#,
            "The counter above the line.",
        ),
        Field::new(
            "to",
            "series selector",
            "http_requests_total",
            "The counter below the line.",
        ),
        WINDOW,
    ],
    shared: &[],
};

pub(crate) const GAUGE: Section = Section {
    title: "`gauge`",
    about: "`sum by (…) (series)`, or another aggregation.",
    fields: &[
        Field::new(
            "series",
            "series selector",
            "queue_depth",
            "The gauge, with matchers if need be.",
        ),
        Field::new(
            "aggregate",
            "`sum`, `avg`, `min` or `max`",
            "max",
            "How several series of one object become one.",
        )
        .or("sum"),
    ],
    shared: &[],
};

pub(crate) const QUERY: Section = Section {
    title: "`query`",
    about: "An expression of your own.",
    fields: &[Field::new(
        "promql",
        "PromQL",
        "'max by (queue) (queue_depth)'",
        "The expression; it must keep the labels that name the object.",
    )],
    shared: &[],
};

const WINDOW: Field = Field::new(
    "window",
    "duration",
    "2m",
    "How far back each rate looks, at least four times the scrape interval.",
);

/// Reads a rule that has `metric`.
pub(crate) fn read_typed_rule(rule: &Mapping<'_>, api: Api, faults: &mut Faults) -> TypedRule {
    TypedRule {
        metric: rule.required("metric", metric_name, faults),
        objects: read_objects(rule, api, faults),
        query: read_query(rule, faults).unwrap_or(TypedQuery::Query {
            promql: String::new(),
        }),
    }
}

/// A metric's name is one segment of a URL path.
fn metric_name(text: &str) -> Result<String, String> {
    let unfit =
        |letter: char| letter == '/' || letter == '%' || letter.is_whitespace() || letter.is_control();
    match text {
        "" => Err("must not be empty".to_owned()),
        _ if text.contains(unfit) => Err(format!("`{text}` cannot stand in the path of a request")),
        _ => Ok(text.to_owned()),
    }
}

fn read_objects(rule: &Mapping<'_>, api: Api, faults: &mut Faults) -> Vec<(String, String)> {
    let default: &[(&str, &str)] = match api {
        Api::Custom => &[("namespace", "namespace"), ("pods", "pod")],
        Api::External => &[("namespace", "namespace")],
    };
    if rule.child("objects").is_none() {
        let owned = |(resource, label): &(&str, &str)| (resource.to_string(), label.to_string());
        return default.iter().map(owned).collect();
    }
    let entries = rule.entries("objects", faults).iter();
    entries
        .filter_map(|(resource, node)| Some((resource.clone(), label_name(node, faults)?)))
        .collect()
}

fn label_name(node: &Node, faults: &mut Faults) -> Option<String> {
    let read = match &node.value {
        Value::Scalar(text) => scalar::label(text),
        other => Err(format!("expected the name of a label, found {}", other.kind())),
    };
    read.map_err(|message| {
        let hint = "write the resource and the label that names it: `pods: pod`";
        faults.hinted(node.place.clone(), message, hint);
    })
    .ok()
}

type ReadQuery = fn(&Node, &mut Faults) -> TypedQuery;

const QUERIES: [(&str, ReadQuery); 5] = [
    ("rate", read_rate),
    ("quantile", read_quantile),
    ("ratio", read_ratio),
    ("gauge", read_gauge),
    ("query", read_promql),
];

/// Reads the one query there is; every further one is a fault.
fn read_query(rule: &Mapping<'_>, faults: &mut Faults) -> Option<TypedQuery> {
    let mut found: Option<(&str, TypedQuery)> = None;
    for (key, read) in QUERIES {
        let Some(node) = rule.child(key) else { continue };
        let query = read(node, faults);
        match &found {
            None => found = Some((key, query)),
            Some((first, _)) => faults.hinted(
                node.place.clone(),
                format!("`{key}` beside `{first}`"),
                "a rule has one query; make two rules with two metrics of it",
            ),
        }
    }
    if found.is_none() {
        let hint = format!("give it one of {}", quoted(QUERIES.map(|(key, _)| key)));
        faults.hinted(rule.place().clone(), "the rule has no query", hint);
    }
    found.map(|(_, query)| query)
}

fn read_rate(node: &Node, faults: &mut Faults) -> TypedQuery {
    let rate = Mapping::open(node, &RATE, faults);
    TypedQuery::Rate {
        counter: rate.required("counter", scalar::word, faults),
        window: rate.required("window", scalar::positive_duration, faults),
    }
}

fn read_quantile(node: &Node, faults: &mut Faults) -> TypedQuery {
    let quantile = Mapping::open(node, &QUANTILE, faults);
    TypedQuery::Quantile {
        histogram: quantile.required("histogram", scalar::word, faults),
        q: quantile.required("q", scalar::fraction, faults),
        window: quantile.required("window", scalar::positive_duration, faults),
        buckets: quantile.defaulted("buckets", buckets, faults),
    }
}

fn buckets(text: &str) -> Result<Buckets, String> {
    match text {
        "classic" => Ok(Buckets::Classic),
        "native" => Ok(Buckets::Native),
        _ => Err(format!("`{text}` is neither `classic` nor `native`")),
    }
}

fn read_ratio(node: &Node, faults: &mut Faults) -> TypedQuery {
    let ratio = Mapping::open(node, &RATIO, faults);
    TypedQuery::Ratio {
        of: ratio.required("of", scalar::word, faults),
        to: ratio.required("to", scalar::word, faults),
        window: ratio.required("window", scalar::positive_duration, faults),
    }
}

fn read_gauge(node: &Node, faults: &mut Faults) -> TypedQuery {
    let gauge = Mapping::open(node, &GAUGE, faults);
    TypedQuery::Gauge {
        series: gauge.required("series", scalar::word, faults),
        aggregate: gauge.defaulted("aggregate", aggregate, faults),
    }
}

fn aggregate(text: &str) -> Result<Aggregate, String> {
    match text {
        "sum" => Ok(Aggregate::Sum),
        "avg" => Ok(Aggregate::Avg),
        "min" => Ok(Aggregate::Min),
        "max" => Ok(Aggregate::Max),
        _ => Err(format!("`{text}` is none of `sum`, `avg`, `min`, `max`")),
    }
}

fn read_promql(node: &Node, faults: &mut Faults) -> TypedQuery {
    let query = Mapping::open(node, &QUERY, faults);
    TypedQuery::Query {
        promql: query.required("promql", scalar::word, faults),
    }
}

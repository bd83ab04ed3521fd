//! Rules in the typed form: each becomes an expression into which matchers are put.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Parts, is_custom, namespace_fault, unknown_resource};
use crate::config::{Aggregate, Buckets, TypedQuery, TypedRule, WrittenRule};
use crate::model::{Diagnostic, GroupResource, Resource, Resources, chain};
use crate::promql::{self, Query, SeriesSelector, build};
use crate::rules::association::Association;
use crate::rules::discovery::{Discovery, FoundSeries};
use crate::rules::naming::Naming;
use crate::rules::reading::Duplicates;
use crate::rules::rule::{Making, Querying, Rule};

/// The key of `objects` whose label is the scope of the others.
const NAMESPACE: &str = "namespace";

pub(super) fn compile(rule: &TypedRule, written: &WrittenRule, resources: &Resources) -> Rule {
    let label_names = rule.objects.iter().map(|(_, label)| label.clone()).collect();
    super::rule(
        written,
        Parts {
            discovery: Discovery::Fixed(vec![FoundSeries {
                name: rule.metric.clone(),
                label_names,
            }]),
            duplicates: Duplicates::Refuse,
            naming: Naming::Fixed(rule.metric.clone()),
            making: making(rule, written, resources),
        },
    )
}

fn making(rule: &TypedRule, written: &WrittenRule, resources: &Resources) -> Result<Making, Diagnostic> {
    let objects = objects(rule, written, resources)?;
    let labels: Vec<&str> = if is_custom(written) {
        objects.iter().map(|(label, _)| label.as_str()).collect()
    } else {
        vec![""]
    };
    let mut bases = BTreeMap::new();
    for label in labels {
        bases.insert(label.to_owned(), base(&rule.query, label, written)?);
    }
    let scope = rule.objects.iter().find(|(name, _)| name == NAMESPACE);
    let scope = scope.map(|(_, label)| label.clone());
    let named: Vec<Arc<Resource>> = objects.iter().map(|(_, resource)| resource.clone()).collect();
    let making = Making {
        namespaced: scope.is_some(),
        association: Association::written(objects, scope),
        querying: Querying::Expression {
            window: bases.values().next().and_then(Query::window),
            bases,
        },
    };
    match namespace_fault(written, "objects", &making, &named) {
        Some(fault) => Err(fault),
        None => Ok(making),
    }
}

/// Labels with the resources they name, without the label of the scope.
fn objects(
    rule: &TypedRule,
    written: &WrittenRule,
    resources: &Resources,
) -> Result<Vec<(String, Arc<Resource>)>, Diagnostic> {
    let mut objects = Vec::new();
    for (name, label) in rule.objects.iter().filter(|(name, _)| name != NAMESPACE) {
        let resource = resources.find(&GroupResource::parse(name)).ok_or_else(|| {
            unknown_resource(written.at(&format!("objects.{name}")), name, "`PLURAL.GROUP`")
        })?;
        objects.push((label.clone(), resource.clone()));
    }
    if is_custom(written) && objects.is_empty() {
        return Err(Diagnostic {
            place: written.at("objects"),
            message: "no label names a resource, so no object has this metric".into(),
            hint: Some("as in `objects: {namespace: namespace, pods: pod}`".into()),
        });
    }
    Ok(objects)
}

/// The expression of a rule, grouped by one label, or by none where it is empty.
fn base(query: &TypedQuery, label: &str, written: &WrittenRule) -> Result<Query, Diagnostic> {
    let by: &[&str] = if label.is_empty() { &[] } else { &[label] };
    let selector = |key: &str, text: &str| selector(key, text, written);
    let built = match query {
        TypedQuery::Rate { counter, window } => build::rate(&selector("rate.counter", counter)?, *window, by),
        TypedQuery::Quantile {
            histogram,
            q,
            window,
            buckets,
        } => {
            let stored = match buckets {
                Buckets::Classic => promql::Buckets::Classic,
                Buckets::Native => promql::Buckets::Native,
            };
            build::quantile(
                *q,
                &selector("quantile.histogram", histogram)?,
                *window,
                stored,
                by,
            )
        }
        TypedQuery::Ratio { of, to, window } => build::ratio(
            &selector("ratio.of", of)?,
            &selector("ratio.to", to)?,
            *window,
            by,
        ),
        TypedQuery::Gauge { series, aggregate } => {
            build::gauge(aggregation(*aggregate), &selector("gauge.series", series)?, by)
        }
        TypedQuery::Query { promql } => {
            return Query::parse(promql).map_err(|error| fault(written, "query.promql", &error, None));
        }
    };
    built.map_err(|error| fault(written, "", &error, None))
}

/// A fault with its causes in one sentence.
fn fault(
    written: &WrittenRule,
    key: &str,
    error: &dyn std::error::Error,
    hint: Option<String>,
) -> Diagnostic {
    Diagnostic {
        place: if key.is_empty() {
            written.place.clone()
        } else {
            written.at(key)
        },
        message: chain(error),
        hint,
    }
}

fn selector(key: &str, text: &str, written: &WrittenRule) -> Result<SeriesSelector, Diagnostic> {
    let hint =
        || Some("a series name, with matchers if need be: `http_requests_total{code=~\"5..\"}`".into());
    let selector = SeriesSelector::parse(text).map_err(|error| fault(written, key, &error, hint()))?;
    match selector.name() {
        Some(_) => Ok(selector),
        None => Err(Diagnostic {
            place: written.at(key),
            message: format!("`{text}` does not name one series"),
            hint: hint(),
        }),
    }
}

fn aggregation(aggregate: Aggregate) -> &'static str {
    match aggregate {
        Aggregate::Sum => "sum",
        Aggregate::Avg => "avg",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
    }
}

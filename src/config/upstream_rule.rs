//! Rules in prometheus-adapter's form.
//!
//! Source of keys and defaults: prometheus-adapter v0.12.0, `pkg/config/config.go`.

use crate::model::GroupResource;

use super::faults::Faults;
use super::node::Node;
use super::rules_file::COMMON;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// A rule in prometheus-adapter's form.
#[derive(Clone, Debug)]
pub struct UpstreamRule {
    /// `seriesQuery`, verbatim.
    pub series_query: String,
    /// `seriesFilters`; all must let a series pass.
    pub series_filters: Vec<SeriesFilter>,
    /// `resources`.
    pub resources: ResourceMapping,
    /// `name`.
    pub name: NameMapping,
    /// `metricsQuery`, verbatim.
    pub metrics_query: String,
}

/// One of `seriesFilters`: an unanchored regular expression on the series name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeriesFilter {
    /// Keeps series whose name matches.
    Is(String),
    /// Keeps series whose name does not match.
    IsNot(String),
}

/// `resources` of an upstream rule.
#[derive(Clone, Debug)]
pub struct ResourceMapping {
    /// Go template that makes a label of a resource.
    pub template: Option<String>,
    /// Label → resource, in the order of the file.
    pub overrides: Vec<(String, GroupResource)>,
    /// External rules only: whether the namespace is matched. Default true.
    pub namespaced: bool,
}

/// `name` of an upstream rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameMapping {
    /// Regular expression on the series name; empty means `.*` and filters nothing.
    pub matches: String,
    /// What it becomes; empty means `$0` or `$1`, see the reference.
    pub r#as: String,
}

pub(crate) const UPSTREAM_RULE: Section = Section {
    title: "A rule in prometheus-adapter's form",
    about: "An entry of `rules` or `externalRules` with `seriesQuery`.\n\
            Files written for prometheus-adapter work unchanged.",
    fields: &[
        Field::new(
            "seriesQuery",
            "series selector",
            r#"'http_requests_total{namespace!="",pod!=""}'"#,
            "Which series to discover. The rule makes a metric of each name found.",
        ),
        Field::new(
            "seriesFilters",
            "list of filters",
            "[{isNot: ^container_}]",
            "Regular expressions on the names of the series found; all must let a name pass.",
        ),
        Field::new(
            "resources",
            "mapping",
            "{overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}",
            "Which label names which object, see below.",
        ),
        Field::new(
            "name",
            "mapping",
            "{matches: ^(.*)_total$, as: '${1}_per_second'}",
            "What the metric is called, see below.",
        ),
        Field::new(
            "metricsQuery",
            "query template",
            "'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'",
            "The PromQL to ask, a Go template with `<<` and `>>`.\n\
             Fields: `.Series`, `.LabelMatchers`, `.LabelValuesByName`, `.GroupBy`, `.GroupBySlice`.",
        ),
    ],
    shared: COMMON,
};

pub(crate) const SERIES_FILTER: Section = Section {
    title: "An entry of `seriesFilters`",
    about: "Exactly one of the two keys.",
    fields: &[
        Field::new(
            "is",
            "regular expression",
            "_total$",
            "Keeps series whose name matches anywhere.",
        ),
        Field::new(
            "isNot",
            "regular expression",
            "^container_",
            "Keeps series whose name matches nowhere.",
        ),
    ],
    shared: &[],
};

pub(crate) const RESOURCES: Section = Section {
    title: "`resources`",
    about: "How labels and Kubernetes resources belong together.",
    fields: &[
        Field::new(
            "template",
            "template",
            "kube_<<.Group>>_<<.Resource>>",
            "Makes the label of a resource from its group and singular name.",
        ),
        Field::new(
            "overrides",
            "mapping of label to resource",
            "{pod_name: {resource: pod}, app: {group: apps, resource: deployment}}",
            "Labels that name a resource, each with `resource` and, outside the core group, `group`.",
        ),
        Field::new(
            "namespaced",
            "true or false",
            "false",
            "External metrics only: whether the asking namespace is matched.",
        )
        .or("true"),
    ],
    shared: &[],
};

pub(crate) const OVERRIDE: Section = Section {
    title: "A value of `resources.overrides`",
    about: "The resource a label names.",
    fields: &[
        Field::new("group", "text", "apps", "API group; left out for the core group."),
        Field::new(
            "resource",
            "text",
            "deployment",
            "Singular or plural name of the resource.",
        ),
    ],
    shared: &[],
};

pub(crate) const NAME: Section = Section {
    title: "`name`",
    about: "How the name of a series becomes the name of a metric.",
    fields: &[
        Field::new(
            "matches",
            "regular expression",
            "^(.*)_total$",
            "Finds the part of the name to use; series that do not match are left out.",
        ),
        Field::new(
            "as",
            "replacement",
            "'${1}_per_second'",
            "What it becomes, with `$0` and `${1}` for what was matched.\n\
             Left out: `$1` if the expression has one group, `$0` if it has none.",
        ),
    ],
    shared: &[],
};

/// Reads a rule that has `seriesQuery`.
pub(crate) fn read_upstream_rule(rule: &Mapping<'_>, faults: &mut Faults) -> UpstreamRule {
    let filters = rule.items("seriesFilters", faults).iter();
    UpstreamRule {
        series_query: rule.required("seriesQuery", scalar::text, faults),
        series_filters: filters.filter_map(|node| read_filter(node, faults)).collect(),
        resources: read_resources(rule.child("resources"), faults),
        name: read_name(rule.child("name"), faults),
        metrics_query: rule
            .optional("metricsQuery", scalar::text, faults)
            .unwrap_or_default(),
    }
}

fn read_filter(node: &Node, faults: &mut Faults) -> Option<SeriesFilter> {
    let filter = Mapping::open(node, &SERIES_FILTER, faults);
    let mut expression = |key| filter.optional(key, scalar::text, faults);
    let (is, is_not) = (expression("is"), expression("isNot"));
    // As upstream has it, an empty expression is as good as none.
    let given = |key| filter.child(key).is_some_and(|node| !node.is_empty());
    let message = match (given("is"), given("isNot")) {
        (true, false) => return is.map(SeriesFilter::Is),
        (false, true) => return is_not.map(SeriesFilter::IsNot),
        (true, true) => "both `is` and `isNot`",
        (false, false) => "neither `is` nor `isNot`",
    };
    faults.hinted(
        filter.place().clone(),
        message,
        "a filter has one of the two; write two filters if both shall hold",
    );
    None
}

/// Reads `resources`, of a rule or of `resourceRules`.
pub(crate) fn read_resources(node: Option<&Node>, faults: &mut Faults) -> ResourceMapping {
    let Some(node) = node else {
        return ResourceMapping {
            template: None,
            overrides: Vec::new(),
            namespaced: true,
        };
    };
    let resources = Mapping::open(node, &RESOURCES, faults);
    let overrides = resources.entries("overrides", faults).iter();
    ResourceMapping {
        template: resources
            .optional("template", scalar::text, faults)
            .filter(|template| !template.is_empty()),
        overrides: overrides
            .map(|(label, node)| (label.clone(), read_override(node, faults)))
            .collect(),
        namespaced: resources.defaulted("namespaced", scalar::boolean, faults),
    }
}

fn read_override(node: &Node, faults: &mut Faults) -> GroupResource {
    let resource = Mapping::open(node, &OVERRIDE, faults);
    GroupResource {
        group: resource
            .optional("group", scalar::text, faults)
            .unwrap_or_default(),
        resource: resource.required("resource", scalar::word, faults),
    }
}

fn read_name(node: Option<&Node>, faults: &mut Faults) -> NameMapping {
    let name = node.map(|node| Mapping::open(node, &NAME, faults));
    let mut text = |key| {
        name.and_then(|name| name.optional(key, scalar::text, faults))
            .unwrap_or_default()
    };
    NameMapping {
        matches: text("matches"),
        r#as: text("as"),
    }
}

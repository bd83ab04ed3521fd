//! `resourceRules`, as prometheus-adapter has it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::Place;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};
use super::upstream_rule::{ResourceMapping, read_resources};

/// How `metrics.k8s.io` is answered.
#[derive(Clone, Debug)]
pub struct ResourceRules {
    /// Where they stand.
    pub place: Place,
    /// How CPU use is asked for; left out, nothing has any.
    pub cpu: Option<ResourceRule>,
    /// How memory use is asked for; left out, nothing has any.
    pub memory: Option<ResourceRule>,
    /// What the answers give as their `window`, if it is written.
    pub window: Option<Duration>,
}

/// The queries of one kind of use.
#[derive(Clone, Debug)]
pub struct ResourceRule {
    /// Where it stands; its key is `resourceRules.cpu`.
    pub place: Place,
    /// Line of each key below it.
    pub lines: BTreeMap<String, u64>,
    /// Name of the backend to ask, `default` unless the rule names one.
    pub backend: String,
    /// `containerQuery`, verbatim; empty if left out.
    pub container_query: String,
    /// `nodeQuery`, verbatim; empty if left out.
    pub node_query: String,
    /// `resources`.
    pub resources: ResourceMapping,
    /// The label that names the container.
    pub container_label: String,
}

impl ResourceRule {
    /// The place of a key below this rule; the rule's own line if the key is not in the file.
    pub fn at(&self, key: &str) -> Place {
        self.place.below(key, &self.lines)
    }
}

pub(crate) const RESOURCE_RULES: Section = Section {
    title: "`resourceRules`",
    about: "Rules for `metrics.k8s.io`, which is served only with them.",
    fields: &[
        Field::new(
            "cpu",
            "mapping",
            "{}",
            "How CPU use is asked for, in cores, see below.",
        ),
        Field::new(
            "memory",
            "mapping",
            "{}",
            "How memory use is asked for, in bytes, see below.",
        ),
        Field::new(
            "window",
            "duration",
            "5m",
            "The `window` of the values.\nLeft out: the longest range in the queries.",
        ),
    ],
    shared: &[],
};

pub(crate) const RESOURCE_RULE: Section = Section {
    title: "`resourceRules.cpu` and `resourceRules.memory`",
    about: "The queries of one kind of use.",
    fields: &[
        Field::new(
            "containerQuery",
            "query template",
            "'sum(container_memory_working_set_bytes{<<.LabelMatchers>>}) by (<<.GroupBy>>)'",
            "Use by container: a template as in `metricsQuery`, without `.Series`.\n\
             `.GroupBy` has the label of pods and `containerLabel`.",
        ),
        Field::new(
            "nodeQuery",
            "query template",
            "'sum(node_memory_used_bytes{<<.LabelMatchers>>}) by (<<.GroupBy>>)'",
            "Use by node: a template like `containerQuery`. `.GroupBy` has the label of nodes.",
        ),
        Field::new(
            "resources",
            "mapping",
            "{overrides: {instance: {resource: node}}}",
            "Which label names namespaces, pods and nodes, as in a rule.",
        ),
        Field::new(
            "containerLabel",
            "text",
            "container",
            "The label that names the container.",
        )
        .or("container"),
        Field::new(
            "backend",
            "name of a backend",
            "long-term",
            "Which of `backends` is asked.",
        )
        .or("default"),
    ],
    shared: &[],
};

/// Reads `resourceRules`.
pub(crate) fn read_resource_rules(node: &Node, faults: &mut Faults) -> ResourceRules {
    let rules = Mapping::open(node, &RESOURCE_RULES, faults);
    ResourceRules {
        place: node.place.clone(),
        cpu: rules.child("cpu").map(|node| read_rule(node, faults)),
        memory: rules.child("memory").map(|node| read_rule(node, faults)),
        window: rules.optional("window", scalar::duration, faults),
    }
}

fn read_rule(node: &Node, faults: &mut Faults) -> ResourceRule {
    let rule = Mapping::open(node, &RESOURCE_RULE, faults);
    let mut query = |key| rule.optional(key, scalar::text, faults).unwrap_or_default();
    let (container_query, node_query) = (query("containerQuery"), query("nodeQuery"));
    ResourceRule {
        place: node.place.clone(),
        lines: node.lines(),
        backend: rule.defaulted("backend", scalar::word, faults),
        container_query,
        node_query,
        resources: read_resources(rule.child("resources"), faults),
        container_label: rule.defaulted("containerLabel", scalar::word, faults),
    }
}

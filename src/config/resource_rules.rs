//! `resourceRules`: accepted as prometheus-adapter has it and checked for its shape.

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};
use super::upstream_rule::read_resources;

pub(crate) const RESOURCE_RULES: Section = Section {
    title: "`resourceRules`",
    about: "Rules for `metrics.k8s.io`.\nTheir shape is checked; this API is not served yet.",
    fields: &[
        Field::new("cpu", "mapping", "{}", "How CPU use is asked for, see below."),
        Field::new(
            "memory",
            "mapping",
            "{}",
            "How memory use is asked for, see below.",
        ),
        Field::new("window", "duration", "5m", "The `window` of the values."),
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
            "Use by container.",
        ),
        Field::new(
            "nodeQuery",
            "query template",
            "'sum(node_memory_used_bytes{<<.LabelMatchers>>}) by (<<.GroupBy>>)'",
            "Use by node.",
        ),
        Field::new(
            "resources",
            "mapping",
            "{overrides: {instance: {resource: node}}}",
            "Which label names which object, as in a rule.",
        ),
        Field::new(
            "containerLabel",
            "text",
            "container",
            "The label that names the container.",
        ),
    ],
    shared: &[],
};

/// Checks keys and kinds of values.
pub(crate) fn check_resource_rules(node: &Node, faults: &mut Faults) {
    let rules = Mapping::open(node, &RESOURCE_RULES, faults);
    for key in ["cpu", "memory"] {
        if let Some(node) = rules.child(key) {
            let rule = Mapping::open(node, &RESOURCE_RULE, faults);
            for key in ["containerQuery", "nodeQuery", "containerLabel"] {
                rule.optional(key, scalar::text, faults);
            }
            read_resources(rule.child("resources"), faults);
        }
    }
    rules.optional("window", scalar::duration, faults);
}

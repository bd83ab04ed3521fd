//! The rules file as written: prometheus-adapter's form and the typed form, side by side.

use std::collections::BTreeMap;

use crate::model::Place;

use super::faults::Faults;
use super::node::{Node, Value};
use super::policies::{Policies, read_policies};
use super::resource_rules::{ResourceRules, read_resource_rules};
use super::section::{Field, Mapping};
use super::typed_rule::{TYPED_RULE, TypedRule, read_typed_rule};
use super::upstream_rule::{UPSTREAM_RULE, UpstreamRule, read_upstream_rule};
use super::{faults::nearest, scalar};

/// Everything under `rules`, `externalRules` and `resourceRules`.
#[derive(Clone, Debug, Default)]
pub struct RulesFile {
    /// In the order of the file: `rules` first, then `externalRules`.
    pub rules: Vec<WrittenRule>,
    /// `resourceRules`, if the file has them.
    pub resource_rules: Option<Box<ResourceRules>>,
}

/// One entry of `rules` or `externalRules`.
#[derive(Clone, Debug)]
pub struct WrittenRule {
    /// Where the entry stands; its key is `rules[2]` or `externalRules[0]`.
    pub place: Place,
    /// Line of each key below the entry: `metricsQuery`, `resources.overrides.pod`, `seriesFilters[0].is`.
    pub lines: BTreeMap<String, u64>,
    /// Which API serves it.
    pub api: Api,
    /// Name of the backend to ask, `default` unless the rule names one.
    pub backend: String,
    /// What is answered when there is no plain value.
    pub policies: Policies,
    /// The rule itself.
    pub form: Form,
}

impl WrittenRule {
    /// The place of a key below this entry; the entry's own line if the key is not in the file.
    pub fn at(&self, key: &str) -> Place {
        self.place.below(key, &self.lines)
    }
}

/// The API group a rule serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// `custom.metrics.k8s.io`.
    Custom,
    /// `external.metrics.k8s.io`.
    External,
}

/// The two ways to write a rule.
#[derive(Clone, Debug)]
pub enum Form {
    /// With `seriesQuery`, as prometheus-adapter has it.
    Upstream(UpstreamRule),
    /// With `metric`.
    Typed(TypedRule),
}

/// Keys that rules of both forms have.
pub(crate) const COMMON: &[Field] = &[
    Field::new(
        "api",
        "`custom` or `external`",
        "external",
        "Which API serves the metric.\nEntries of `externalRules` are external and need not say so.",
    )
    .or("custom"),
    Field::new(
        "backend",
        "name of a backend",
        "long-term",
        "Which of `backends` is asked.",
    )
    .or("default"),
    Field::new(
        "onEmpty",
        "policy",
        "{answer: missing}",
        "What is answered when the backend has no sample at all, see [policies](#policies).",
    )
    .or("{answer: error}"),
    Field::new(
        "onNoTraffic",
        "policy",
        "{answer: last, within: 15s}",
        "What is answered when the sample is not a number, as a quantile or a ratio without traffic is.",
    )
    .or("{answer: error}"),
    Field::new(
        "onPartial",
        "`refuse` or `accept`",
        "accept",
        "What to do with an answer that the backend calls incomplete.\n\
         Incomplete looks like less traffic, so it is refused unless you accept it.",
    )
    .or("refuse"),
];

/// Reads `rules`, `externalRules` and `resourceRules` of a file.
pub(crate) fn read_rules_file(root: &Node, faults: &mut Faults) -> RulesFile {
    let mut rules = read_list(root, "rules", Api::Custom, faults);
    rules.extend(read_list(root, "externalRules", Api::External, faults));
    let resource_rules = root.child("resourceRules");
    RulesFile {
        rules,
        resource_rules: resource_rules.map(|node| Box::new(read_resource_rules(node, faults))),
    }
}

fn read_list(root: &Node, key: &str, api: Api, faults: &mut Faults) -> Vec<WrittenRule> {
    let Some(node) = root.child(key) else {
        return Vec::new();
    };
    let Value::List(entries) = &node.value else {
        let message = format!("expected a list of rules, found {}", node.value.kind());
        faults.hinted(
            node.place.clone(),
            message,
            "begin each rule with a dash: `- metric: …` or `- seriesQuery: …`",
        );
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| read_rule(entry, api, faults))
        .collect()
}

fn read_rule(entry: &Node, list: Api, faults: &mut Faults) -> Option<WrittenRule> {
    let typed = entry.child("metric").is_some();
    let upstream = entry.child("seriesQuery").is_some();
    let section = match (typed, upstream) {
        (true, false) => &TYPED_RULE,
        (false, true) => &UPSTREAM_RULE,
        (true, true) => {
            both_forms(entry, faults);
            return None;
        }
        (false, false) => {
            no_form(entry, faults);
            return None;
        }
    };
    let rule = Mapping::open(entry, section, faults);
    let api = read_api(&rule, list, faults);
    Some(WrittenRule {
        place: entry.place.clone(),
        lines: entry.lines(),
        api,
        backend: rule.defaulted("backend", scalar::word, faults),
        policies: read_policies(&rule, faults),
        form: match typed {
            true => Form::Typed(read_typed_rule(&rule, api, faults)),
            false => Form::Upstream(read_upstream_rule(&rule, faults)),
        },
    })
}

fn read_api(mapping: &Mapping<'_>, list: Api, faults: &mut Faults) -> Api {
    let parse = |text: &str| match text {
        "custom" => Ok(Api::Custom),
        "external" => Ok(Api::External),
        _ => Err(format!("`{text}` is neither `custom` nor `external`")),
    };
    match (list, mapping.optional("api", parse, faults)) {
        (list, None) => list,
        (Api::External, Some(Api::Custom)) => {
            faults.hinted(
                mapping.at("api"),
                "entries of `externalRules` are external",
                "move the rule to `rules`",
            );
            list
        }
        (_, Some(api)) => api,
    }
}

fn both_forms(entry: &Node, faults: &mut Faults) {
    faults.hinted(
        entry.place.clone(),
        "both `metric` and `seriesQuery`",
        "a rule of the typed form has `metric`, one of prometheus-adapter's form has `seriesQuery`; make two rules of it",
    );
}

fn no_form(entry: &Node, faults: &mut Faults) {
    let Value::Mapping(keys) = &entry.value else {
        let message = format!("expected a rule, found {}", entry.value.kind());
        faults.report(entry.place.clone(), message);
        return;
    };
    let misspelt = keys
        .iter()
        .find_map(|(key, _)| Some((key, nearest(key, ["metric", "seriesQuery"])?)));
    let hint = match misspelt {
        Some((key, meant)) => format!("did you mean `{meant}` where it says `{key}`?"),
        None => {
            "give the rule a `metric` (typed form) or a `seriesQuery` (prometheus-adapter's form)".to_owned()
        }
    };
    faults.hinted(entry.place.clone(), "neither `metric` nor `seriesQuery`", hint);
}

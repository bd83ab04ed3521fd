//! From rules as written to rules that answer.
//!
//! Two kinds of faults: what prometheus-adapter refuses too (regular expressions, template syntax) stops the
//! program, all faults at once; anything else disables its rule alone, and its metrics answer with the fault.

mod template;
mod typed;
mod upstream;
mod usage;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::rule::{Making, Rule};
use super::{Api, Discovery, UsageRules, reads};
use crate::config::{Form, RulesFile, WrittenRule};
use crate::model::{Diagnostic, Place, Resource, Resources, Scope};

/// Settings that change what rules mean.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Selector values are passed through as regular expressions, as prometheus-adapter does.
    pub raw_selector_values: bool,
    /// Every upstream-form rule looks for series by `/series`: an age of metrics was given explicitly.
    pub discover_by_series: bool,
    /// Names of backends that compute only what an [`Expression`](crate::promql::Expression) says: the adapter's own.
    pub embedded_backends: BTreeSet<String>,
}

/// All rules, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// Rules for custom and external metrics, disabled ones too.
    pub rules: Vec<Arc<Rule>>,
    /// Rules for `metrics.k8s.io`, if there are any.
    pub usage: Option<Arc<UsageRules>>,
}

/// Compiles all rules for the resources that are served.
///
/// The error holds every fault that stops the program. Faults that disable one rule stand in the rule.
pub fn compile(
    file: &RulesFile,
    resources: &Resources,
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let mut rules = Vec::new();
    let mut fatal = Vec::new();
    for written in &file.rules {
        let compiled = match &written.form {
            Form::Upstream(rule) => upstream::compile(rule, written, resources, options),
            Form::Typed(rule) => Ok(typed::compile(rule, written, resources)),
        };
        match compiled {
            Ok(rule) if options.embedded_backends.contains(&written.backend) => {
                rules.push(Arc::new(if_computed(rule, written)));
            }
            Ok(rule) => rules.push(Arc::new(rule)),
            Err(faults) => fatal.extend(faults),
        }
    }
    let usage = file
        .resource_rules
        .as_ref()
        .map(|written| usage::compile(written, resources, options));
    let usage = usage.transpose().unwrap_or_else(|faults| {
        fatal.extend(faults);
        None
    });
    match fatal.is_empty() {
        true => Ok(Compiled {
            rules,
            usage: usage.map(Arc::new),
        }),
        false => Err(fatal),
    }
}

/// The rule, disabled if the adapter's own backend cannot compute its query.
fn if_computed(mut rule: Rule, written: &WrittenRule) -> Rule {
    let making = rule.making.as_ref().ok();
    let fault = making.and_then(|making| reads::fault(written, making, &rule.discovery));
    if let Some(fault) = fault {
        rule.making = Err(fault);
    }
    rule
}

/// The fault of a resource that the cluster does not serve; `form` is how one is written there.
fn unknown_resource(place: Place, wanted: &str, form: &str) -> Diagnostic {
    Diagnostic {
        place,
        message: format!("no resource `{wanted}` is served"),
        hint: Some(format!(
            "write it as {form}; without a cluster its plural, kind and scope stand in `resources` of the objects file"
        )),
    }
}

/// Custom rules: whether objects in namespaces can be told apart by namespace.
fn namespace_fault(
    written: &WrittenRule,
    key: &str,
    making: &Making,
    labels: &[Arc<Resource>],
) -> Option<Diagnostic> {
    let homeless = labels
        .iter()
        .find(|resource| resource.scope == Scope::Namespaced)?;
    if making.association.namespace_label().is_some() {
        return None;
    }
    Some(Diagnostic {
        place: written.at(key),
        message: format!(
            "no label names the namespace, so {} of different namespaces could not be told apart",
            homeless.plural()
        ),
        hint: Some(match written.form {
            Form::Upstream(_) => "map a label to `{resource: namespace}` under `resources.overrides`".into(),
            Form::Typed(_) => "add `namespace: LABEL` to `objects`".into(),
        }),
    })
}

fn rule(written: &WrittenRule, parts: Parts) -> Rule {
    Rule {
        place: written.place.clone(),
        api: written.api,
        backend: written.backend.clone(),
        policies: written.policies.clone(),
        discovery: parts.discovery,
        duplicates: parts.duplicates,
        naming: parts.naming,
        making: parts.making,
    }
}

/// What the two forms make differently.
struct Parts {
    discovery: Discovery,
    duplicates: super::Duplicates,
    naming: super::naming::Naming,
    making: Result<Making, Diagnostic>,
}

/// Whether a rule serves the custom metrics API.
fn is_custom(written: &WrittenRule) -> bool {
    written.api == Api::Custom
}

//! What rules can ask a backend that keeps only what they read, and computes only what it knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::query::{QueryFault, sample};
use super::rule::{Making, Querying, Rule};
use super::{Catalog, Discovery, Question, UsageRules};
use crate::config::{Buckets, Form, TypedQuery, WrittenRule};
use crate::model::{Diagnostic, Place, Selector, chain};
use crate::promql::{Expression, Query, is_label_name};

/// A name that stands for any namespace and any object. No object of a cluster has it.
const ANY: &str = "any-NAME";

/// The queries that the rules can ask one backend, about any namespace and any object, and the selectors by which
/// their series are found.
///
/// The catalog says which series the templates are filled with.
pub fn reads(
    rules: &[Arc<Rule>],
    usage: Option<&UsageRules>,
    catalog: &Catalog,
    backend: &str,
) -> BTreeSet<String> {
    let mut queries = BTreeSet::new();
    let asks = |rule: &Rule| rule.backend == backend && rule.making.is_ok();
    for rule in rules.iter().filter(|rule| asks(rule)) {
        queries.extend(selectors(&rule.discovery).map(str::to_owned));
        if let Some(base) = rule.making.as_ref().ok().and_then(base) {
            queries.insert(base.text().to_owned());
        }
    }
    let mut add = |query: Result<String, QueryFault>| {
        // What cannot be rendered is not asked either.
        queries.extend(query.map(|query| about_any(&query)));
    };
    let names = [ANY.to_owned()];
    for entry in catalog.custom_entries().filter(|entry| asks(&entry.rule)) {
        for selector in selections(&entry.rule) {
            add(entry.query(Some(ANY), &names, &selector));
        }
    }
    for entry in catalog.external_entries().filter(|entry| asks(&entry.rule)) {
        for selector in selections(&entry.rule) {
            add(entry.query(ANY, &selector));
        }
    }
    for rule in usage.iter().flat_map(|usage| &usage.rules) {
        if rule.backend == backend && rule.fault().is_none() {
            add(rule.query(Some(ANY), &names));
        }
    }
    queries
}

/// Why a rule cannot be computed by the adapter's own backend.
pub(super) fn fault(written: &WrittenRule, making: &Making, discovery: &Discovery) -> Option<Diagnostic> {
    if let Form::Typed(typed) = &written.form
        && let TypedQuery::Quantile {
            buckets: Buckets::Native,
            ..
        } = typed.query
    {
        return Some(Diagnostic {
            place: written.at("quantile.buckets"),
            message: "the embedded backend keeps no native histograms".into(),
            hint: Some("say `buckets: classic`, or name another `backend`".into()),
        });
    }
    let looked_for = selectors(discovery).find_map(|selector| fault_of(selector, written.at("seriesQuery")));
    looked_for.or_else(|| match &making.querying {
        Querying::Expression { bases, .. } => {
            let text = bases.values().next()?.text();
            fault_of(text, written.at("query.promql"))
        }
        Querying::Template(template) => {
            let text = sample(template, ANY).ok()?;
            fault_of(&text, written.at("metricsQuery"))
        }
    })
}

/// Why a query cannot be computed by the adapter's own backend.
pub(super) fn fault_of(query: &str, place: Place) -> Option<Diagnostic> {
    let message = match Expression::parse(query) {
        Err(error) => chain(&error),
        // What it reads could not be told apart from the names in it.
        Ok(_) => chain(&Query::parse(query).err()?),
    };
    Some(Diagnostic {
        place,
        message,
        hint: Some("the rule's `backend` may name one that computes it".into()),
    })
}

/// How series are looked for, if they are.
fn selectors(discovery: &Discovery) -> impl Iterator<Item = &str> {
    let (labels, series) = match discovery {
        Discovery::Fixed(_) => (None, None),
        Discovery::Ask(Question::Labels(names)) => (Some(names), None),
        Discovery::Ask(Question::Series(selector)) => (None, Some(selector.as_str())),
    };
    let labels = labels.into_iter().flatten();
    labels.map(|(_, narrowed)| narrowed.as_str()).chain(series)
}

/// The query of a typed rule, whose matchers come later. It reads the same by whichever label it groups.
fn base(making: &Making) -> Option<&Query> {
    match &making.querying {
        Querying::Expression { bases, .. } => bases.values().next(),
        Querying::Template(_) => None,
    }
}

/// The metric selectors that bring out all that a template can read: none, and one with each label that it looks up.
/// There are none for a typed rule, to whose query every selector only adds matchers.
fn selections(rule: &Rule) -> Vec<Selector> {
    let Ok(Making {
        querying: Querying::Template(query),
        ..
    }) = &rule.making
    else {
        return Vec::new();
    };
    let looked_up = query.template.keys().into_iter();
    // A word in quotes need not be a label.
    let looked_up = looked_up.filter(|key| key.parse::<Selector>().is_ok() && is_label_name(key));
    let looked_up: Vec<String> = looked_up.map(|key| format!("{key}={ANY}")).collect();
    let with_all = looked_up.join(",").parse();
    [Some(Selector::default()), with_all.ok()]
        .into_iter()
        .flatten()
        .collect()
}

fn about_any(query: &str) -> String {
    Query::read(query).without_matchers_of(ANY).text().to_owned()
}

//! Rules in prometheus-adapter's form.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::template::{read_template, template_fault};
use super::{Options, Parts, is_custom, namespace_fault, unknown_resource};
use crate::config::{UpstreamRule, WrittenRule};
use crate::model::{Diagnostic, Resource, Resources};
use crate::promql::{Names, QueryTemplate, ResourceTemplate, SeriesSelector};
use crate::rules::association::Association;
use crate::rules::discovery::{Discovery, FoundSeries, Question};
use crate::rules::naming::Naming;
use crate::rules::reading::Duplicates;
use crate::rules::rule::{Making, Querying, Rule, TemplateQuery};

/// How a resource is written in this form.
pub(super) const WRITTEN: &str = "`{group: GROUP, resource: NAME}`";

pub(super) fn compile(
    rule: &UpstreamRule,
    written: &WrittenRule,
    resources: &Resources,
    options: &Options,
) -> Result<Rule, Vec<Diagnostic>> {
    let mut fatal = Vec::new();
    let naming = Naming::compile(rule, written)
        .map_err(|faults| fatal.extend(faults))
        .ok();
    let resource_template = resource_template(rule, written)
        .map_err(|fault| fatal.push(fault))
        .ok();
    let template = QueryTemplate::parse(&rule.metrics_query)
        .map_err(|error| fatal.push(template_fault(written.at("metricsQuery"), &error)))
        .ok();
    let (Some(naming), Some(resource_template), Some(template)) = (naming, resource_template, template)
    else {
        return Err(fatal);
    };
    let making = making(
        rule,
        written,
        resources,
        options,
        resource_template.as_ref(),
        template,
    );
    let discovery = discovery(rule, written, options, making.as_ref().ok());
    Ok(super::rule(
        written,
        Parts {
            discovery,
            duplicates: Duplicates::KeepLast,
            naming,
            making,
        },
    ))
}

fn resource_template(
    rule: &UpstreamRule,
    written: &WrittenRule,
) -> Result<Option<ResourceTemplate>, Diagnostic> {
    let Some(text) = &rule.resources.template else {
        return Ok(None);
    };
    ResourceTemplate::parse(text)
        .map(Some)
        .map_err(|error| template_fault(written.at("resources.template"), &error))
}

/// Everything that disables the rule alone when it is wrong.
fn making(
    rule: &UpstreamRule,
    written: &WrittenRule,
    resources: &Resources,
    options: &Options,
    resource_template: Option<&ResourceTemplate>,
    template: QueryTemplate,
) -> Result<Making, Diagnostic> {
    let making = Making {
        association: association(rule, written, resources, resource_template)?,
        namespaced: rule.resources.namespaced,
        querying: Querying::Template(Box::new(template_query(written, options, template)?)),
    };
    if is_custom(written) {
        let named: Vec<_> = overridden(rule, resources).collect();
        if let Some(fault) = namespace_fault(written, "resources", &making, &named) {
            return Err(fault);
        }
    }
    Ok(making)
}

fn overridden(rule: &UpstreamRule, resources: &Resources) -> impl Iterator<Item = Arc<Resource>> {
    rule.resources
        .overrides
        .iter()
        .filter_map(|(_, wanted)| resources.find(wanted).cloned())
}

fn association(
    rule: &UpstreamRule,
    written: &WrittenRule,
    resources: &Resources,
    template: Option<&ResourceTemplate>,
) -> Result<Association, Diagnostic> {
    let mut labels = Vec::new();
    for (label, wanted) in &rule.resources.overrides {
        let resource = resources.find(wanted).ok_or_else(|| {
            let place = written.at(&format!("resources.overrides.{label}"));
            unknown_resource(place, &wanted.to_string(), WRITTEN)
        })?;
        labels.push((label.clone(), resource.clone()));
    }
    let mut association = Association::written(labels, None);
    if let Some(template) = template {
        association = association
            .with_template(template, resources)
            .map_err(|error| template_fault(written.at("resources.template"), &error))?;
    }
    if is_custom(written) && association.is_empty() {
        return Err(Diagnostic {
            place: written.at("resources"),
            message: "no label names a resource, so no object has this metric".into(),
            hint: Some("give `resources.template` or `resources.overrides`".into()),
        });
    }
    if !is_custom(written) && rule.resources.namespaced && association.namespace_label().is_none() {
        return Err(Diagnostic {
            place: written.at("resources"),
            message: "no label names the namespace of an external metric".into(),
            hint: Some(
                "map a label to `{resource: namespace}`, or say `namespaced: false` if every namespace may read all"
                    .into(),
            ),
        });
    }
    Ok(association)
}

fn template_query(
    written: &WrittenRule,
    options: &Options,
    template: QueryTemplate,
) -> Result<TemplateQuery, Diagnostic> {
    const EXAMPLE: &str = "as in `sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)`";
    let query = read_template(template, &["label"], written.at("metricsQuery"), EXAMPLE)?;
    Ok(TemplateQuery {
        raw_values: options.raw_selector_values,
        ..query
    })
}

fn discovery(
    rule: &UpstreamRule,
    written: &WrittenRule,
    options: &Options,
    making: Option<&Making>,
) -> Discovery {
    let selector = SeriesSelector::parse(&rule.series_query).ok();
    let by_series = options.discover_by_series;
    let fixed = match (&selector, making) {
        (Some(selector), Some(making)) if !by_series => fixed_series(rule, written, selector, making),
        // A disabled rule answers with its fault at once, where its metric can be known without asking.
        (Some(selector), None) => fixed_name(selector, BTreeSet::new()),
        _ => None,
    };
    match fixed {
        Some(series) => Discovery::Fixed(vec![series]),
        None => Discovery::Ask(Question::about(&rule.series_query, selector.as_ref(), by_series)),
    }
}

/// The one series a rule can have, where its selector names the metric and demands every label that counts.
fn fixed_series(
    rule: &UpstreamRule,
    written: &WrittenRule,
    selector: &SeriesSelector,
    making: &Making,
) -> Option<FoundSeries> {
    let label_names: BTreeSet<String> = making.association.written_labels().map(str::to_owned).collect();
    let demanded =
        rule.resources.template.is_none() && label_names.iter().all(|label| selector.requires(label));
    if !demanded && is_custom(written) {
        return None;
    }
    fixed_name(selector, label_names)
}

fn fixed_name(selector: &SeriesSelector, label_names: BTreeSet<String>) -> Option<FoundSeries> {
    match selector.names() {
        Names::Fixed(name) => Some(FoundSeries { name, label_names }),
        Names::OneOf(_) | Names::Pattern => None,
    }
}

//! Rules in prometheus-adapter's form.

use std::collections::BTreeSet;

use super::{Options, Parts, is_custom, namespace_fault, unknown_resource};
use crate::config::{UpstreamRule, WrittenRule};
use crate::model::{Diagnostic, Resources};
use crate::promql::{
    Names, Query, QueryFields, QueryTemplate, ResourceTemplate, SeriesSelector, TemplateError,
};
use crate::rules::association::Association;
use crate::rules::discovery::{Discovery, FoundSeries, Question};
use crate::rules::naming::Naming;
use crate::rules::reading::Duplicates;
use crate::rules::rule::{Making, Querying, Rule, TemplateQuery};

pub(super) fn compile(
    rule: &UpstreamRule,
    written: &WrittenRule,
    resources: &Resources,
    options: Options,
) -> Result<Rule, Vec<Diagnostic>> {
    let mut fatal = Vec::new();
    let naming = Naming::compile(rule, written)
        .map_err(|faults| fatal.extend(faults))
        .ok();
    let resource_template = resource_template(rule, written)
        .map_err(|fault| fatal.push(fault))
        .ok();
    let template = QueryTemplate::parse(&rule.metrics_query)
        .map_err(|error| fatal.push(template_fault(written, "metricsQuery", &error)))
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
        .map_err(|error| template_fault(written, "resources.template", &error))
}

/// Everything that disables the rule alone when it is wrong.
fn making(
    rule: &UpstreamRule,
    written: &WrittenRule,
    resources: &Resources,
    options: Options,
    resource_template: Option<&ResourceTemplate>,
    template: QueryTemplate,
) -> Result<Making, Diagnostic> {
    let making = Making {
        association: association(rule, written, resources, resource_template)?,
        namespaced: rule.resources.namespaced,
        querying: Querying::Template(Box::new(template_query(rule, written, options, template)?)),
    };
    if is_custom(written) {
        let named: Vec<_> = overridden(rule, resources).collect();
        if let Some(fault) = namespace_fault(written, "resources", &making, &named) {
            return Err(fault);
        }
    }
    Ok(making)
}

fn overridden(rule: &UpstreamRule, resources: &Resources) -> impl Iterator<Item = crate::model::Resource> {
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
            unknown_resource(
                written,
                &format!("resources.overrides.{label}"),
                &wanted.to_string(),
            )
        })?;
        labels.push((label.clone(), resource.clone()));
    }
    let mut association = Association::written(labels, None);
    if let Some(template) = template {
        association = association
            .with_template(template, resources)
            .map_err(|error| template_fault(written, "resources.template", &error))?;
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

/// Renders the template once with values that stand for any, so that its faults are found at load.
fn template_query(
    rule: &UpstreamRule,
    written: &WrittenRule,
    options: Options,
    template: QueryTemplate,
) -> Result<TemplateQuery, Diagnostic> {
    let fault = |error: &TemplateError| template_fault(written, "metricsQuery", error);
    if let Some(error) = template.unsupported().first() {
        return Err(fault(error));
    }
    let rendered = render_sample(&template, "a").map_err(|error| fault(&error))?;
    if rendered.trim().is_empty() {
        return Err(Diagnostic {
            place: written.at("metricsQuery"),
            message: "the query is empty".into(),
            hint: Some("as in `sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)`".into()),
        });
    }
    let other = render_sample(&template, "b").map_err(|error| fault(&error))?;
    let query = Query::read(&rendered);
    Ok(TemplateQuery {
        pastes_values: rendered != other || rule.metrics_query.contains("LabelValuesByName"),
        opaque: query.is_opaque(),
        raw_values: options.raw_selector_values,
        window: query.window(),
        template,
    })
}

fn render_sample(template: &QueryTemplate, value: &str) -> Result<String, TemplateError> {
    template.render(&QueryFields {
        series: "series",
        label_matchers: "label=\"value\"",
        label_values_by_name: &[("label".to_owned(), value.to_owned())],
        group_by: &["label".to_owned()],
    })
}

fn discovery(
    rule: &UpstreamRule,
    written: &WrittenRule,
    options: Options,
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

fn template_fault(written: &WrittenRule, key: &str, error: &TemplateError) -> Diagnostic {
    Diagnostic {
        place: written.at(key),
        message: match error.line {
            Some(line) if line > 1 => format!("{error} (line {line} of the template)"),
            _ => error.to_string(),
        },
        hint: error.hint.clone(),
    }
}

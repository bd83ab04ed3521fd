//! `resourceRules`.
//!
//! As in other rules, a template that cannot be parsed stops the program, and anything else disables its query alone.

use std::time::Duration;

use super::template::{read_template, template_fault};
use super::upstream::WRITTEN;
use super::{Options, unknown_resource};
use crate::config::{ResourceRule, ResourceRules};
use crate::model::{Consumer, Diagnostic, Resources, Usage};
use crate::promql::{QueryTemplate, ResourceTemplate};
use crate::rules::query::sample;
use crate::rules::reads;
use crate::rules::usage::{UsageLabels, UsageMaking, UsageRule, UsageRules};

pub(super) fn compile(
    written: &ResourceRules,
    resources: &Resources,
    options: &Options,
) -> Result<UsageRules, Vec<Diagnostic>> {
    let mut fatal = Vec::new();
    let mut rules = Vec::new();
    for (usage, written) in [(Usage::Cpu, &written.cpu), (Usage::Memory, &written.memory)] {
        let Some(written) = written else { continue };
        let template = label_template(written).unwrap_or_else(|fault| {
            fatal.push(fault);
            None
        });
        for of in [Consumer::Pods, Consumer::Nodes] {
            let part = Part {
                of,
                written,
                template: template.as_ref(),
                resources,
                is_embedded: options.embedded_backends.contains(&written.backend),
            };
            match part.query_template() {
                Ok(query) => rules.push(part.rule(usage, query)),
                Err(fault) => fatal.push(fault),
            }
        }
    }
    if !fatal.is_empty() {
        return Err(fatal);
    }
    let longest = || {
        rules
            .iter()
            .filter_map(|rule| rule.making.as_ref().ok()?.template.window)
            .max()
    };
    let window = written.window.or_else(longest).unwrap_or(Duration::ZERO);
    Ok(UsageRules { window, rules })
}

fn label_template(written: &ResourceRule) -> Result<Option<ResourceTemplate>, Diagnostic> {
    let parsed = written.resources.template.as_deref().map(ResourceTemplate::parse);
    let fault = |error| template_fault(written.at("resources.template"), &error);
    parsed.transpose().map_err(fault)
}

/// One of the queries of a resource rule.
struct Part<'a> {
    of: Consumer,
    written: &'a ResourceRule,
    template: Option<&'a ResourceTemplate>,
    resources: &'a Resources,
    /// Whether the adapter's own backend is asked.
    is_embedded: bool,
}

impl Part<'_> {
    fn key(&self) -> &'static str {
        match self.of {
            Consumer::Pods => "containerQuery",
            Consumer::Nodes => "nodeQuery",
        }
    }

    fn query_template(&self) -> Result<QueryTemplate, Diagnostic> {
        let text = match self.of {
            Consumer::Pods => &self.written.container_query,
            Consumer::Nodes => &self.written.node_query,
        };
        QueryTemplate::parse(text).map_err(|error| template_fault(self.written.at(self.key()), &error))
    }

    fn rule(&self, usage: Usage, template: QueryTemplate) -> UsageRule {
        UsageRule {
            usage,
            of: self.of,
            place: self.written.at(self.key()),
            backend: self.written.backend.clone(),
            making: self.making(template),
        }
    }

    fn making(&self, template: QueryTemplate) -> Result<UsageMaking, Diagnostic> {
        const EXAMPLE: &str =
            "as in `sum(rate(container_cpu_usage_seconds_total{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)`";
        let labels = self.labels()?;
        if let Some(fault) = labels.fault() {
            return Err(Diagnostic {
                place: self.written.place.clone(),
                message: fault.to_string(),
                hint: None,
            });
        }
        let group_by = labels.group_by();
        let group_by: Vec<&str> = group_by.iter().map(String::as_str).collect();
        let template = read_template(template, &group_by, self.written.at(self.key()), EXAMPLE)?;
        let mut making = UsageMaking {
            template,
            labels,
            wide: None,
        };
        making.wide = making.widened();
        match self.is_embedded.then(|| self.fault(&making)).flatten() {
            Some(fault) => Err(fault),
            None => Ok(making),
        }
    }

    fn fault(&self, making: &UsageMaking) -> Option<Diagnostic> {
        let text = sample(&making.template, "any").ok()?;
        reads::fault_of(&text, self.written.at(self.key()))
    }

    fn labels(&self) -> Result<UsageLabels, Diagnostic> {
        Ok(match self.of {
            Consumer::Pods => UsageLabels::Containers {
                namespace: self.label("namespace")?,
                pod: self.label("pod")?,
                container: self.written.container_label.clone(),
            },
            Consumer::Nodes => UsageLabels::Nodes {
                node: self.label("node")?,
            },
        })
    }

    /// The label that names a resource of the core group: the first that is written, or what the template makes.
    fn label(&self, singular: &str) -> Result<String, Diagnostic> {
        for (label, wanted) in &self.written.resources.overrides {
            let resource = self.resources.find(wanted).ok_or_else(|| {
                let place = self.written.at(&format!("resources.overrides.{label}"));
                unknown_resource(place, &wanted.to_string(), WRITTEN)
            })?;
            if resource.group().is_empty() && resource.singular == singular {
                return Ok(label.clone());
            }
        }
        let made = self.template.map(|template| template.label_for(singular, ""));
        made.transpose()
            .map_err(|error| template_fault(self.written.at("resources.template"), &error))?
            .ok_or_else(|| Diagnostic {
                place: self.written.at("resources"),
                message: format!("no label names the {singular} whose use the samples are"),
                hint: Some(format!(
                    "map a label to `{{resource: {singular}}}` under `resources.overrides`"
                )),
            })
    }
}

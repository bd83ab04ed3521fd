//! The template that makes a label of a resource.

use gotmpl::Value;
use regex::Regex;

use super::fields::{self, Field};
use super::{Template, TemplateError, map, string};

/// A `resources.template`, such as `kube_<<.Group>>_<<.Resource>>`.
#[derive(Clone, Debug)]
pub struct ResourceTemplate {
    template: Template,
    pattern: Regex,
}

const FIELDS: [Field; 2] = [
    Field {
        name: "Group",
        has_keys: false,
    },
    Field {
        name: "Resource",
        has_keys: false,
    },
];

/// Stand-ins from the private use area, which no label holds.
const GROUP: &str = "\u{e000}";
const RESOURCE: &str = "\u{e001}";

impl ResourceTemplate {
    /// Reads a template. It must name the resource, or no label could be read back.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let template = Template::parse(text)?;
        if let Some(fault) = fields::unsupported(&template.compiled, &FIELDS)
            .into_iter()
            .next()
        {
            return Err(fault);
        }
        let label = execute(&template, GROUP, RESOURCE)?;
        Ok(ResourceTemplate {
            pattern: pattern(&label)?,
            template,
        })
    }

    /// The label that names objects of the resource; dots and dashes of the group become `_`.
    pub fn label_for(&self, singular: &str, group: &str) -> Result<String, TemplateError> {
        execute(&self.template, &group.replace(['.', '-'], "_"), singular)
    }

    /// Matches a whole label and finds `resource` in it, and `group` if the template names that.
    pub fn pattern(&self) -> &Regex {
        &self.pattern
    }
}

fn execute(template: &Template, group: &str, resource: &str) -> Result<String, TemplateError> {
    let data: Value = map([("Group", string(group)), ("Resource", string(resource))]);
    let executed = template.execute(&data);
    executed.map_err(|error| TemplateError::from_library(&error))
}

/// The label made of the stand-ins, with the rest taken literally.
fn pattern(label: &str) -> Result<Regex, TemplateError> {
    if !label.contains(RESOURCE) {
        return Err(TemplateError::new("the template does not name the resource")
            .with_hint("a label is read back with it: add `<<.Resource>>`"));
    }
    let literal = regex::escape(label)
        .replace(GROUP, "(?P<group>.+?)")
        .replace(RESOURCE, "(?P<resource>.+?)");
    Regex::new(&format!("^{literal}$")).map_err(|_| {
        TemplateError::new("the template names the group or the resource twice")
            .with_hint("use `<<.Group>>` and `<<.Resource>>` once each")
    })
}

//! Reads a template of a query, so that its faults are found at load.

use crate::model::{Diagnostic, Place};
use crate::promql::{Query, QueryFields, QueryTemplate, TemplateError};
use crate::rules::rule::TemplateQuery;

/// What is known of a template, found by rendering it with values that stand for any.
///
/// The error disables the rule alone.
pub(super) fn read_template(
    template: QueryTemplate,
    group_by: &[&str],
    place: Place,
    example: &str,
) -> Result<TemplateQuery, Diagnostic> {
    if let Some(error) = template.unsupported().first() {
        return Err(template_fault(place, error));
    }
    let render = |value| render_sample(&template, group_by, value);
    let (rendered, other) = match render("a").and_then(|one| Ok((one, render("b")?))) {
        Ok(both) => both,
        Err(error) => return Err(template_fault(place, &error)),
    };
    if rendered.trim().is_empty() {
        return Err(Diagnostic {
            place,
            message: "the query is empty".into(),
            hint: Some(example.to_owned()),
        });
    }
    let query = Query::read(&rendered);
    Ok(TemplateQuery {
        pastes_values: rendered != other || template.text().contains("LabelValuesByName"),
        opaque: query.is_opaque(),
        raw_values: false,
        window: query.window(),
        template,
    })
}

fn render_sample(template: &QueryTemplate, group_by: &[&str], value: &str) -> Result<String, TemplateError> {
    let group_by: Vec<String> = group_by.iter().map(|label| (*label).to_owned()).collect();
    template.render(&QueryFields {
        series: "series",
        label_matchers: "label=\"value\"",
        label_values_by_name: &[("label".to_owned(), value.to_owned())],
        group_by: &group_by,
    })
}

/// The fault of a template, with its line if that is not the first.
pub(super) fn template_fault(place: Place, error: &TemplateError) -> Diagnostic {
    Diagnostic {
        place,
        message: match error.line {
            Some(line) if line > 1 => format!("{error} (line {line} of the template)"),
            _ => error.to_string(),
        },
        hint: error.hint.clone(),
    }
}

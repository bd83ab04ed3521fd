//! The template of a query.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use gotmpl::Value;
use regex::Regex;

use super::fields::{self, Field};
use super::{Template, TemplateError, list, map, string};

/// A `metricsQuery`.
#[derive(Clone, Debug)]
pub struct QueryTemplate(Template);

/// What a `metricsQuery` is filled with.
#[derive(Clone, Copy, Debug)]
pub struct QueryFields<'a> {
    /// `.Series`: the metric's name.
    pub series: &'a str,
    /// `.LabelMatchers`: matchers joined by commas, as they stand between braces.
    pub label_matchers: &'a str,
    /// `.LabelValuesByName`: label → its values joined by `|`, not escaped.
    pub label_values_by_name: &'a [(String, String)],
    /// `.GroupBy` and `.GroupBySlice`: the labels to keep.
    pub group_by: &'a [String],
}

const FIELDS: [Field; 5] = [
    plain("Series"),
    plain("LabelMatchers"),
    Field {
        name: "LabelValuesByName",
        has_keys: true,
    },
    plain("GroupBy"),
    plain("GroupBySlice"),
];

const fn plain(name: &'static str) -> Field {
    Field {
        name,
        has_keys: false,
    }
}

impl QueryTemplate {
    /// Reads a template. An error is a fault in its syntax.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Template::parse(text).map(QueryTemplate)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// What is right in syntax but cannot be rendered: fields that do not exist, functions we do not run.
    ///
    /// Found by reading every branch, then by rendering once with stand-ins.
    pub fn unsupported(&self) -> Vec<TemplateError> {
        let faults = fields::unsupported(&self.0.compiled, &FIELDS);
        if !faults.is_empty() {
            return faults;
        }
        let keys = self.keys().into_iter();
        let values: Vec<(String, String)> = keys.map(|key| (key, stand_in())).collect();
        let rendered = self.0.execute(&data(&QueryFields {
            series: &stand_in(),
            label_matchers: &stand_in(),
            label_values_by_name: &values,
            group_by: &[stand_in()],
        }));
        match rendered {
            // How many labels there are depends on the request.
            Ok(_) | Err(gotmpl::TemplateError::IndexOutOfRange { .. }) => Vec::new(),
            Err(error) => vec![TemplateError::from_library(&error)],
        }
    }

    /// The labels whose values it looks up, and other words that it has in quotes.
    pub fn keys(&self) -> BTreeSet<String> {
        fields::keys(&self.0.compiled)
    }

    /// Whether it does nothing but put `.Series`, `.LabelMatchers` and `.GroupBy` in their places.
    ///
    /// Then what it renders for other names differs in those names only.
    pub fn only_fills_in(&self) -> bool {
        static ACTION: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"<<(?:- )?\s*\.(?:Series|LabelMatchers|GroupBy)\s*(?: -)?>>")
                .expect("the expression is valid")
        });
        !ACTION.replace_all(&self.0.text, "").contains("<<")
    }

    /// The text of the query.
    pub fn render(&self, fields: &QueryFields<'_>) -> Result<String, TemplateError> {
        let rendered = self.0.execute(&data(fields));
        rendered.map_err(|error| TemplateError::from_library(&error))
    }
}

/// As long as the name of an object can be, so that a template may cut it.
fn stand_in() -> String {
    "x".repeat(253)
}

fn data(fields: &QueryFields<'_>) -> Value {
    let values = fields.label_values_by_name.iter();
    map([
        ("Series", string(fields.series)),
        ("LabelMatchers", string(fields.label_matchers)),
        (
            "LabelValuesByName",
            map(values.map(|(label, values)| (label.as_str(), string(values)))),
        ),
        ("GroupBy", string(&fields.group_by.join(","))),
        ("GroupBySlice", list(fields.group_by)),
    ])
}

//! Go's `text/template` between `<<` and `>>`, as `metricsQuery` and `resources.template` are written.
//!
//! All actions are there, and the built-in functions but `call`, which has nothing to call here.

mod blocks;
mod fields;
mod query;
mod resource;

pub use query::{QueryFields, QueryTemplate};
pub use resource::ResourceTemplate;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gotmpl::Value;

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong: lower case, backticks around what was typed.
    pub message: String,
    /// Line within the template, counted from 1, where it is known.
    pub line: Option<u64>,
    /// The cure, where there is one to name.
    pub hint: Option<String>,
}

/// A template that was read without a fault in its syntax.
#[derive(Clone)]
struct Template {
    text: String,
    compiled: Arc<gotmpl::Template>,
}

/// The name under which the library keeps the body beside what `define` adds.
const BODY: &str = "template";

/// Functions that Go knows and we do not run.
const REFUSED_FUNCTIONS: [&str; 1] = ["call"];

impl Template {
    /// Faults in the syntax, with functions that Go does not know among them: it finds both when it parses.
    fn parse(text: &str) -> Result<Self, TemplateError> {
        let compiled = gotmpl::Template::new(BODY)
            .delims("<<", ">>")
            .func("index", index)
            .parse(text)
            .map_err(|error| TemplateError::from_library(&error))?;
        blocks::check(text)?;
        fields::unknown_function(&compiled).map_or(Ok(()), Err)?;
        Ok(Template {
            text: text.to_owned(),
            compiled: Arc::new(compiled),
        })
    }

    fn execute(&self, data: &Value) -> Result<String, gotmpl::TemplateError> {
        self.compiled.execute_to_string(data)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl TemplateError {
    fn new(message: impl Into<String>) -> Self {
        TemplateError {
            message: message.into(),
            line: None,
            hint: None,
        }
    }

    fn at(self, line: usize) -> Self {
        let line = u64::try_from(line).ok();
        TemplateError { line, ..self }
    }

    fn with_hint(self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        TemplateError { hint, ..self }
    }

    fn from_library(error: &gotmpl::TemplateError) -> Self {
        match error {
            gotmpl::TemplateError::Parse { line, message, .. }
            | gotmpl::TemplateError::Lex { line, message, .. } => TemplateError {
                hint: Some(SYNTAX.to_owned()),
                ..TemplateError::new(message).at(*line)
            },
            gotmpl::TemplateError::Exec(message) => TemplateError::new(message),
            other => TemplateError::new(other.to_string()),
        }
    }
}

/// The cure of what the library says of syntax.
const SYNTAX: &str = "an action is Go's, between `<<` and `>>`, as in `<<.Series>>`; \
                      PromQL that holds `<<` itself writes it `<<\"<<\">>`";

/// Go's `index`, for which a key that is not in a map of strings is the empty string.
fn index(arguments: &[Value]) -> gotmpl::Result<Value> {
    let Some((collection, keys)) = arguments.split_first() else {
        return Err(gotmpl::TemplateError::ArgCount {
            name: "index".to_owned(),
            expected: 1,
            got: 0,
        });
    };
    keys.iter().try_fold(collection.clone(), |inner, key| {
        Ok(match (&inner, inner.index(key)?) {
            (Value::Map(_), Value::Nil) => string(""),
            (_, found) => found,
        })
    })
}

fn string(text: &str) -> Value {
    Value::String(text.into())
}

fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|text| string(text)).collect())
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (Arc::from(key), value));
    Value::Map(Arc::new(entries.collect::<BTreeMap<_, _>>()))
}

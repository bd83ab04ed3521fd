//! PromQL text: parsed, built and rewritten, and the templates that operators write it in.
//!
//! Nothing is pasted into a query unescaped: matchers are built ([`Matcher`]), typed rules are built ([`build`]),
//! and where a template does paste a name, [`Query::fills`] proves that it stayed inside its string.
//! An [`Expression`] is a query as something to be computed here, for the backend without Prometheus.

mod alternation;
pub mod build;
pub mod expression;
mod matcher;
mod query;
mod requirement;
mod scan;
mod selector;
mod shape;
mod template;
mod walk;
mod widen;

pub use build::{Buckets, BuildError};
pub use expression::{Expression, ExpressionError, Unsupported};
pub use matcher::{LabelNameError, MatchOp, Matcher, join};
pub use query::{ParseError, Query};
pub use requirement::UnsupportedRequirement;
pub use selector::{Names, SelectorError, SeriesSelector};
pub use template::{QueryFields, QueryTemplate, ResourceTemplate, TemplateError};
pub use widen::{NamespaceLabel, Narrowing};

#[cfg(test)]
mod properties;

/// The label that holds the name of a series.
const METRIC_NAME: &str = "__name__";

/// Whether every PromQL parser reads the text as the name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
///
/// Newer backends know other names too, but only in quotes.
pub fn is_metric_name(text: &str) -> bool {
    is_identifier(text, |character| character == ':')
}

/// Whether every PromQL parser reads the text as the name of a label: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub fn is_label_name(text: &str) -> bool {
    is_identifier(text, |_| false)
}

fn is_identifier(text: &str, further: impl Fn(char) -> bool) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_' || further(character))
}

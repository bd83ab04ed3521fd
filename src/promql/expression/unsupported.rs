//! What is not computed, by name.

use crate::promql::ParseError;

/// Why a query cannot be computed here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is not PromQL as we know it.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It is, and has a part that the embedded backend does not compute.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// It is refused by Prometheus too, but only there and not by our parser.
    #[error("`{part}`: {fault}")]
    Invalid {
        /// The part as it prints.
        part: String,
        /// What is wrong with it.
        fault: &'static str,
    },
}

/// A part of PromQL that the embedded backend does not compute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// Functions for native histograms, experimental ones, `info`.
    #[error("the embedded backend does not compute `{0}()`")]
    Function(String),
    /// `limitk`, `limit_ratio`.
    #[error("the embedded backend does not compute `{0}`")]
    Aggregator(String),
    /// `x @ 1609746000`: the window goes back a few minutes, not to a date.
    #[error("the embedded backend has no samples of a fixed time, so that `@ {0}` cannot be read")]
    FixedTime(String),
    /// `fill`, `fill_left`, `fill_right`.
    #[error("the embedded backend does not fill in samples that do not match (`fill`)")]
    Fill,
    /// `{a="1" or b="2"}`, which Prometheus does not know.
    #[error("`or` between matchers is not PromQL, and the embedded backend does not read it")]
    OrInSelector,
    /// `x[1y:1s]`, with the steps of the subqueries around it.
    #[error("`{0}` has {1} steps with the subqueries that it stands in, the limit is {2}")]
    TooManySteps(String, i64, i64),
    /// `x[5m]` as a whole query.
    #[error("a query gives samples or a number, but `{0}` is a {1}")]
    NotAnAnswer(String, &'static str),
    /// A syntax tree of another program.
    #[error("`{0}` is not PromQL")]
    Extension(String),
}

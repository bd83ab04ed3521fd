//! A metric selector's requirements as matchers.

use super::alternation::alternation;
use super::matcher::{MatchOp, Matcher};
use crate::model::{Operator, Requirement};

/// Why a requirement of a metric selector cannot be asked of a backend. Written for the workload's owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedRequirement {
    /// `k>5` or `k<5`: PromQL compares labels as text only.
    #[error(
        "the metric selector compares `{key}` as a number, which a Prometheus label cannot be; \
         use `=`, `!=`, `in`, `notin` or the key alone"
    )]
    Operator {
        /// The label key.
        key: String,
    },
    /// `app.kubernetes.io/name`: legal in Kubernetes, but no label name of a series.
    #[error(
        "the metric selector's key `{key}` cannot be the name of a Prometheus label; \
         use the label as the series has it, such as `{suggestion}`"
    )]
    Key {
        /// The label key.
        key: String,
        /// The name that Prometheus' own service discovery makes of such a key.
        suggestion: String,
    },
}

impl Matcher {
    /// The matcher that says the same of a series as the requirement says of its metric.
    ///
    /// The values of `in` and `notin` are taken literally, or, with `raw_values`, as regular expressions.
    pub fn from_requirement(
        requirement: &Requirement,
        raw_values: bool,
    ) -> Result<Matcher, UnsupportedRequirement> {
        let key = &requirement.key;
        let first = || requirement.values.first().cloned().unwrap_or_default();
        let any = || match raw_values {
            true => requirement.values.join("|"),
            false => alternation(&requirement.values),
        };
        let (op, value) = match requirement.operator {
            Operator::Equals | Operator::DoubleEquals => (MatchOp::Equal, first()),
            Operator::NotEquals => (MatchOp::NotEqual, first()),
            Operator::In => (MatchOp::Regex, any()),
            Operator::NotIn => (MatchOp::NotRegex, any()),
            Operator::Exists => (MatchOp::NotEqual, String::new()),
            Operator::DoesNotExist => (MatchOp::Equal, String::new()),
            Operator::GreaterThan | Operator::LessThan => {
                return Err(UnsupportedRequirement::Operator { key: key.clone() });
            }
        };
        Matcher::new(key, op, &value).map_err(|_| UnsupportedRequirement::Key {
            key: key.clone(),
            suggestion: label_name_for(key),
        })
    }
}

/// Source: Prometheus, `util/strutil/strconv.go`, `SanitizeLabelName`.
fn label_name_for(key: &str) -> String {
    let sanitized = key.replace(|character: char| !character.is_ascii_alphanumeric(), "_");
    match sanitized.starts_with(|first: char| first.is_ascii_digit()) {
        true => format!("_{sanitized}"),
        false => sanitized,
    }
}

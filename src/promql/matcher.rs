//! Label matchers, built so that no value can leave its string.

use std::fmt;

use super::alternation::{alternation, short_alternation};
use super::is_label_name;

/// One condition on a label: `pod=~"cart-0|cart-1"`. Prints as PromQL, with the value escaped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Matcher {
    label: String,
    op: MatchOp,
    value: String,
}

/// How a matcher compares. Regular expressions match the whole value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`. An absent label has the empty value.
    Equal,
    /// `!=`.
    NotEqual,
    /// `=~`.
    Regex,
    /// `!~`.
    NotRegex,
}

/// A text that cannot stand as a label name in PromQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a Prometheus label: letters, digits and `_`, not starting with a digit")]
pub struct LabelNameError(pub String);

impl Matcher {
    /// A matcher with this value; for the regular-expression operators the value is the pattern as it stands.
    pub fn new(label: &str, op: MatchOp, value: &str) -> Result<Self, LabelNameError> {
        if !is_label_name(label) {
            return Err(LabelNameError(label.to_owned()));
        }
        Ok(Matcher {
            label: label.to_owned(),
            op,
            value: value.to_owned(),
        })
    }

    /// Matches exactly these values, in the given order, each once.
    ///
    /// One value is compared with `=`, several are alternatives of a regular expression that takes each
    /// literally, and none asks for series without the label.
    pub fn one_of(label: &str, values: &[impl AsRef<str>]) -> Result<Self, LabelNameError> {
        match distinct(values).as_slice() {
            [] => Matcher::new(label, MatchOp::Equal, ""),
            [only] => Matcher::new(label, MatchOp::Equal, only),
            several => Matcher::new(label, MatchOp::Regex, &alternation(several)),
        }
    }

    /// Matches exactly these values too, of which there are several, with what they begin with in common written once.
    ///
    /// Harder to read, and for Prometheus to match, than [`Matcher::one_of`]; for names so many that a backend does not
    /// take a query as long as that.
    pub fn one_of_many(label: &str, values: &[impl AsRef<str>]) -> Result<Self, LabelNameError> {
        Matcher::new(label, MatchOp::Regex, &short_alternation(values))
    }

    /// The label it looks at.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern, not escaped.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}\"{}\"", self.label, self.op, escape_string(&self.value))
    }
}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Regex => "=~",
            MatchOp::NotRegex => "!~",
        })
    }
}

/// The matchers as they stand between braces: joined by commas, without spaces.
pub fn join(matchers: &[Matcher]) -> String {
    let texts: Vec<String> = matchers.iter().map(Matcher::to_string).collect();
    texts.join(",")
}

/// Escapes what ends or continues a double-quoted PromQL string.
pub(super) fn escape_string(text: &str) -> String {
    promql_parser::util::escape_string(text)
}

fn distinct(values: &[impl AsRef<str>]) -> Vec<&str> {
    let mut seen = std::collections::HashSet::new();
    let values = values.iter().map(AsRef::as_ref);
    values.filter(|value| seen.insert(*value)).collect()
}

//! Label selectors as text.

mod label;
mod parse;

use super::Labels;
use std::fmt;
use std::str::FromStr;

/// Requirements that must all hold; none matches everything. Sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Vec<Requirement>,
}

/// One requirement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// Label key.
    pub key: String,
    /// How the label's value is compared.
    pub operator: Operator,
    /// Sorted, without repetition; one for the comparing operators, none for the existence ones.
    pub values: Vec<String>,
}

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `k=v`.
    Equals,
    /// `k==v`.
    DoubleEquals,
    /// `k!=v`: other value or absent.
    NotEquals,
    /// `k in (a,b)`.
    In,
    /// `k notin (a,b)`: other value or absent.
    NotIn,
    /// `k`.
    Exists,
    /// `!k`.
    DoesNotExist,
    /// `k>5`.
    GreaterThan,
    /// `k<5`.
    LessThan,
}

impl Selector {
    /// The requirements, by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether all requirements hold for these labels.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    fn matches(&self, labels: &Labels) -> bool {
        let Some(value) = labels.get(&self.key) else {
            return matches!(
                self.operator,
                Operator::NotEquals | Operator::NotIn | Operator::DoesNotExist
            );
        };
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => self.lists(value),
            Operator::NotEquals | Operator::NotIn => !self.lists(value),
            Operator::Exists => true,
            Operator::DoesNotExist => false,
            Operator::GreaterThan => self
                .bound()
                .zip(integer(value))
                .is_some_and(|(bound, value)| value > bound),
            Operator::LessThan => self
                .bound()
                .zip(integer(value))
                .is_some_and(|(bound, value)| value < bound),
        }
    }

    fn lists(&self, value: &str) -> bool {
        // A list may hold thousands of values, and every object is compared with it.
        self.values
            .binary_search_by(|listed| listed.as_str().cmp(value))
            .is_ok()
    }

    fn bound(&self) -> Option<i64> {
        self.values.first().and_then(|value| integer(value))
    }
}

/// A label's value as the comparing operators read it; a label that is no integer matches none of them.
fn integer(value: &str) -> Option<i64> {
    value.parse().ok()
}

/// The canonical form, which clients send.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, requirement) in self.requirements.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Requirement {
            key,
            operator,
            values,
        } = self;
        let values = values.join(",");
        match operator {
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// Why a text is not a selector: the words Kubernetes uses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseSelectorError(String);

/// The whole grammar of `labels.Parse`, its errors included.
///
/// Source: apimachinery, `pkg/labels/selector.go`.
impl FromStr for Selector {
    type Err = ParseSelectorError;

    fn from_str(text: &str) -> Result<Self, ParseSelectorError> {
        let mut requirements = parse::requirements(text).map_err(ParseSelectorError)?;
        requirements.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(Selector { requirements })
    }
}

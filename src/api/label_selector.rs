//! Selectors in the form of objects.

use crate::model::{Operator, Requirement, Selector};
use serde::Serialize;
use std::collections::BTreeMap;

/// `metav1.LabelSelector`: a metric selector as the response repeats it.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LabelSelector<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) match_labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) match_expressions: Vec<Expression<'a>>,
}

#[derive(Clone, Serialize)]
pub(super) struct Expression<'a> {
    pub(super) key: &'a str,
    pub(super) operator: &'static str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(super) values: &'a [String],
}

impl<'a> LabelSelector<'a> {
    /// `None` for a selector that is empty, or that cannot be said in this form because it compares numbers.
    pub(super) fn echo(selector: &'a Selector) -> Option<Self> {
        let mut echo = LabelSelector {
            match_labels: BTreeMap::new(),
            match_expressions: Vec::new(),
        };
        for requirement in selector.requirements() {
            echo.add(requirement)?;
        }
        (!selector.is_empty()).then_some(echo)
    }

    fn add(&mut self, requirement: &'a Requirement) -> Option<()> {
        let Requirement {
            key,
            operator,
            values,
        } = requirement;
        let operator = match (operator, values.as_slice()) {
            (Operator::Equals | Operator::DoubleEquals, [value])
                if !self.match_labels.contains_key(key.as_str()) =>
            {
                self.match_labels.insert(key, value);
                return Some(());
            }
            (Operator::Equals | Operator::DoubleEquals | Operator::In, _) => "In",
            (Operator::NotEquals | Operator::NotIn, _) => "NotIn",
            (Operator::Exists, _) => "Exists",
            (Operator::DoesNotExist, _) => "DoesNotExist",
            (Operator::GreaterThan | Operator::LessThan, _) => return None,
        };
        self.match_expressions.push(Expression {
            key,
            operator,
            values,
        });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echoed(selector: &str) -> String {
        let selector = selector.parse().unwrap();
        serde_json::to_string(&LabelSelector::echo(&selector)).unwrap()
    }

    #[test]
    fn the_metric_selector_is_repeated_in_the_form_of_objects() {
        assert_eq!(
            echoed("method=GET,code in (b,a),!x,y,w notin (q),z!=1"),
            r#"{"matchLabels":{"method":"GET"},"matchExpressions":[{"key":"code","operator":"In","values":["a","b"]},{"key":"w","operator":"NotIn","values":["q"]},{"key":"x","operator":"DoesNotExist"},{"key":"y","operator":"Exists"},{"key":"z","operator":"NotIn","values":["1"]}]}"#
        );
    }

    #[test]
    fn two_values_asked_of_one_label_are_both_repeated() {
        assert_eq!(
            echoed("a=b,a==c"),
            r#"{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"In","values":["c"]}]}"#
        );
    }

    #[test]
    fn a_comparison_has_no_such_form_and_is_not_repeated() {
        assert_eq!(echoed("a=b,size>5"), "null");
    }
}

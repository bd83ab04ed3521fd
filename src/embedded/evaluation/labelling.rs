//! `label_replace` and `label_join`.

use super::Element;
use crate::promql::expression::{LabelJoin, LabelReplace};

/// Writes a label where the pattern matches the whole value of another.
/// Source: Prometheus 3, `promql/functions.go`, `evalLabelReplace`.
pub(super) fn replace(call: &LabelReplace, elements: Vec<Element>) -> Vec<Element> {
    let replaced = elements.into_iter().map(|element| {
        let source = element.labels.get(&call.source).unwrap_or_default();
        let Some(groups) = call.pattern.captures(source) else {
            return element;
        };
        let mut value = String::new();
        groups.expand(&call.replacement, &mut value);
        Element {
            labels: element.labels.with(&call.destination, &value),
            value: element.value,
        }
    });
    replaced.collect()
}

/// Writes the values of some labels one after the other into a label.
/// Source: Prometheus 3, `promql/functions.go`, `evalLabelJoin`.
pub(super) fn join(call: &LabelJoin, elements: Vec<Element>) -> Vec<Element> {
    let joined = elements.into_iter().map(|element| {
        let values = call
            .sources
            .iter()
            .map(|source| element.labels.get(source).unwrap_or_default());
        let value = values.collect::<Vec<_>>().join(&call.separator);
        Element {
            labels: element.labels.with(&call.destination, &value),
            value: element.value,
        }
    });
    joined.collect()
}

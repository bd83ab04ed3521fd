//! `and`, `or` and `unless`.

use std::collections::HashSet;

use super::Element;
use super::matching::group;
use crate::embedded::series_labels::SeriesLabels;
use crate::promql::expression::{Combined, LabelChoice, SetOperator};

/// Samples of both sides, as they are.
/// Source: Prometheus 3, `promql/engine.go`, `VectorAnd`, `VectorOr` and `VectorUnless`.
pub(super) fn combined(operation: &Combined, left: Vec<Element>, right: Vec<Element>) -> Vec<Element> {
    let on = &operation.on;
    match operation.operator {
        SetOperator::And => {
            let present = groups(on, &right);
            kept(left, |element| present.contains(&group(on, &element.labels)))
        }
        SetOperator::Unless => {
            let present = groups(on, &right);
            kept(left, |element| !present.contains(&group(on, &element.labels)))
        }
        SetOperator::Or => {
            let present = groups(on, &left);
            let added = kept(right, |element| !present.contains(&group(on, &element.labels)));
            left.into_iter().chain(added).collect()
        }
    }
}

fn groups(on: &LabelChoice, elements: &[Element]) -> HashSet<SeriesLabels> {
    elements
        .iter()
        .map(|element| group(on, &element.labels))
        .collect()
}

fn kept(elements: Vec<Element>, is_kept: impl Fn(&Element) -> bool) -> Vec<Element> {
    elements.into_iter().filter(|element| is_kept(element)).collect()
}

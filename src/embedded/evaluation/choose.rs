//! `topk` and `bottomk`.

use super::aggregate::Group;
use super::{Element, EvaluationError};
use crate::promql::expression::Extreme;

/// So many samples of each group, the most extreme first; what is not a number is the least extreme.
///
/// Which of equal samples stay is decided as Prometheus does, by a heap whose first is the next to go.
/// Source: Prometheus 3, `promql/engine.go`, `aggregationK`; Go, `container/heap`.
pub(super) fn chosen(
    extreme: Extreme,
    count: f64,
    most: usize,
    groups: Vec<Group>,
) -> Result<Vec<Element>, EvaluationError> {
    let count = match count {
        few if few < 1.0 => return Ok(Vec::new()),
        number if number.is_nan() || number >= i64::MAX as f64 => {
            return Err(EvaluationError::NotACount(number.to_string()));
        }
        count => (count as usize).min(most),
    };
    let mut chosen = Vec::new();
    for group in groups {
        let mut best = of_group(extreme, count, group.elements);
        best.sort_by(|one, other| {
            let by_value = match extreme {
                Extreme::Greatest => other.value.partial_cmp(&one.value),
                Extreme::Least => one.value.partial_cmp(&other.value),
            };
            by_value.unwrap_or_else(|| one.value.is_nan().cmp(&other.value.is_nan()))
        });
        chosen.extend(best);
    }
    Ok(chosen)
}

fn of_group(extreme: Extreme, count: usize, elements: Vec<Element>) -> Vec<Element> {
    let mut heap: Vec<Element> = Vec::with_capacity(count.min(elements.len()));
    for element in elements {
        if heap.len() < count {
            heap.push(element);
            rise(extreme, &mut heap);
        } else if replaces(extreme, element.value, heap[0].value) {
            heap[0] = element;
            sink(extreme, &mut heap);
        }
    }
    heap
}

fn replaces(extreme: Extreme, value: f64, least: f64) -> bool {
    let is_more = match extreme {
        Extreme::Greatest => value > least,
        Extreme::Least => value < least,
    };
    is_more || least.is_nan() && !value.is_nan()
}

/// Whether one goes before the other.
fn goes_first(extreme: Extreme, one: &Element, other: &Element) -> bool {
    one.value.is_nan()
        || match extreme {
            Extreme::Greatest => one.value < other.value,
            Extreme::Least => one.value > other.value,
        }
}

/// Moves the last element to where it belongs.
fn rise(extreme: Extreme, heap: &mut [Element]) {
    let mut child = heap.len() - 1;
    while child > 0 {
        let parent = (child - 1) / 2;
        if !goes_first(extreme, &heap[child], &heap[parent]) {
            break;
        }
        heap.swap(child, parent);
        child = parent;
    }
}

/// Moves the first element to where it belongs.
fn sink(extreme: Extreme, heap: &mut [Element]) {
    let mut parent = 0;
    loop {
        let left = 2 * parent + 1;
        if left >= heap.len() {
            break;
        }
        let right = left + 1;
        let child = match right < heap.len() && goes_first(extreme, &heap[right], &heap[left]) {
            true => right,
            false => left,
        };
        if !goes_first(extreme, &heap[child], &heap[parent]) {
            break;
        }
        heap.swap(parent, child);
        parent = child;
    }
}

//! Many samples made one for each group.

use std::collections::HashMap;

use super::choose::chosen;
use super::kahan::{mean, sum};
use super::matching::group;
use super::quantile::quantile;
use super::{Element, Evaluation, EvaluationError};
use crate::embedded::series_labels::SeriesLabels;
use crate::promql::expression::{Aggregate, Aggregator, LabelChoice};

/// The samples with the same labels to group by, in the order they came.
pub(super) struct Group {
    labels: SeriesLabels,
    pub(super) elements: Vec<Element>,
}

impl Evaluation<'_> {
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let elements = self.vector(&aggregate.vector, at_ms)?;
        let by = &aggregate.by;
        let one: fn(&[f64]) -> f64 = match &aggregate.aggregator {
            Aggregator::Average => |values| mean(values.iter().copied()),
            Aggregator::Count => |values| values.len() as f64,
            Aggregator::Group => |_| 1.0,
            Aggregator::Maximum => |values| extreme(values, |value, so_far| value > so_far),
            Aggregator::Minimum => |values| extreme(values, |value, so_far| value < so_far),
            Aggregator::StandardDeviation => |values| variance(values).sqrt(),
            Aggregator::Sum => |values| sum(values.iter().copied()),
            Aggregator::Variance => variance,
            Aggregator::Quantile(q) => {
                let q = self.scalar(q, at_ms)?;
                return Ok(one_each(grouped(by, elements), |values| {
                    quantile(q, values.to_vec())
                }));
            }
            Aggregator::Choose(extreme, count) => {
                let count = self.scalar(count, at_ms)?;
                return chosen(*extreme, count, elements.len(), grouped(by, elements));
            }
            Aggregator::CountValues(label) => return Ok(counted(by, label, elements)),
        };
        Ok(one_each(grouped(by, elements), one))
    }
}

fn grouped(by: &LabelChoice, elements: Vec<Element>) -> Vec<Group> {
    let mut positions: HashMap<SeriesLabels, usize> = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for element in elements {
        let labels = group(by, &element.labels);
        let at = *positions.entry(labels.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                labels,
                elements: Vec::new(),
            });
        }
        groups[at].elements.push(element);
    }
    groups
}

fn one_each(groups: Vec<Group>, value: impl Fn(&[f64]) -> f64) -> Vec<Element> {
    let one = groups.into_iter().map(|group| {
        let values: Vec<f64> = group.elements.iter().map(|element| element.value).collect();
        Element {
            labels: group.labels,
            value: value(&values),
        }
    });
    one.collect()
}

/// What is not a number gives way to anything.
fn extreme(values: &[f64], beats: impl Fn(f64, f64) -> bool) -> f64 {
    let best = values
        .iter()
        .copied()
        .reduce(|so_far, value| match beats(value, so_far) || so_far.is_nan() {
            true => value,
            false => so_far,
        });
    best.unwrap_or(f64::NAN)
}

/// The variance over the whole group, in one pass and without the care taken for ranges.
/// Source: Prometheus 3, `promql/engine.go`, `aggregation`.
fn variance(values: &[f64]) -> f64 {
    let Some((first, others)) = values.split_first() else {
        return f64::NAN;
    };
    let (mut count, mut mean) = (1.0, *first);
    let mut squares = if first.is_finite() { 0.0 } else { f64::NAN };
    for value in others {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// How many samples have each value, which becomes the value of the label.
fn counted(by: &LabelChoice, label: &str, elements: Vec<Element>) -> Vec<Element> {
    let labelled = elements.into_iter().map(|element| Element {
        labels: element.labels.with(label, &printed(element.value)),
        value: element.value,
    });
    let by = match by {
        LabelChoice::These(these) => {
            LabelChoice::These(these.iter().cloned().chain([label.to_owned()]).collect())
        }
        LabelChoice::AllBut(but) => LabelChoice::AllBut(but.clone()),
    };
    one_each(grouped(&by, labelled.collect()), |values| values.len() as f64)
}

/// Without an exponent, and as Go names infinities.
/// Source: Go, `strconv.FormatFloat(value, 'f', -1, 64)`.
fn printed(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        finite => finite.to_string(),
    }
}

//! Operators between samples that match.

use std::collections::{HashMap, HashSet};

use super::operate::{keeps_name, sample_value};
use super::{Element, EvaluationError};
use crate::embedded::series_labels::{METRIC_NAME, SeriesLabels};
use crate::promql::expression::{Cardinality, LabelChoice, Matched};

/// The labels that samples are matched and grouped by. Never the name, unless it is asked for.
pub(super) fn group(choice: &LabelChoice, labels: &SeriesLabels) -> SeriesLabels {
    match choice {
        LabelChoice::These(these) => labels.filter(|name| these.iter().any(|label| label == name)),
        LabelChoice::AllBut(but) => {
            labels.filter(|name| name != METRIC_NAME && !but.iter().any(|label| label == name))
        }
    }
}

/// The side of which many may match one, and the side of the one.
struct Sides {
    many: Vec<Element>,
    one: Vec<Element>,
    /// Where the one stands.
    one_is: &'static str,
}

/// Source: Prometheus 3, `promql/engine.go`, `VectorBinop`.
pub(super) fn matched(
    operation: &Matched,
    left: Vec<Element>,
    right: Vec<Element>,
) -> Result<Vec<Element>, EvaluationError> {
    let sides = match operation.cardinality {
        Cardinality::OneToOne | Cardinality::ManyToOne(_) => Sides {
            many: left,
            one: right,
            one_is: "right",
        },
        Cardinality::OneToMany(_) => Sides {
            many: right,
            one: left,
            one_is: "left",
        },
    };
    let partners = by_group(&operation.on, &sides)?;
    let mut taken = HashSet::new();
    let mut elements = Vec::new();
    for element in &sides.many {
        let group = group(&operation.on, &element.labels);
        let Some(partner) = partners.get(&group) else {
            continue;
        };
        let labels = labels(operation, &element.labels, &partner.labels);
        take(operation, &mut taken, group, &labels)?;
        elements.extend(value(operation, element, partner).map(|value| Element { labels, value }));
    }
    Ok(elements)
}

/// The side of the one by the labels to match on.
fn by_group<'s>(
    on: &LabelChoice,
    sides: &'s Sides,
) -> Result<HashMap<SeriesLabels, &'s Element>, EvaluationError> {
    let mut partners: HashMap<SeriesLabels, &Element> = HashMap::with_capacity(sides.one.len());
    if sides.many.is_empty() {
        return Ok(partners);
    }
    for element in &sides.one {
        let group = group(on, &element.labels);
        if let Some(other) = partners.insert(group.clone(), element) {
            return Err(EvaluationError::ManyToMany {
                side: sides.one_is,
                group: group.to_model(),
                one: other.labels.to_model(),
                other: element.labels.to_model(),
            });
        }
    }
    Ok(partners)
}

/// Refuses a second match where there may be one only, and a second sample with the same labels for one partner.
///
/// A comparison that does not hold counts too, so that an answer does not come and go with the values.
fn take(
    operation: &Matched,
    taken: &mut HashSet<(SeriesLabels, Option<SeriesLabels>)>,
    group: SeriesLabels,
    labels: &SeriesLabels,
) -> Result<(), EvaluationError> {
    match operation.cardinality {
        Cardinality::OneToOne => match taken.insert((group.clone(), None)) {
            true => Ok(()),
            false => Err(EvaluationError::ManyToOne(group.to_model())),
        },
        Cardinality::ManyToOne(_) | Cardinality::OneToMany(_) => {
            match taken.insert((group, Some(labels.clone()))) {
                true => Ok(()),
                false => Err(EvaluationError::NotUnique(labels.to_model())),
            }
        }
    }
}

fn value(operation: &Matched, many: &Element, one: &Element) -> Option<f64> {
    let (left, right) = match operation.cardinality {
        Cardinality::OneToOne | Cardinality::ManyToOne(_) => (many.value, one.value),
        Cardinality::OneToMany(_) => (one.value, many.value),
    };
    sample_value(operation.operator, operation.result, left, right, left)
}

/// Source: Prometheus 3, `promql/engine.go`, `resultMetric`.
fn labels(operation: &Matched, many: &SeriesLabels, one: &SeriesLabels) -> SeriesLabels {
    let many = match keeps_name(operation.operator, operation.result) {
        true => many.clone(),
        false => many.without_metadata(),
    };
    match &operation.cardinality {
        Cardinality::OneToOne => match &operation.on {
            LabelChoice::These(_) => group(&operation.on, &many),
            LabelChoice::AllBut(but) => many.filter(|name| !but.iter().any(|label| label == name)),
        },
        Cardinality::ManyToOne(copied) | Cardinality::OneToMany(copied) => {
            let copy =
                |labels: SeriesLabels, name: &String| labels.with(name, one.get(name).unwrap_or_default());
            copied.iter().fold(many, copy)
        }
    }
}

//! Which sample belongs to which object.

use std::sync::Arc;

use super::catalog::CustomEntry;
use crate::model::{Labels, ObjectNames, Sample};

/// What to do with several samples for one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// The typed form: the answer is an error, because the query does not say which one counts.
    Refuse,
    /// The upstream form: the last in label order, and it is said.
    KeepLast,
}

/// Samples by object, and what could not be used.
#[derive(Debug, Default)]
pub struct Reading<'a> {
    /// Name of each object that has one, and its sample.
    pub samples: Vec<(&'a Arc<str>, &'a Sample)>,
    /// Samples that belong to no object asked for.
    pub dropped: Vec<Dropped>,
    /// Objects with several samples.
    pub repeated: Vec<&'a str>,
}

/// A sample that was not served, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
    /// Why it was not served.
    pub reason: DropReason,
}

/// Why a sample was not served.
///
/// The text may reach whoever asked, so it names nothing of others.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DropReason {
    /// The label that names the object is missing: the query does not group by it.
    #[error("has no label `{0}` that would name the object")]
    NoLabel(String),
    /// Its namespace is not the one asked for.
    #[error("belongs to another namespace")]
    OtherNamespace,
    /// Its object was not asked for.
    #[error("belongs to an object that was not asked for")]
    NotAsked,
    /// A later sample in label order is for the same object.
    #[error("another sample is for the same object")]
    Repeated,
    /// NaN.
    #[error("is not a number, as a ratio or quantile without traffic is")]
    NotANumber,
    /// Below zero, where something is used up.
    #[error("is negative, as no use can be")]
    Negative,
    /// The total of a pod, beside its containers.
    #[error("names no container, and others of this pod do")]
    Total,
    /// An infinity.
    #[error("is infinite")]
    Infinite,
    /// Beyond what a Kubernetes quantity can hold in thousandths.
    #[error("is beyond what a quantity can hold")]
    OutOfRange,
}

impl DropReason {
    /// Whether the sample may be of something that whoever asks may not read.
    pub fn is_of_others(&self) -> bool {
        match self {
            DropReason::NoLabel(_) | DropReason::OtherNamespace | DropReason::NotAsked => true,
            DropReason::Repeated
            | DropReason::NotANumber
            | DropReason::Negative
            | DropReason::Total
            | DropReason::Infinite
            | DropReason::OutOfRange => false,
        }
    }
}

/// Sorts samples by the object their label names.
pub fn associate<'a>(
    entry: &CustomEntry,
    namespace: Option<&str>,
    names: &'a ObjectNames,
    samples: impl IntoIterator<Item = &'a Sample>,
) -> Reading<'a> {
    let mut reading = Reading::default();
    let mut placed: Vec<(usize, &Sample)> = Vec::with_capacity(names.len());
    for sample in samples {
        // They mostly come in the order of the names.
        let next = placed.last().map_or(0, |(place, _)| place + 1);
        let is_next = |name: &str| names.get(next).is_some_and(|next| **next == *name);
        let place = name_of(entry, namespace, sample).and_then(|name| match is_next(name) {
            true => Ok(next),
            false => names.place(name).ok_or(DropReason::NotAsked),
        });
        match place {
            Ok(place) => placed.push((place, sample)),
            Err(reason) => reading.dropped.push(dropped(sample, reason)),
        }
    }
    if !placed.is_sorted_by(|(one, _), (other, _)| one < other) {
        placed.sort_by(|one, other| (one.0, &one.1.labels).cmp(&(other.0, &other.1.labels)));
    }
    reading.samples.reserve(placed.len());
    for (place, sample) in placed {
        let name = &names[place];
        match reading.samples.last_mut() {
            Some((last, earlier)) if Arc::ptr_eq(last, name) => {
                reading.dropped.push(dropped(earlier, DropReason::Repeated));
                reading.repeated.push(name);
                *earlier = sample;
            }
            _ => reading.samples.push((name, sample)),
        }
    }
    reading
        .dropped
        .sort_by(|one, other| one.labels.cmp(&other.labels));
    reading
}

/// The name of the object that a sample is for.
fn name_of<'a>(
    entry: &CustomEntry,
    namespace: Option<&str>,
    sample: &'a Sample,
) -> Result<&'a str, DropReason> {
    let labelled = |label: &String| sample.labels.get(label);
    if let (Some(asked), Some(found)) = (namespace, entry.namespace_label.as_ref().and_then(labelled))
        && asked != found
    {
        return Err(DropReason::OtherNamespace);
    }
    labelled(&entry.label).ok_or_else(|| DropReason::NoLabel(entry.label.clone()))
}

pub(crate) fn dropped(sample: &Sample, reason: DropReason) -> Dropped {
    Dropped {
        labels: sample.labels.clone(),
        value: sample.value,
        reason,
    }
}

//! From a sample to a number that may be served.

use crate::model::{MetricValue, Quantity, Sample, Timestamp};
use crate::rules::{DropReason, Rule};

/// The value of a sample, or why it cannot be served as it is.
pub(super) fn value(rule: &Rule, sample: &Sample) -> Result<MetricValue, DropReason> {
    Ok(MetricValue {
        quantity: quantity(sample)?,
        at: sample.at,
        window: rule.window(),
    })
}

/// What something uses, or why it cannot be served.
pub(super) fn used(sample: &Sample) -> Result<Quantity, DropReason> {
    if sample.value < 0.0 {
        return Err(DropReason::Negative);
    }
    quantity(sample)
}

fn quantity(sample: &Sample) -> Result<Quantity, DropReason> {
    if sample.value.is_nan() {
        return Err(DropReason::NotANumber);
    }
    if sample.value.is_infinite() {
        return Err(DropReason::Infinite);
    }
    Quantity::from_f64(sample.value).ok_or(DropReason::OutOfRange)
}

/// The value that a policy names, as of now.
pub(super) fn constant(rule: &Rule, quantity: Quantity, now: Timestamp) -> MetricValue {
    MetricValue {
        quantity,
        at: now,
        window: rule.window(),
    }
}

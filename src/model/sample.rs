//! One sample of an answer.

use super::{Labels, Timestamp};

/// One value of a series at a time, as the backend gave it.
///
/// `value` may be anything a float can be: NaN and infinities are judged where the sample becomes a metric value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Labels of the series, `__name__` among them if the query kept it.
    pub labels: Labels,
    /// The number, unchanged.
    pub value: f64,
    /// Evaluation time of an instant query.
    pub at: Timestamp,
}

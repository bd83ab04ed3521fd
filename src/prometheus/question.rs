//! What a backend is asked and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::Error;
use super::error::names_an_address;
use super::wire;
use crate::config::OnPartial;
use crate::model::{Sample, Timestamp};

/// An instant question to one backend.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// The query as it is sent.
    pub query: String,
    /// Whether an incomplete answer will do.
    pub on_partial: OnPartial,
}

/// What can be asked an instant question.
pub trait Asked: Clone + Send + Sync + 'static {
    /// Its name in the settings.
    fn name(&self) -> &Arc<str>;

    /// Evaluates a query at a time, within the backend's timeout.
    fn instant(
        &self,
        question: &Question,
        at: Timestamp,
    ) -> impl Future<Output = Result<Answer, Error>> + Send;
}

/// Most that is logged of a query.
const LOGGED_CHARACTERS: usize = 1024;

impl Question {
    /// As much of the query as is logged.
    pub fn logged(&self) -> String {
        self.query.chars().take(LOGGED_CHARACTERS).collect()
    }
}

/// What a backend answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The samples, in the backend's order; one without labels for a scalar.
    pub samples: Vec<Sample>,
    /// Vector or scalar.
    pub shape: Shape,
    /// The time the query was evaluated for.
    pub evaluated_at: Timestamp,
    /// Warnings of the backend.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Whether some of the data could not be read, so that numbers may be too small.
    pub fn is_incomplete(&self) -> bool {
        wire::incomplete(&self.warnings).is_some()
    }

    /// The warnings as the owner of a workload may read them: none that names an address.
    pub fn client_warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings
            .iter()
            .map(|warning| match names_an_address(warning) {
                true => "data is missing",
                false => warning.as_str(),
            })
    }

    /// Bytes that its samples take with the values of their labels; the names are shared.
    pub(crate) fn size_bytes(&self) -> usize {
        let sample = |sample: &Sample| SAMPLE_BYTES + sample.labels.values_bytes();
        self.samples.iter().map(sample).sum()
    }
}

const SAMPLE_BYTES: usize = size_of::<Sample>();

/// Type of an instant answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Samples with labels.
    Vector,
    /// One number without labels.
    Scalar,
}

/// A question about which series there are, for discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Series selector, sent as `match[]`.
    pub selector: String,
    /// Only series with a sample after this.
    pub start: Option<Timestamp>,
    /// Only series with a sample before this.
    pub end: Option<Timestamp>,
    /// Most series wanted. Backends older than Prometheus 2.55 ignore it.
    pub limit: Option<usize>,
    /// Whether an incomplete answer will do.
    pub on_partial: OnPartial,
    /// Time for the whole exchange. Discovery may take longer than a query: the backend's own timeout is not applied.
    pub within: Duration,
}

/// The series found: metric names with the label names that occur with each, `__name__` left out.
///
/// Label values are dropped while the answer is read, so that it stays small whatever the cardinality.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// Metric name → label names.
    pub labels_by_metric: BTreeMap<String, BTreeSet<String>>,
    /// Whether the backend stopped at the limit, so that metrics or labels may be missing.
    pub truncated: bool,
}

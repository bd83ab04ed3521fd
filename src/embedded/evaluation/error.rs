//! Why a query has no result.

use crate::model::Labels;

/// Why a query has no result: the samples do not fit what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// Two samples would have the same labels, mostly because the name of their series is dropped.
    #[error("several samples of the result have the labels {0}")]
    SameLabels(Labels),
    /// Several samples match on the side that may have one.
    #[error(
        "several samples on the {side} match on {group}: {one} and {other}; \
         the labels to match on must be unique on one side"
    )]
    ManyToMany {
        /// `left` or `right`.
        side: &'static str,
        /// The labels that are matched on.
        group: Labels,
        /// One of them.
        one: Labels,
        /// Another.
        other: Labels,
    },
    /// Several samples match one, and the query does not say that they may.
    #[error("several samples on the left match on {0}; many to one needs `group_left` or `group_right`")]
    ManyToOne(Labels),
    /// Several samples match one and cannot be told apart afterwards.
    #[error("several samples that match would have the labels {0}")]
    NotUnique(Labels),
    /// `topk` and `bottomk` of no number of samples.
    #[error("`topk` and `bottomk` take a number of samples, not {0}")]
    NotACount(String),
}

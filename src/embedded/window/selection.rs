//! What a selector finds in the window.

use super::column::{Column, Rows};
use crate::embedded::series_labels::SeriesLabels;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::embedded) struct Point {
    /// Unix milliseconds.
    pub(in crate::embedded) at_ms: i64,
    pub(in crate::embedded) value: f64,
}

/// A series that a selector selects.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedded) struct Selected<'w> {
    pub(in crate::embedded) labels: &'w SeriesLabels,
    column: &'w Column,
    rows: &'w Rows,
}

impl<'w> Selected<'w> {
    pub(super) fn new(column: &'w Column, rows: &'w Rows) -> Selected<'w> {
        Selected {
            labels: &column.labels,
            column,
            rows,
        }
    }

    /// The newest sample up to a time, if it is newer than the other and the series has not ended.
    pub(in crate::embedded) fn last(&self, after_ms: i64, up_to_ms: i64) -> Option<Point> {
        self.column.last(after_ms, up_to_ms, self.rows)
    }

    /// All samples after the one and up to the other time, oldest first.
    pub(in crate::embedded) fn range(&self, after_ms: i64, up_to_ms: i64, into: &mut Vec<Point>) {
        self.column
            .each(after_ms, up_to_ms, self.rows, |point| into.push(point));
    }

    /// Whether there is a sample after the one and up to the other time.
    pub(super) fn has_sample(&self, after_ms: i64, up_to_ms: i64) -> bool {
        let mut has = false;
        self.column.each(after_ms, up_to_ms, self.rows, |_| has = true);
        has
    }
}

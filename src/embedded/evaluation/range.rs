//! The samples of a range, read or computed.

use std::collections::BTreeMap;

use super::{Evaluation, EvaluationError, Point};
use crate::embedded::series_labels::SeriesLabels;
use crate::promql::expression::{Range, Vector};

/// The samples of one series in a range: at least one, oldest first.
pub(super) struct Series {
    pub(super) labels: SeriesLabels,
    pub(super) points: Vec<Point>,
}

/// When a range begins and ends; the beginning itself is not part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

impl Evaluation<'_> {
    /// When a range begins and ends for an evaluation at this time.
    pub(super) fn bounds(&self, range: &Range, at_ms: i64) -> Bounds {
        let end_ms = range.moment().resolve(at_ms, self.query_ms);
        Bounds {
            start_ms: end_ms - range.length_ms(),
            end_ms,
        }
    }

    /// The series that have samples in the range, in order of their labels.
    pub(super) fn range(&self, range: &Range, at_ms: i64) -> Result<Vec<Series>, EvaluationError> {
        let bounds = self.bounds(range, at_ms);
        match range {
            Range::Of { selector, .. } => {
                let series = self.selected[selector.number].iter().map(|selected| {
                    let mut points = Vec::new();
                    selected.range(bounds.start_ms, bounds.end_ms, &mut points);
                    Series {
                        labels: selected.labels.clone(),
                        points,
                    }
                });
                Ok(series.filter(|series| !series.points.is_empty()).collect())
            }
            Range::Sub { vector, step_ms, .. } => self.steps(vector, bounds, step_ms.unwrap_or(self.step_ms)),
        }
    }

    /// Evaluates at each multiple of the step in the bounds, whatever the time of the query.
    /// Source: Prometheus 3, `promql/engine.go`, `subqueryTimeRange`.
    fn steps(&self, vector: &Vector, bounds: Bounds, step_ms: i64) -> Result<Vec<Series>, EvaluationError> {
        let mut series: BTreeMap<SeriesLabels, Vec<Point>> = BTreeMap::new();
        let mut at_ms = (bounds.start_ms.div_euclid(step_ms) + 1) * step_ms;
        while at_ms <= bounds.end_ms {
            for element in self.vector(vector, at_ms)? {
                series.entry(element.labels).or_default().push(Point {
                    at_ms,
                    value: element.value,
                });
            }
            at_ms += step_ms;
        }
        let series = series
            .into_iter()
            .map(|(labels, points)| Series { labels, points });
        Ok(series.collect())
    }
}

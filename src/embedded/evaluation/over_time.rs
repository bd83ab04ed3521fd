//! Functions of the samples of a range.

use super::kahan::{mean, sum, variance};
use super::quantile::quantile;
use super::range::{Bounds, Series};
use super::{Element, Evaluation, EvaluationError, Point, rate, regression, seconds};
use crate::promql::expression::{OverTime, Range, Scalar};

impl Evaluation<'_> {
    pub(super) fn over_time(
        &self,
        function: OverTime,
        range: &Range,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let bounds = self.bounds(range, at_ms);
        let elements = self.range(range, at_ms)?.into_iter().filter_map(|series| {
            let value = value(function, &series.points, bounds)?;
            let labels = match function.keeps_name() {
                true => series.labels,
                false => series.labels.without_metadata(),
            };
            Some(Element { labels, value })
        });
        Ok(elements.collect())
    }

    pub(super) fn quantile_over_time(
        &self,
        q: &Scalar,
        range: &Range,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let q = self.scalar(q, at_ms)?;
        let series = self.range(range, at_ms)?.into_iter();
        Ok(series
            .map(|series| without_name(&series, quantile(q, values(&series.points))))
            .collect())
    }

    /// Ahead of the time of evaluation, not of the end of the range.
    pub(super) fn predict_linear(
        &self,
        ahead: &Scalar,
        range: &Range,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let ahead = self.scalar(ahead, at_ms)?;
        let series = self.range(range, at_ms)?.into_iter();
        let predicted = series.filter_map(|series| {
            let line = regression::line(&series.points, at_ms)?;
            Some(without_name(&series, line.slope * ahead + line.intercept))
        });
        Ok(predicted.collect())
    }
}

fn without_name(series: &Series, value: f64) -> Element {
    Element {
        labels: series.labels.without_metadata(),
        value,
    }
}

/// The value of one series; `None` if it has too few samples.
fn value(function: OverTime, points: &[Point], bounds: Bounds) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let all = || points.iter().map(|point| point.value);
    Some(match function {
        OverTime::Average => mean(all()),
        OverTime::Changes => pairs(points, differs),
        OverTime::Count => points.len() as f64,
        OverTime::Delta => rate::delta(points, bounds)?,
        OverTime::Deriv => regression::line(points, first.at_ms)?.slope,
        OverTime::First => first.value,
        OverTime::Idelta => rate::idelta(points)?,
        OverTime::Increase => rate::increase(points, bounds)?,
        OverTime::Irate => rate::irate(points)?,
        OverTime::Last => last.value,
        OverTime::Maximum => extreme(points, |value, so_far| value > so_far)?.value,
        OverTime::MedianDeviation => median_deviation(points),
        OverTime::Minimum => extreme(points, |value, so_far| value < so_far)?.value,
        OverTime::Present => 1.0,
        OverTime::Rate => rate::rate(points, bounds)?,
        OverTime::Resets => pairs(points, |before, after| after < before),
        OverTime::StandardDeviation => variance(all()).sqrt(),
        OverTime::Sum => sum(all()),
        OverTime::TimeOfFirst => seconds(first.at_ms),
        OverTime::TimeOfLast => seconds(last.at_ms),
        OverTime::TimeOfMaximum => seconds(extreme(points, |value, so_far| value >= so_far)?.at_ms),
        OverTime::TimeOfMinimum => seconds(extreme(points, |value, so_far| value <= so_far)?.at_ms),
        OverTime::Variance => variance(all()),
    })
}

fn values(points: &[Point]) -> Vec<f64> {
    points.iter().map(|point| point.value).collect()
}

/// How many neighbours are so.
fn pairs(points: &[Point], is_so: impl Fn(f64, f64) -> bool) -> f64 {
    let pairs = points.windows(2);
    pairs.filter(|pair| is_so(pair[0].value, pair[1].value)).count() as f64
}

/// From not-a-number to not-a-number is no change.
fn differs(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

/// The sample that beats all before it; anything beats what is not a number.
/// Source: Prometheus 3, `promql/functions.go`, `compareOverTime`.
fn extreme(points: &[Point], beats: impl Fn(f64, f64) -> bool) -> Option<Point> {
    points.iter().copied().reduce(|so_far, point| {
        match beats(point.value, so_far.value) || so_far.value.is_nan() {
            true => point,
            false => so_far,
        }
    })
}

/// Source: Prometheus 3, `promql/functions.go`, `funcMadOverTime`.
fn median_deviation(points: &[Point]) -> f64 {
    if points.iter().any(|point| point.value.is_nan()) {
        return f64::NAN;
    }
    let median = quantile(0.5, values(points));
    quantile(
        0.5,
        points.iter().map(|point| (point.value - median).abs()).collect(),
    )
}

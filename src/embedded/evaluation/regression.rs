//! The straight line that fits samples best.

use super::Point;
use super::kahan::Sum;

/// A straight line through samples.
pub(super) struct Line {
    /// Growth per second.
    pub(super) slope: f64,
    /// Value at the time that was asked for.
    pub(super) intercept: f64,
}

/// The line with the least squares, and its value at a time; `None` for fewer than two samples.
///
/// Where all values are equal it is level, whatever rounding would say.
/// Source: Prometheus 3, `promql/functions.go`, `linearRegression`.
pub(super) fn line(points: &[Point], intercept_ms: i64) -> Option<Line> {
    let [first, _, ..] = points else {
        return None;
    };
    if points.iter().skip(1).all(|point| point.value == first.value) {
        return Some(level(first.value));
    }
    let (mut sum_x, mut sum_y, mut sum_xy, mut sum_xx) =
        (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for point in points {
        let x = (point.at_ms - intercept_ms) as f64 / 1000.0;
        sum_x = sum_x.add(x);
        sum_y = sum_y.add(point.value);
        sum_xy = sum_xy.add(x * point.value);
        sum_xx = sum_xx.add(x * x);
    }
    let count = points.len() as f64;
    let [x, y, xy, xx] = [sum_x, sum_y, sum_xy, sum_xx].map(|sum| sum.sum + sum.lost);
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    Some(Line {
        slope,
        intercept: y / count - slope * x / count,
    })
}

fn level(value: f64) -> Line {
    match value.is_infinite() {
        true => Line {
            slope: f64::NAN,
            intercept: f64::NAN,
        },
        false => Line {
            slope: 0.0,
            intercept: value,
        },
    }
}

//! How fast a value grows.

use super::Point;
use super::range::Bounds;

/// The growth of a counter per second.
pub(super) fn rate(points: &[Point], bounds: Bounds) -> Option<f64> {
    extrapolated(points, bounds, Kind::Counter, Per::Second)
}

/// The growth of a counter over the range.
pub(super) fn increase(points: &[Point], bounds: Bounds) -> Option<f64> {
    extrapolated(points, bounds, Kind::Counter, Per::Range)
}

/// The difference of a gauge over the range.
pub(super) fn delta(points: &[Point], bounds: Bounds) -> Option<f64> {
    extrapolated(points, bounds, Kind::Gauge, Per::Range)
}

/// The growth of a counter per second, by its last two samples.
pub(super) fn irate(points: &[Point]) -> Option<f64> {
    let [.., before, last] = points else {
        return None;
    };
    // After a reset it grew from zero.
    let growth = match last.value < before.value {
        true => last.value,
        false => last.value - before.value,
    };
    Some(growth / seconds_between(before.at_ms, last.at_ms))
}

/// The difference of the last two samples.
pub(super) fn idelta(points: &[Point]) -> Option<f64> {
    match points {
        [.., before, last] => Some(last.value - before.value),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Per {
    Second,
    Range,
}

/// The growth between the first and the last sample, stretched to the range.
///
/// A sample is expected about as often as the others came. Where the first is nearer to the start than that, the
/// series is taken to cover the start, else to begin half an interval before its first sample; the end likewise. A
/// counter is not stretched back beyond where it would be zero.
/// Source: Prometheus 3, `promql/functions.go`, `extrapolatedRate`.
fn extrapolated(points: &[Point], bounds: Bounds, kind: Kind, per: Per) -> Option<f64> {
    let [first, .., last] = points else {
        return None;
    };
    let growth = match kind {
        Kind::Counter => with_resets(last.value - first.value, points),
        Kind::Gauge => last.value - first.value,
    };
    let sampled = seconds_between(first.at_ms, last.at_ms);
    let interval = sampled / (points.len() - 1) as f64;
    let missing = |gap: f64| {
        if gap >= interval * 1.1 {
            interval / 2.0
        } else {
            gap
        }
    };

    let mut before = missing(seconds_between(bounds.start_ms, first.at_ms));
    if kind == Kind::Counter && growth > 0.0 && first.value >= 0.0 {
        let since_zero = sampled * (first.value / growth);
        if since_zero < before {
            before = since_zero;
        }
    }
    let after = missing(seconds_between(last.at_ms, bounds.end_ms));

    let factor = (sampled + before + after) / sampled;
    Some(match per {
        Per::Second => growth * (factor / seconds_between(bounds.start_ms, bounds.end_ms)),
        Per::Range => growth * factor,
    })
}

/// The growth with what a counter had reached each time it began anew, added in the order of Prometheus: beside a very
/// large value another order gives another result.
fn with_resets(growth: f64, points: &[Point]) -> f64 {
    let resets = points.windows(2).filter(|pair| pair[1].value < pair[0].value);
    resets.fold(growth, |growth, pair| growth + pair[0].value)
}

fn seconds_between(start_ms: i64, end_ms: i64) -> f64 {
    (end_ms - start_ms) as f64 / 1000.0
}

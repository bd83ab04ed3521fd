//! Quantiles of classic histograms.

use std::collections::HashMap;

use super::Element;
use crate::embedded::series_labels::SeriesLabels;

/// The label of a bucket's upper bound.
const BOUND: &str = "le";

/// Counts that differ by less than this part of themselves differ by rounding only.
const TOLERANCE: f64 = 1e-12;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    upper_bound: f64,
    count: f64,
}

/// The `q` quantile of each histogram; a series whose `le` is not a number is none of its buckets.
/// Source: Prometheus 3, `promql/functions.go`, `funcHistogramQuantile`.
pub(super) fn quantile(q: f64, elements: &[Element]) -> Vec<Element> {
    let mut positions: HashMap<SeriesLabels, usize> = HashMap::new();
    let mut histograms: Vec<(SeriesLabels, Vec<Bucket>)> = Vec::new();
    for element in elements {
        let Some(upper_bound) = element.labels.get(BOUND).and_then(|bound| bound.parse().ok()) else {
            continue;
        };
        let labels = element.labels.filter(|name| name != BOUND);
        let at = *positions.entry(labels.clone()).or_insert(histograms.len());
        if at == histograms.len() {
            histograms.push((labels, Vec::new()));
        }
        histograms[at].1.push(Bucket {
            upper_bound,
            count: element.value,
        });
    }
    let quantiles = histograms.into_iter().map(|(labels, buckets)| Element {
        labels: labels.without_metadata(),
        value: of_buckets(q, buckets),
    });
    quantiles.collect()
}

/// The quantile, as if observations were spread evenly in their bucket.
///
/// The first bucket begins at 0 if its bound is above that. In the last, whose bound is infinite, nothing can be
/// said but the bound before.
/// Source: Prometheus 3, `promql/quantile.go`, `BucketQuantile`.
fn of_buckets(q: f64, mut buckets: Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|one, other| one.upper_bound.total_cmp(&other.upper_bound));
    if buckets
        .last()
        .is_none_or(|last| last.upper_bound != f64::INFINITY)
    {
        return f64::NAN;
    }
    let mut buckets = merged(buckets);
    make_monotonic(&mut buckets);
    let last = buckets.len() - 1;
    let observations = buckets[last].count;
    if last == 0 || observations == 0.0 {
        return f64::NAN;
    }
    let rank = q * observations;
    interpolated(&buckets, rank)
}

fn interpolated(buckets: &[Bucket], rank: f64) -> f64 {
    let last = buckets.len() - 1;
    // The count may be not a number, which the search of Prometheus takes for too small.
    let at = buckets[..last].partition_point(|bucket| !matches_rank(bucket, rank));
    if at == last {
        return buckets[last - 1].upper_bound;
    }
    let Bucket { upper_bound, count } = buckets[at];
    if at == 0 {
        return match upper_bound <= 0.0 {
            true => upper_bound,
            false => upper_bound * (rank / count),
        };
    }
    let before = buckets[at - 1];
    let share = (rank - before.count) / (count - before.count);
    before.upper_bound + (upper_bound - before.upper_bound) * share
}

fn matches_rank(bucket: &Bucket, rank: f64) -> bool {
    bucket.count >= rank
}

/// Buckets with equal bounds, which `1` and `1.0` are, are one.
fn merged(buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut merged: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match merged
            .last_mut()
            .filter(|last| last.upper_bound == bucket.upper_bound)
        {
            Some(last) => last.count += bucket.count,
            None => merged.push(bucket),
        }
    }
    merged
}

/// Counts are made to grow: buckets are not scraped at the same moment, and rates of them are rounded.
/// Source: Prometheus 3, `promql/quantile.go`, `ensureMonotonicAndIgnoreSmallDeltas`.
fn make_monotonic(buckets: &mut [Bucket]) {
    let Some(first) = buckets.first() else {
        return;
    };
    let mut so_far = first.count;
    for bucket in &mut buckets[1..] {
        if bucket.count < so_far || nearly_equal(bucket.count, so_far) {
            bucket.count = so_far;
        } else {
            so_far = bucket.count;
        }
    }
}

/// Source: Prometheus 3, `util/almost`, `Equal`.
fn nearly_equal(one: f64, other: f64) -> bool {
    if one == other || one.is_nan() && other.is_nan() {
        return true;
    }
    let sum = one.abs() + other.abs();
    let difference = (one - other).abs();
    if one == 0.0 || other == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

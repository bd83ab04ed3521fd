//! The quantile of some values.

/// The `q` quantile, between the two values that are nearest; ±∞ for a `q` outside 0 to 1.
/// Source: Prometheus 3, `promql/quantile.go`, `quantile`.
pub(super) fn quantile(q: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    // What is not a number is less than all that is.
    values.sort_by(|one, other| {
        let by_value = one.partial_cmp(other);
        by_value.unwrap_or_else(|| other.is_nan().cmp(&one.is_nan()))
    });
    let last = values.len() - 1;
    let rank = q * last as f64;
    let below = (rank.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let weight = rank - rank.floor();
    values[below] * (1.0 - weight) + values[above] * weight
}

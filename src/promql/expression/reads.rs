//! What a query reads: which series, and how far back.

use std::time::Duration;

use super::functions::Aggregator;
use super::selector::{At, Moment};
use super::{Each, Expression, Range, Scalar, Selector, Vector};

/// Series that a query reads, and how old the oldest sample is that can count.
#[derive(Clone, Debug)]
pub struct Read {
    /// Which series.
    pub selector: Selector,
    /// How long before the time of evaluation, the look-back or the range with all offsets and enclosing subqueries.
    pub back: Duration,
}

impl Expression {
    /// One for each selector, in the order of their numbers.
    ///
    /// `lookback` is how old the newest sample of a series may be to count as its value.
    pub fn reads(&self, lookback: Duration) -> Vec<Read> {
        let mut reads = Vec::new();
        let lookback_ms = i64::try_from(lookback.as_millis()).unwrap_or(i64::MAX);
        self.each_selector(&mut |selector, length_ms, base_ms| {
            let back_ms = base_ms
                .saturating_add(selector.moment.offset_ms)
                .saturating_add(length_ms.unwrap_or(lookback_ms));
            reads.push(Read {
                selector: selector.clone(),
                back: Duration::from_millis(u64::try_from(back_ms).unwrap_or(0)),
            });
        });
        reads.sort_by_key(|read| read.selector.number);
        reads
    }

    /// Every selector in it, in the order of their numbers.
    pub fn selectors(&self) -> Vec<&Selector> {
        let mut selectors = Vec::new();
        self.each_selector(&mut |selector, _, _| selectors.push(selector));
        selectors.sort_by_key(|selector| selector.number);
        selectors
    }

    fn each_selector<'e>(&'e self, see: &mut impl FnMut(&'e Selector, Option<i64>, i64)) {
        match self {
            Expression::Scalar(scalar) => in_scalar(scalar, 0, see),
            Expression::Vector(vector) => in_vector(vector, 0, see),
        }
    }
}

/// Calls `see` with each selector, the length of its range, and how long before the query it can be evaluated.
fn in_vector<'e>(vector: &'e Vector, base_ms: i64, see: &mut impl FnMut(&'e Selector, Option<i64>, i64)) {
    match vector {
        Vector::Instant(selector) => see(selector, None, base_of(&selector.moment, base_ms)),
        Vector::Constant(scalar) => in_scalar(scalar, base_ms, see),
        Vector::Negative(inner) | Vector::Absent(_, inner) | Vector::Sorted(_, inner) => {
            in_vector(inner, base_ms, see);
        }
        Vector::Each(function, inner) => {
            in_each(function, base_ms, see);
            in_vector(inner, base_ms, see);
        }
        Vector::OverTime(_, range) | Vector::AbsentOverTime(_, range) => in_range(range, base_ms, see),
        Vector::QuantileOverTime(scalar, range) | Vector::PredictLinear(scalar, range) => {
            in_scalar(scalar, base_ms, see);
            in_range(range, base_ms, see);
        }
        Vector::HistogramQuantile(scalar, inner) => {
            in_scalar(scalar, base_ms, see);
            in_vector(inner, base_ms, see);
        }
        Vector::LabelReplace(call) => in_vector(&call.vector, base_ms, see),
        Vector::LabelJoin(call) => in_vector(&call.vector, base_ms, see),
        Vector::Aggregate(aggregate) => {
            if let Aggregator::Choose(_, scalar) | Aggregator::Quantile(scalar) = &aggregate.aggregator {
                in_scalar(scalar, base_ms, see);
            }
            in_vector(&aggregate.vector, base_ms, see);
        }
        Vector::WithScalar(operation) => {
            in_scalar(&operation.scalar, base_ms, see);
            in_vector(&operation.vector, base_ms, see);
        }
        Vector::Matched(operation) => {
            in_vector(&operation.left, base_ms, see);
            in_vector(&operation.right, base_ms, see);
        }
        Vector::Combined(operation) => {
            in_vector(&operation.left, base_ms, see);
            in_vector(&operation.right, base_ms, see);
        }
    }
}

fn in_scalar<'e>(scalar: &'e Scalar, base_ms: i64, see: &mut impl FnMut(&'e Selector, Option<i64>, i64)) {
    match scalar {
        Scalar::Number(_) | Scalar::Time => {}
        Scalar::Only(vector) => in_vector(vector, base_ms, see),
        Scalar::Negative(inner) => in_scalar(inner, base_ms, see),
        Scalar::Binary(_, left, right) => {
            in_scalar(left, base_ms, see);
            in_scalar(right, base_ms, see);
        }
    }
}

fn in_each<'e>(function: &'e Each, base_ms: i64, see: &mut impl FnMut(&'e Selector, Option<i64>, i64)) {
    match function {
        Each::Math(_) | Each::Date(_) | Each::Timestamp => {}
        Each::Round(multiple) => in_scalar(multiple, base_ms, see),
        Each::Clamp(least, most) => {
            in_scalar(least, base_ms, see);
            in_scalar(most, base_ms, see);
        }
    }
}

fn in_range<'e>(range: &'e Range, base_ms: i64, see: &mut impl FnMut(&'e Selector, Option<i64>, i64)) {
    match range {
        Range::Of { selector, length_ms } => {
            see(selector, Some(*length_ms), base_of(&selector.moment, base_ms));
        }
        Range::Sub {
            vector,
            length_ms,
            moment,
            ..
        } => {
            let end_ms = base_of(moment, base_ms).saturating_add(moment.offset_ms);
            in_vector(vector, end_ms.saturating_add(*length_ms), see);
        }
    }
}

/// `@ start()` and `@ end()` are counted from the query, wherever they stand.
fn base_of(moment: &Moment, base_ms: i64) -> i64 {
    match moment.at {
        At::Evaluation => base_ms,
        At::Query => 0,
    }
}

//! One query at one moment, over the samples of a window.
//!
//! Values and labels are those that Prometheus 3 gives, down to how sums are rounded; its source is named where a
//! rule comes from there. Names of series are dropped at once, as Prometheus does by default
//! (`promql-delayed-name-removal` is off).

mod aggregate;
mod choose;
mod combine;
mod dates;
mod each;
mod error;
mod histogram;
mod kahan;
mod labelling;
mod matching;
mod operate;
mod over_time;
mod quantile;
mod range;
mod rate;
mod regression;

pub use error::EvaluationError;

use std::time::Duration;

use super::series_labels::SeriesLabels;
use super::window::{Point, Selected, Window};
use crate::model::{Labels, Sample, Timestamp};
use crate::promql::Expression;
use crate::promql::expression::{Order, Scalar, Selector, Vector};

/// How queries are evaluated, where they do not say it themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How old the newest sample of a series may be to count as its value.
    pub lookback: Duration,
    /// From one evaluation of a subquery to the next.
    pub step: Duration,
}

/// As Prometheus has them: `--query.lookback-delta=5m` and `evaluation_interval: 1m`.
impl Default for Options {
    fn default() -> Self {
        Options {
            lookback: Duration::from_secs(5 * 60),
            step: Duration::from_secs(60),
        }
    }
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// A number.
    Scalar(f64),
    /// Samples, in the order that `sort` gave them or in none that means anything.
    Vector(Vec<Sample>),
}

/// Evaluates a query at a time.
pub fn evaluate(
    expression: &Expression,
    window: &Window,
    at: Timestamp,
    options: Options,
) -> Result<Evaluated, EvaluationError> {
    let at_ms = at.as_millisecond();
    let selectors = expression.selectors();
    let evaluation = Evaluation {
        selected: selectors
            .into_iter()
            .map(|selector| window.select(selector))
            .collect(),
        query_ms: at_ms,
        lookback_ms: whole_milliseconds(options.lookback),
        step_ms: whole_milliseconds(options.step).max(1),
    };
    Ok(match expression {
        Expression::Scalar(scalar) => Evaluated::Scalar(evaluation.scalar(scalar, at_ms)?),
        Expression::Vector(vector) => {
            let elements = evaluation.vector(vector, at_ms)?;
            let sample = |element: Element| Sample {
                labels: element.labels.to_model(),
                value: element.value,
                at,
            };
            Evaluated::Vector(elements.into_iter().map(sample).collect())
        }
    })
}

fn whole_milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// One sample on the way to the result.
#[derive(Clone, Debug)]
struct Element {
    labels: SeriesLabels,
    value: f64,
}

/// A query being evaluated; what its selectors select is looked up once, however many steps there are.
struct Evaluation<'w> {
    /// By the number of the selector.
    selected: Vec<Vec<Selected<'w>>>,
    query_ms: i64,
    lookback_ms: i64,
    step_ms: i64,
}

impl Evaluation<'_> {
    fn scalar(&self, scalar: &Scalar, at_ms: i64) -> Result<f64, EvaluationError> {
        Ok(match scalar {
            Scalar::Number(number) => *number,
            Scalar::Time => seconds(at_ms),
            Scalar::Only(vector) => match self.vector(vector, at_ms)?.as_slice() {
                [only] => only.value,
                _ => f64::NAN,
            },
            Scalar::Negative(inner) => -self.scalar(inner, at_ms)?,
            Scalar::Binary(operator, left, right) => {
                operate::value(*operator, self.scalar(left, at_ms)?, self.scalar(right, at_ms)?)
            }
        })
    }

    fn vector(&self, vector: &Vector, at_ms: i64) -> Result<Vec<Element>, EvaluationError> {
        match vector {
            Vector::Instant(selector) => Ok(self.instant(selector, at_ms, |point| point.value)),
            Vector::Constant(scalar) => Ok(vec![Element {
                labels: SeriesLabels::none(),
                value: self.scalar(scalar, at_ms)?,
            }]),
            Vector::Negative(inner) => distinct(each::map(self.vector(inner, at_ms)?, |value| -value)),
            Vector::Each(function, inner) => distinct(self.each(function, inner, at_ms)?),
            Vector::OverTime(function, range) => distinct(self.over_time(*function, range, at_ms)?),
            Vector::QuantileOverTime(q, range) => distinct(self.quantile_over_time(q, range, at_ms)?),
            Vector::PredictLinear(ahead, range) => distinct(self.predict_linear(ahead, range, at_ms)?),
            Vector::Absent(labels, inner) => Ok(absent(labels, self.vector(inner, at_ms)?.is_empty())),
            Vector::AbsentOverTime(labels, range) => Ok(absent(labels, self.range(range, at_ms)?.is_empty())),
            Vector::Sorted(order, inner) => Ok(sorted(*order, self.vector(inner, at_ms)?)),
            Vector::HistogramQuantile(q, inner) => {
                let q = self.scalar(q, at_ms)?;
                distinct(histogram::quantile(q, &self.vector(inner, at_ms)?))
            }
            Vector::LabelReplace(call) => {
                distinct(labelling::replace(call, self.vector(&call.vector, at_ms)?))
            }
            Vector::LabelJoin(call) => distinct(labelling::join(call, self.vector(&call.vector, at_ms)?)),
            Vector::Aggregate(aggregate) => self.aggregate(aggregate, at_ms),
            Vector::WithScalar(operation) => distinct(self.with_scalar(operation, at_ms)?),
            Vector::Matched(operation) => {
                let left = self.vector(&operation.left, at_ms)?;
                let right = self.vector(&operation.right, at_ms)?;
                distinct(matching::matched(operation, left, right)?)
            }
            Vector::Combined(operation) => {
                let left = self.vector(&operation.left, at_ms)?;
                let right = self.vector(&operation.right, at_ms)?;
                distinct(combine::combined(operation, left, right))
            }
        }
    }

    /// The newest sample of each series that is not too old.
    ///
    /// A sample just as old as the look-back is too old.
    /// Source: Prometheus 3, `promql/engine.go`, `vectorSelectorSingle`.
    fn instant(&self, selector: &Selector, at_ms: i64, read: impl Fn(Point) -> f64) -> Vec<Element> {
        let at_ms = selector.moment.resolve(at_ms, self.query_ms);
        let newest = self.selected[selector.number].iter().filter_map(|series| {
            let point = series.last(at_ms - self.lookback_ms, at_ms)?;
            Some(Element {
                labels: series.labels.clone(),
                value: read(point),
            })
        });
        newest.collect()
    }
}

fn seconds(at_ms: i64) -> f64 {
    at_ms as f64 / 1000.0
}

fn absent(labels: &Labels, is_absent: bool) -> Vec<Element> {
    let element = Element {
        labels: labels.into(),
        value: 1.0,
    };
    is_absent.then_some(element).into_iter().collect()
}

/// What is not a number comes last, either way.
/// Source: Prometheus 3, `promql/functions.go`, `funcSort` and `funcSortDesc`.
fn sorted(order: Order, mut elements: Vec<Element>) -> Vec<Element> {
    elements.sort_by(|one, other| {
        let by_value = match order {
            Order::Ascending => one.value.partial_cmp(&other.value),
            Order::Descending => other.value.partial_cmp(&one.value),
        };
        by_value.unwrap_or_else(|| one.value.is_nan().cmp(&other.value.is_nan()))
    });
    elements
}

/// The elements, unless two have the same labels.
/// Source: Prometheus 3, `promql/engine.go`, `rangeEval`.
fn distinct(elements: Vec<Element>) -> Result<Vec<Element>, EvaluationError> {
    let mut seen = std::collections::HashSet::with_capacity(elements.len());
    match elements.iter().find(|element| !seen.insert(&element.labels)) {
        Some(double) => Err(EvaluationError::SameLabels(double.labels.to_model())),
        None => Ok(elements),
    }
}

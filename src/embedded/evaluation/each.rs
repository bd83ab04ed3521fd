//! Functions of one sample.

use super::dates::date_part;
use super::{Element, Evaluation, EvaluationError, seconds};
use crate::promql::expression::{Each, Math, Vector};

impl Evaluation<'_> {
    pub(super) fn each(
        &self,
        function: &Each,
        inner: &Vector,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let elements = || self.vector(inner, at_ms);
        Ok(match function {
            Each::Math(function) => map(elements()?, math(*function)),
            Each::Date(part) => map(elements()?, |value| date_part(*part, value)),
            Each::Round(multiple) => {
                // Prometheus divides by the inverse, which gives other last digits.
                let inverse = 1.0 / self.scalar(multiple, at_ms)?;
                map(elements()?, |value| (value * inverse + 0.5).floor() / inverse)
            }
            Each::Clamp(least, most) => {
                let (least, most) = (self.scalar(least, at_ms)?, self.scalar(most, at_ms)?);
                if most < least {
                    return Ok(Vec::new());
                }
                map(elements()?, |value| maximum(least, minimum(most, value)))
            }
            Each::Timestamp => map(self.times(inner, at_ms)?, |time| time),
        })
    }

    /// The samples with their times as values; a sample that was computed has the time of evaluation.
    fn times(&self, inner: &Vector, at_ms: i64) -> Result<Vec<Element>, EvaluationError> {
        if let Vector::Instant(selector) = inner {
            return Ok(self.instant(selector, at_ms, |point| seconds(point.at_ms)));
        }
        let mut elements = self.vector(inner, at_ms)?;
        for element in &mut elements {
            element.value = seconds(at_ms);
        }
        Ok(elements)
    }
}

/// Another value for each, which is then no longer what the name of the series says.
pub(super) fn map(elements: Vec<Element>, function: impl Fn(f64) -> f64) -> Vec<Element> {
    let mapped = elements.into_iter().map(|element| Element {
        labels: element.labels.without_metadata(),
        value: function(element.value),
    });
    mapped.collect()
}

fn math(function: Math) -> fn(f64) -> f64 {
    match function {
        Math::Abs => f64::abs,
        Math::Acos => f64::acos,
        Math::Acosh => f64::acosh,
        Math::Asin => f64::asin,
        Math::Asinh => f64::asinh,
        Math::Atan => f64::atan,
        Math::Atanh => f64::atanh,
        Math::Ceil => f64::ceil,
        Math::Cos => f64::cos,
        Math::Cosh => f64::cosh,
        Math::Degrees => |value| value * 180.0 / std::f64::consts::PI,
        Math::Exp => f64::exp,
        Math::Floor => f64::floor,
        Math::Ln => f64::ln,
        Math::Log10 => f64::log10,
        Math::Log2 => f64::log2,
        Math::Radians => |value| value * std::f64::consts::PI / 180.0,
        Math::Sign => sign,
        Math::Sin => f64::sin,
        Math::Sinh => f64::sinh,
        Math::Sqrt => f64::sqrt,
        Math::Tan => f64::tan,
        Math::Tanh => f64::tanh,
    }
}

/// Zero and what is not a number stay as they are.
fn sign(value: f64) -> f64 {
    match value {
        negative if negative < 0.0 => -1.0,
        positive if positive > 0.0 => 1.0,
        other => other,
    }
}

/// As Go has it: an infinity that decides the result does so against not-a-number too, else that wins.
/// Source: Go, `math.Max`.
fn maximum(one: f64, other: f64) -> f64 {
    if one == f64::INFINITY || other == f64::INFINITY {
        f64::INFINITY
    } else if one.is_nan() || other.is_nan() {
        f64::NAN
    } else {
        one.max(other)
    }
}

/// As [`maximum`].
fn minimum(one: f64, other: f64) -> f64 {
    -maximum(-one, -other)
}

//! Operators between two numbers, and between samples and a number.

use super::{Element, Evaluation, EvaluationError};
use crate::promql::expression::{ComparisonResult, Left, Operator, WithScalar};

impl Evaluation<'_> {
    /// A comparison keeps the sample, whichever side it stands on.
    /// Source: Prometheus 3, `promql/engine.go`, `VectorscalarBinop`.
    pub(super) fn with_scalar(
        &self,
        operation: &WithScalar,
        at_ms: i64,
    ) -> Result<Vec<Element>, EvaluationError> {
        let scalar = self.scalar(&operation.scalar, at_ms)?;
        let vector = self.vector(&operation.vector, at_ms)?;
        let elements = vector.into_iter().filter_map(|element| {
            let (left, right) = match operation.left {
                Left::Vector => (element.value, scalar),
                Left::Scalar => (scalar, element.value),
            };
            let value = sample_value(operation.operator, operation.result, left, right, element.value)?;
            Some(Element {
                labels: match keeps_name(operation.operator, operation.result) {
                    true => element.labels,
                    false => element.labels.without_metadata(),
                },
                value,
            })
        });
        Ok(elements.collect())
    }
}

/// Whether the result is still what the name of the series says: only if it is one of the samples.
pub(super) fn keeps_name(operator: Operator, result: ComparisonResult) -> bool {
    operator.is_comparison() && result == ComparisonResult::Kept
}

/// The value of a sample that an operator gives; `None` if a comparison does not hold. What it keeps is `kept`.
pub(super) fn sample_value(
    operator: Operator,
    result: ComparisonResult,
    left: f64,
    right: f64,
    kept: f64,
) -> Option<f64> {
    let computed = value(operator, left, right);
    match (operator.is_comparison(), result) {
        (true, ComparisonResult::Kept) => (computed != 0.0).then_some(kept),
        (true, ComparisonResult::Bool) | (false, _) => Some(computed),
    }
}

/// The number that an operator makes of two; a comparison makes 1 or 0.
pub(super) fn value(operator: Operator, left: f64, right: f64) -> f64 {
    let truth = |holds: bool| f64::from(u8::from(holds));
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Modulo => left % right,
        Operator::Power => left.powf(right),
        Operator::Atan2 => left.atan2(right),
        Operator::Equal => truth(left == right),
        Operator::NotEqual => truth(left != right),
        Operator::Greater => truth(left > right),
        Operator::Less => truth(left < right),
        Operator::GreaterOrEqual => truth(left >= right),
        Operator::LessOrEqual => truth(left <= right),
    }
}

//! From the parser's tree to what is computed.

use promql_parser::label::Labels as Names;
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier, SubqueryExpr};

use super::functions::{Parameter, aggregator};
use super::selector::{milliseconds, moment};
use super::{
    Aggregate, Expression, ExpressionError, LabelChoice, Range, Scalar, Selector, Unsupported, Vector,
};
use crate::promql::query;

impl Expression {
    /// Reads a query, and refuses what the embedded backend does not compute.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Reader::new().expression(&query::parse_tree(text)?)
    }
}

/// How often a part of a query is evaluated at most, with all subqueries that it stands in.
///
/// `x[1y:1s]` would keep a processor busy for minutes. Prometheus allows as many steps in a range query.
const MAX_EVALUATIONS: i64 = 11_000;

/// The step of a subquery that has none, to count its steps.
const USUAL_STEP_MS: i64 = 60_000;

/// Reads one query, and counts its selectors on the way.
pub(super) struct Reader {
    selectors: usize,
    /// How often what is read now is evaluated.
    evaluations: i64,
}

impl Reader {
    fn new() -> Reader {
        Reader {
            selectors: 0,
            evaluations: 1,
        }
    }

    fn expression(&mut self, expr: &Expr) -> Result<Expression, ExpressionError> {
        match expr.value_type() {
            ValueType::Scalar => self.scalar(expr).map(Expression::Scalar),
            ValueType::Vector => self.vector(expr).map(Expression::Vector),
            ValueType::Matrix => Err(Unsupported::NotAnAnswer(expr.to_string(), "range of samples").into()),
            ValueType::String => Err(Unsupported::NotAnAnswer(expr.to_string(), "string").into()),
        }
    }

    pub(super) fn scalar(&mut self, expr: &Expr) -> Result<Scalar, ExpressionError> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Scalar::Number(number.val)),
            Expr::Paren(paren) => self.scalar(&paren.expr),
            Expr::Unary(unary) => Ok(Scalar::Negative(Box::new(self.scalar(&unary.expr)?))),
            Expr::Binary(binary) => self.scalar_binary(binary),
            Expr::Call(call) => self.scalar_call(call),
            Expr::Extension(extension) => {
                Err(Unsupported::Extension(extension.expr.name().to_owned()).into())
            }
            Expr::Aggregate(_)
            | Expr::Subquery(_)
            | Expr::StringLiteral(_)
            | Expr::VectorSelector(_)
            | Expr::MatrixSelector(_) => Err(invalid(expr, "must be a number")),
        }
    }

    pub(super) fn vector(&mut self, expr: &Expr) -> Result<Vector, ExpressionError> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector).map(Vector::Instant),
            Expr::Paren(paren) => self.vector(&paren.expr),
            Expr::Unary(unary) => Ok(Vector::Negative(Box::new(self.vector(&unary.expr)?))),
            Expr::Binary(binary) => self.vector_binary(binary),
            Expr::Call(call) => self.vector_call(call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Extension(extension) => {
                Err(Unsupported::Extension(extension.expr.name().to_owned()).into())
            }
            Expr::Subquery(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::MatrixSelector(_) => {
                Err(invalid(expr, "must be samples with labels"))
            }
        }
    }

    pub(super) fn range(&mut self, expr: &Expr) -> Result<Range, ExpressionError> {
        match expr {
            Expr::MatrixSelector(matrix) => Ok(Range::Of {
                selector: self.selector(&matrix.vs)?,
                length_ms: milliseconds(matrix.range)?,
            }),
            Expr::Subquery(subquery) => self.subquery(subquery),
            Expr::Paren(paren) => self.range(&paren.expr),
            _ => Err(invalid(expr, "must be a range of samples, such as `x[5m]`")),
        }
    }

    pub(super) fn text(expr: &Expr) -> Result<String, ExpressionError> {
        match expr {
            Expr::StringLiteral(literal) => Ok(literal.val.clone()),
            Expr::Paren(paren) => Self::text(&paren.expr),
            _ => Err(invalid(expr, "must be a string")),
        }
    }

    fn selector(
        &mut self,
        selector: &promql_parser::parser::VectorSelector,
    ) -> Result<Selector, ExpressionError> {
        let number = self.selectors;
        self.selectors += 1;
        Selector::read(selector, number)
    }

    fn subquery(&mut self, subquery: &SubqueryExpr) -> Result<Range, ExpressionError> {
        let whole = || Expr::Subquery(subquery.clone());
        let step_ms = subquery.step.map(milliseconds).transpose()?;
        let length_ms = milliseconds(subquery.range)?;
        if step_ms == Some(0) {
            return Err(invalid(&whole(), "the step is shorter than a millisecond"));
        }
        let steps = length_ms / step_ms.unwrap_or(USUAL_STEP_MS) + 1;
        let outside = self.evaluations;
        self.evaluations = outside.saturating_mul(steps);
        if self.evaluations > MAX_EVALUATIONS {
            return Err(
                Unsupported::TooManySteps(whole().to_string(), self.evaluations, MAX_EVALUATIONS).into(),
            );
        }
        let vector = Box::new(self.vector(&subquery.expr)?);
        self.evaluations = outside;
        Ok(Range::Sub {
            vector,
            length_ms,
            step_ms,
            moment: moment(subquery.at.as_ref(), subquery.offset.as_ref())?,
        })
    }

    fn aggregate(&mut self, aggregate: &AggregateExpr) -> Result<Vector, ExpressionError> {
        let parameter = match aggregate.param.as_deref() {
            None => None,
            Some(text) if text.value_type() == ValueType::String => Some(Parameter::Text(Self::text(text)?)),
            Some(number) => Some(Parameter::Number(self.scalar(number)?)),
        };
        Ok(Vector::Aggregate(Box::new(Aggregate {
            aggregator: aggregator(aggregate.op, parameter)?,
            by: match &aggregate.modifier {
                None => LabelChoice::These(Vec::new()),
                Some(modifier) => label_choice(modifier),
            },
            vector: self.vector(&aggregate.expr)?,
        })))
    }
}

pub(super) fn label_choice(modifier: &LabelModifier) -> LabelChoice {
    match modifier {
        LabelModifier::Include(these) => LabelChoice::These(names(these)),
        LabelModifier::Exclude(but) => LabelChoice::AllBut(names(but)),
    }
}

pub(super) fn names(labels: &Names) -> Vec<String> {
    labels.labels.clone()
}

pub(super) fn invalid(expr: &Expr, fault: &'static str) -> ExpressionError {
    ExpressionError::Invalid {
        part: expr.to_string(),
        fault,
    }
}

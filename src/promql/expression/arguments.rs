//! Calls of functions, with the arguments that each takes.

use promql_parser::parser::{Call, Expr};

use super::functions::{DatePart, date_part, math, over_time};
use super::read::{Reader, invalid};
use super::selector::{labels_if_absent, whole};
use super::{
    Each, ExpressionError, LabelJoin, LabelReplace, Order, OverTime, Range, Scalar, Unsupported, Vector,
};
use crate::model::Labels;

impl Reader {
    pub(super) fn scalar_call(&mut self, call: &Call) -> Result<Scalar, ExpressionError> {
        match call.func.name {
            "time" => Ok(Scalar::Time),
            "pi" => Ok(Scalar::Number(std::f64::consts::PI)),
            "scalar" => Ok(Scalar::Only(Box::new(self.vector(argument(call, 0)?)?))),
            other => Err(Unsupported::Function(other.to_owned()).into()),
        }
    }

    pub(super) fn vector_call(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        let name = call.func.name;
        if let Some(function) = math(name) {
            return self.each(Each::Math(function), call);
        }
        if let Some(part) = date_part(name) {
            return self.date(part, call);
        }
        if let Some(function) = over_time(name) {
            return self.over_time(function, call);
        }
        match name {
            "absent" => self.absent(call),
            "absent_over_time" => self.absent_over_time(call),
            "clamp" => {
                let (least, most) = (self.number(call, 1)?, self.number(call, 2)?);
                self.each(Each::Clamp(least, most), call)
            }
            "clamp_max" => {
                let most = self.number(call, 1)?;
                self.each(Each::Clamp(Scalar::Number(f64::NEG_INFINITY), most), call)
            }
            "clamp_min" => {
                let least = self.number(call, 1)?;
                self.each(Each::Clamp(least, Scalar::Number(f64::INFINITY)), call)
            }
            "histogram_quantile" => {
                let q = self.number(call, 0)?;
                Ok(Vector::HistogramQuantile(q, self.samples(call, 1)?))
            }
            "label_join" => self.label_join(call),
            "label_replace" => self.label_replace(call),
            "predict_linear" => {
                let range = self.range(argument(call, 0)?)?;
                Ok(Vector::PredictLinear(self.number(call, 1)?, range))
            }
            "quantile_over_time" => {
                let q = self.number(call, 0)?;
                Ok(Vector::QuantileOverTime(q, self.range(argument(call, 1)?)?))
            }
            "round" => self.round(call),
            "sort" => Ok(Vector::Sorted(Order::Ascending, self.samples(call, 0)?)),
            "sort_desc" => Ok(Vector::Sorted(Order::Descending, self.samples(call, 0)?)),
            "timestamp" => self.each(Each::Timestamp, call),
            "vector" => Ok(Vector::Constant(self.number(call, 0)?)),
            other => Err(Unsupported::Function(other.to_owned()).into()),
        }
    }

    fn number(&mut self, call: &Call, position: usize) -> Result<Scalar, ExpressionError> {
        self.scalar(argument(call, position)?)
    }

    fn samples(&mut self, call: &Call, position: usize) -> Result<Box<Vector>, ExpressionError> {
        self.vector(argument(call, position)?).map(Box::new)
    }

    fn each(&mut self, function: Each, call: &Call) -> Result<Vector, ExpressionError> {
        Ok(Vector::Each(function, self.samples(call, 0)?))
    }

    fn round(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        let multiple = match call.args.args.get(1) {
            Some(multiple) => self.scalar(multiple)?,
            None => Scalar::Number(1.0),
        };
        self.each(Each::Round(multiple), call)
    }

    /// Without an argument the date is that of the evaluation.
    fn date(&mut self, part: DatePart, call: &Call) -> Result<Vector, ExpressionError> {
        let times = match call.args.args.first() {
            Some(times) => self.vector(times)?,
            None => Vector::Constant(Scalar::Time),
        };
        Ok(Vector::Each(Each::Date(part), Box::new(times)))
    }

    fn over_time(&mut self, function: OverTime, call: &Call) -> Result<Vector, ExpressionError> {
        Ok(Vector::OverTime(function, self.range(argument(call, 0)?)?))
    }

    fn absent(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        let vector = self.samples(call, 0)?;
        let labels = match &*vector {
            Vector::Instant(selector) => labels_if_absent(selector),
            _ => Labels::default(),
        };
        Ok(Vector::Absent(labels, vector))
    }

    fn absent_over_time(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        let range = self.range(argument(call, 0)?)?;
        let labels = match &range {
            Range::Of { selector, .. } => labels_if_absent(selector),
            Range::Sub { .. } => Labels::default(),
        };
        Ok(Vector::AbsentOverTime(labels, range))
    }

    fn label_replace(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        Ok(Vector::LabelReplace(Box::new(LabelReplace {
            vector: self.vector(argument(call, 0)?)?,
            destination: label(call, 1)?,
            replacement: text(call, 2)?,
            source: text(call, 3)?,
            pattern: whole(&text(call, 4)?)?,
        })))
    }

    fn label_join(&mut self, call: &Call) -> Result<Vector, ExpressionError> {
        let sources = 3..call.args.len();
        Ok(Vector::LabelJoin(Box::new(LabelJoin {
            vector: self.vector(argument(call, 0)?)?,
            destination: label(call, 1)?,
            separator: text(call, 2)?,
            sources: sources
                .map(|position| label(call, position))
                .collect::<Result<_, _>>()?,
        })))
    }
}

/// The parser counts arguments and looks at their types, but not in every case.
fn argument(call: &Call, position: usize) -> Result<&Expr, ExpressionError> {
    let argument = call.args.args.get(position);
    argument.map(|argument| &**argument).ok_or_else(|| {
        let whole = Expr::Call(call.clone());
        invalid(&whole, "an argument is missing")
    })
}

fn text(call: &Call, position: usize) -> Result<String, ExpressionError> {
    Reader::text(argument(call, position)?)
}

/// Any text but none is the name of a label.
/// Source: Prometheus 3, `model.UTF8Validation`.
fn label(call: &Call, position: usize) -> Result<String, ExpressionError> {
    let expr = argument(call, position)?;
    match Reader::text(expr)? {
        name if name.is_empty() => Err(invalid(expr, "not the name of a label")),
        name => Ok(name),
    }
}

//! The functions and aggregations that are computed, by name.

use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM,
    T_TOPK, TokenType,
};

use super::{Scalar, Unsupported};

/// A function of one sample.
#[derive(Clone, Debug)]
pub enum Each {
    /// A function of its value alone.
    Math(Math),
    /// Its value as a time in seconds, and a part of the date then.
    Date(DatePart),
    /// `round(…)` to a multiple of the number.
    Round(Scalar),
    /// `clamp(…)` between two numbers; no samples if they are the wrong way round.
    Clamp(Scalar, Scalar),
    /// `timestamp(…)`
    Timestamp,
}

/// A function of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the function of PromQL that the table names it after"
)]
pub enum Math {
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Ceil,
    Cos,
    Cosh,
    Degrees,
    Exp,
    Floor,
    Ln,
    Log10,
    Log2,
    Radians,
    Sign,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
}

const MATH: [(&str, Math); 23] = [
    ("abs", Math::Abs),
    ("acos", Math::Acos),
    ("acosh", Math::Acosh),
    ("asin", Math::Asin),
    ("asinh", Math::Asinh),
    ("atan", Math::Atan),
    ("atanh", Math::Atanh),
    ("ceil", Math::Ceil),
    ("cos", Math::Cos),
    ("cosh", Math::Cosh),
    ("deg", Math::Degrees),
    ("exp", Math::Exp),
    ("floor", Math::Floor),
    ("ln", Math::Ln),
    ("log10", Math::Log10),
    ("log2", Math::Log2),
    ("rad", Math::Radians),
    ("sgn", Math::Sign),
    ("sin", Math::Sin),
    ("sinh", Math::Sinh),
    ("sqrt", Math::Sqrt),
    ("tan", Math::Tan),
    ("tanh", Math::Tanh),
];

/// A part of a date, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the function of PromQL that the table names it after"
)]
pub enum DatePart {
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    DaysInMonth,
    Hour,
    Minute,
    Month,
    Year,
}

const DATE_PARTS: [(&str, DatePart); 8] = [
    ("day_of_month", DatePart::DayOfMonth),
    ("day_of_week", DatePart::DayOfWeek),
    ("day_of_year", DatePart::DayOfYear),
    ("days_in_month", DatePart::DaysInMonth),
    ("hour", DatePart::Hour),
    ("minute", DatePart::Minute),
    ("month", DatePart::Month),
    ("year", DatePart::Year),
];

/// A function of the samples of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each is the function of PromQL that the table names it after"
)]
pub enum OverTime {
    Average,
    Changes,
    Count,
    Delta,
    Deriv,
    First,
    Idelta,
    Increase,
    Irate,
    Last,
    Maximum,
    MedianDeviation,
    Minimum,
    Present,
    Rate,
    Resets,
    StandardDeviation,
    Sum,
    TimeOfFirst,
    TimeOfLast,
    TimeOfMaximum,
    TimeOfMinimum,
    Variance,
}

const OVER_TIME: [(&str, OverTime); 23] = [
    ("avg_over_time", OverTime::Average),
    ("changes", OverTime::Changes),
    ("count_over_time", OverTime::Count),
    ("delta", OverTime::Delta),
    ("deriv", OverTime::Deriv),
    ("first_over_time", OverTime::First),
    ("idelta", OverTime::Idelta),
    ("increase", OverTime::Increase),
    ("irate", OverTime::Irate),
    ("last_over_time", OverTime::Last),
    ("mad_over_time", OverTime::MedianDeviation),
    ("max_over_time", OverTime::Maximum),
    ("min_over_time", OverTime::Minimum),
    ("present_over_time", OverTime::Present),
    ("rate", OverTime::Rate),
    ("resets", OverTime::Resets),
    ("stddev_over_time", OverTime::StandardDeviation),
    ("stdvar_over_time", OverTime::Variance),
    ("sum_over_time", OverTime::Sum),
    ("ts_of_first_over_time", OverTime::TimeOfFirst),
    ("ts_of_last_over_time", OverTime::TimeOfLast),
    ("ts_of_max_over_time", OverTime::TimeOfMaximum),
    ("ts_of_min_over_time", OverTime::TimeOfMinimum),
];

impl OverTime {
    /// Whether the result is one of the samples and keeps the name of the series.
    pub fn keeps_name(self) -> bool {
        matches!(self, OverTime::First | OverTime::Last)
    }
}

/// What is done with the samples of a group.
#[derive(Clone, Debug)]
#[expect(
    missing_docs,
    reason = "each is the aggregation of PromQL that it is named after"
)]
pub enum Aggregator {
    Average,
    Count,
    Group,
    Maximum,
    Minimum,
    StandardDeviation,
    Sum,
    Variance,
    /// `topk` and `bottomk`: some of the samples as they are.
    Choose(Extreme, Scalar),
    Quantile(Scalar),
    /// `count_values`, with the label that tells the value.
    CountValues(String),
}

/// Which end of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extreme {
    /// `topk`
    Greatest,
    /// `bottomk`
    Least,
}

/// What the parameter of an aggregation is.
pub(super) enum Parameter {
    Number(Scalar),
    Text(String),
}

/// The aggregation with its parameter.
pub(super) fn aggregator(
    operator: TokenType,
    parameter: Option<Parameter>,
) -> Result<Aggregator, Unsupported> {
    use Parameter::{Number, Text};
    Ok(match (operator.id(), parameter) {
        (T_AVG, None) => Aggregator::Average,
        (T_COUNT, None) => Aggregator::Count,
        (T_GROUP, None) => Aggregator::Group,
        (T_MAX, None) => Aggregator::Maximum,
        (T_MIN, None) => Aggregator::Minimum,
        (T_STDDEV, None) => Aggregator::StandardDeviation,
        (T_STDVAR, None) => Aggregator::Variance,
        (T_SUM, None) => Aggregator::Sum,
        (T_TOPK, Some(Number(count))) => Aggregator::Choose(Extreme::Greatest, count),
        (T_BOTTOMK, Some(Number(count))) => Aggregator::Choose(Extreme::Least, count),
        (T_QUANTILE, Some(Number(q))) => Aggregator::Quantile(q),
        (T_COUNT_VALUES, Some(Text(label))) => Aggregator::CountValues(label),
        _ => return Err(Unsupported::Aggregator(operator.to_string())),
    })
}

pub(super) fn math(name: &str) -> Option<Math> {
    named(&MATH, name)
}

pub(super) fn date_part(name: &str) -> Option<DatePart> {
    named(&DATE_PARTS, name)
}

pub(super) fn over_time(name: &str) -> Option<OverTime> {
    named(&OVER_TIME, name)
}

fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    let row = table.iter().find(|(known, _)| *known == name);
    row.map(|(_, function)| *function)
}

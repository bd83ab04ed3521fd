//! Samples for the window and for a real Prometheus alike, and what each makes of a query.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use promql_adapter::embedded::{Demand, Evaluated, Options, Scraped, Window, evaluate};
use promql_adapter::model::{Labels, Timestamp};
use promql_adapter::promql::Expression;
use serde_json::Value;

use super::notation::Step;

/// The samples of one series, oldest first.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) labels: Labels,
    pub(crate) samples: Vec<(i64, Step)>,
}

/// What came of a query.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Scalar(f64),
    Vector(BTreeMap<Labels, f64>),
    Failure(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::Scalar(value) => write!(f, "{value}"),
            Told::Vector(samples) => {
                let samples = samples.iter().map(|(labels, value)| format!("{labels} {value}"));
                f.write_str(&samples.collect::<Vec<_>>().join("; "))
            }
            Told::Failure(why) => write!(f, "fails: {why}"),
        }
    }
}

/// A window of what these queries read.
pub(crate) fn window(queries: &[Expression]) -> Window {
    let demand = Demand::of(queries, Options::default().lookback, Duration::ZERO);
    Window::new(demand, usize::MAX)
}

/// Takes what a series has at a time. Each is a target of its own, so that it alone says when it is scraped.
pub(crate) fn append(window: &mut Window, labels: &Labels, at_ms: i64, step: Step) {
    let target = labels.to_string();
    let labels = &pairs(labels);
    let sample = |value| Scraped {
        labels,
        value,
        at: None,
    };
    match step {
        Step::Value(value) => window.append(&target, time(at_ms), &[sample(value)]).unwrap(),
        Step::Stale => window.append(&target, time(at_ms), &[]).unwrap(),
        Step::Missing | Step::Histogram => {}
    }
}

/// As the window takes labels.
pub(crate) fn pairs(labels: &Labels) -> Vec<(&str, &str)> {
    labels.iter().collect()
}

pub(crate) fn time(at_ms: i64) -> Timestamp {
    Timestamp::from_millisecond(at_ms).unwrap()
}

/// What we make of a query.
pub(crate) fn ours(query: &Expression, window: &Window, at_ms: i64) -> Told {
    match evaluate(query, window, time(at_ms), Options::default()) {
        Ok(Evaluated::Scalar(value)) => Told::Scalar(value),
        Ok(Evaluated::Vector(samples)) => Told::Vector(
            samples
                .into_iter()
                .map(|sample| (sample.labels, sample.value))
                .collect(),
        ),
        Err(error) => Told::Failure(error.to_string()),
    }
}

/// What Prometheus made of it, from its answer.
pub(crate) fn theirs(answer: &Value) -> Told {
    if answer["status"] != "success" {
        return Told::Failure(answer["error"].as_str().unwrap_or_default().to_owned());
    }
    let result = &answer["data"]["result"];
    let value = |point: &Value| -> f64 { point[1].as_str().unwrap().parse().unwrap() };
    match answer["data"]["resultType"].as_str() {
        Some("scalar") => Told::Scalar(value(result)),
        Some("vector") => {
            let samples = result.as_array().unwrap().iter();
            Told::Vector(
                samples
                    .map(|sample| (labels(&sample["metric"]), value(&sample["value"])))
                    .collect(),
            )
        }
        other => Told::Failure(format!("a result of type {other:?}")),
    }
}

fn labels(metric: &Value) -> Labels {
    let pairs = metric.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect()
}

/// Whether both told the same, but for a few last digits.
pub(crate) fn same(one: &Told, other: &Told, tolerance: f64) -> bool {
    let close = |one: f64, other: f64| {
        one == other
            || one.is_nan() && other.is_nan()
            || (one - other).abs() <= tolerance * one.abs().max(other.abs()).min(f64::MAX)
    };
    match (one, other) {
        (Told::Scalar(one), Told::Scalar(other)) => close(*one, *other),
        (Told::Vector(one), Told::Vector(other)) => {
            let pairs = one.iter().zip(other);
            one.len() == other.len()
                && pairs
                    .into_iter()
                    .all(|(one, other)| one.0 == other.0 && close(*one.1, *other.1))
        }
        (Told::Failure(_), Told::Failure(_)) => true,
        _ => false,
    }
}

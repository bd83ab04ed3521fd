//! Runs a script against the evaluator.

use promql_adapter::embedded::{Evaluated, Options, Window, evaluate};
use promql_adapter::model::{Labels, Sample};
use promql_adapter::promql::{Expression, ExpressionError};

use super::notation::Step;
use super::recorded::{append, time, window};
use super::script::{Command, Eval, Expected, Load};

/// Relative difference that Prometheus' own runner allows.
/// Source: Prometheus 3, `promql/promqltest/test.go`, `defaultEpsilon`.
const TOLERANCE: f64 = 1e-6;

/// What came of an `eval`.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// The query is refused by name, with what is not computed.
    Refused(String),
    /// It is about native histograms, strings or ranges of samples.
    OutOfScope,
    Failed(String),
}

/// The outcome of each instant query, with its line and text, and how many other queries there are.
pub(crate) fn run(commands: &[Command]) -> (Vec<(usize, String, Outcome)>, usize) {
    let mut scene = Scene::new(commands);
    let mut outcomes = Vec::new();
    let mut others = 0;
    for command in commands {
        match command {
            Command::Load(load) => scene.load(load),
            Command::Clear => scene = Scene::new(commands),
            Command::Eval(eval) => outcomes.push((eval.line, eval.query.clone(), scene.outcome(eval))),
            Command::Other => others += 1,
        }
    }
    (outcomes, others)
}

/// What was loaded so far.
struct Scene {
    window: Window,
    has_histograms: bool,
}

impl Scene {
    /// An empty window of what the queries of the script read.
    fn new(commands: &[Command]) -> Scene {
        let queries = commands.iter().filter_map(|command| match command {
            Command::Eval(eval) => Expression::parse(&eval.query).ok(),
            _ => None,
        });
        Scene {
            window: window(&queries.collect::<Vec<_>>()),
            has_histograms: false,
        }
    }

    fn load(&mut self, load: &Load) {
        self.has_histograms |= load.with_histograms;
        for (labels, steps) in &load.series {
            for (position, step) in steps.iter().enumerate() {
                self.has_histograms |= *step == Step::Histogram;
                append(&mut self.window, labels, position as i64 * load.step_ms, *step);
            }
        }
    }

    fn outcome(&self, eval: &Eval) -> Outcome {
        if matches!(eval.expected, Expected::Other) {
            return Outcome::OutOfScope;
        }
        let fails = matches!(eval.expected, Expected::Failure);
        let expression = match Expression::parse(&eval.query) {
            Ok(expression) => expression,
            Err(_) if fails => return Outcome::Passed,
            Err(ExpressionError::Unsupported(what)) => return Outcome::Refused(what.to_string()),
            Err(other) => return Outcome::Refused(format!("{other}")),
        };
        let result = evaluate(&expression, &self.window, time(eval.at_ms), Options::default());
        let difference = match (result, &eval.expected) {
            (Err(_), Expected::Failure) => None,
            (Err(error), _) => Some(format!("fails: {error}")),
            (Ok(Evaluated::Scalar(value)), Expected::Scalar(expected)) => differing(value, *expected),
            (
                Ok(Evaluated::Vector(samples)),
                Expected::Vector {
                    samples: expected,
                    ordered,
                },
            ) => difference(&samples, expected, *ordered),
            (Ok(result), expected) => Some(format!("gives {result:?}, not {expected:?}")),
        };
        match difference {
            None => Outcome::Passed,
            Some(_) if self.has_histograms => Outcome::OutOfScope,
            Some(difference) => Outcome::Failed(difference),
        }
    }
}

fn difference(samples: &[Sample], expected: &[(Labels, f64)], ordered: bool) -> Option<String> {
    let mut samples: Vec<(&Labels, f64)> = samples
        .iter()
        .map(|sample| (&sample.labels, sample.value))
        .collect();
    let mut expected: Vec<(&Labels, f64)> = expected.iter().map(|(labels, value)| (labels, *value)).collect();
    if !ordered {
        samples.sort_by_key(|(labels, _)| *labels);
        expected.sort_by_key(|(labels, _)| *labels);
    }
    let is_same = samples.len() == expected.len()
        && samples
            .iter()
            .zip(&expected)
            .all(|(sample, expected)| sample.0 == expected.0 && nearly_equal(sample.1, expected.1));
    (!is_same).then(|| format!("gives {}, not {}", printed(&samples), printed(&expected)))
}

fn differing(value: f64, expected: f64) -> Option<String> {
    (!nearly_equal(value, expected)).then(|| format!("gives {value}, not {expected}"))
}

fn nearly_equal(one: f64, other: f64) -> bool {
    one == other
        || one.is_nan() && other.is_nan()
        || (one - other).abs() < TOLERANCE * (one.abs() + other.abs()).min(f64::MAX)
}

fn printed(samples: &[(&Labels, f64)]) -> String {
    let samples = samples.iter().map(|(labels, value)| format!("{labels} {value}"));
    format!("[{}]", samples.collect::<Vec<_>>().join("; "))
}

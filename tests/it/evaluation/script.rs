//! Scripts as Prometheus' tests write them: `load`, `clear`, `eval instant at 5m …` and what is expected.

use std::collections::BTreeMap;

use promql_adapter::model::Labels;

use super::notation::{self, Step};

/// One command of a script.
#[derive(Debug)]
pub(crate) enum Command {
    /// Adds samples.
    Load(Load),
    /// Removes all samples.
    Clear,
    /// Evaluates and compares.
    Eval(Eval),
    /// What is not read here: range queries, native histograms made of classic ones.
    Other,
}

/// Samples of some series, one at each step from time 0.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) step_ms: i64,
    pub(crate) series: Vec<(Labels, Vec<Step>)>,
    /// Whether native histograms are to be made of the classic ones too.
    pub(crate) with_histograms: bool,
}

/// An instant query and what it should give.
#[derive(Debug)]
pub(crate) struct Eval {
    pub(crate) line: usize,
    pub(crate) at_ms: i64,
    pub(crate) query: String,
    pub(crate) expected: Expected,
}

/// What a query should give.
#[derive(Debug)]
pub(crate) enum Expected {
    Failure,
    Scalar(f64),
    Vector {
        samples: Vec<(Labels, f64)>,
        ordered: bool,
    },
    /// Native histograms, strings or ranges of samples.
    Other,
}

/// Reads a script.
pub(crate) fn read(text: &str) -> Result<Vec<Command>, String> {
    let mut commands = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut body = Vec::new();
        while let Some((_, next)) =
            lines.next_if(|(_, next)| !next.trim().is_empty() && !begins_command(next))
        {
            let next = next.trim();
            if !next.starts_with('#') {
                body.push(next);
            }
        }
        commands.push(command(at + 1, line, &body).map_err(|fault| format!("line {}: {fault}", at + 1))?);
    }
    Ok(commands)
}

fn begins_command(line: &str) -> bool {
    ["load", "eval", "clear"]
        .iter()
        .any(|word| line.starts_with(word))
}

fn command(at: usize, line: &str, body: &[&str]) -> Result<Command, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match word {
        "clear" => Ok(Command::Clear),
        "load" | "load_with_nhcb" => load(rest, body, word != "load").map(Command::Load),
        _ if word.starts_with("eval") => eval(at, word, rest.trim_start(), body),
        _ => Err(format!("`{word}` is no command")),
    }
}

fn load(step: &str, body: &[&str], with_histograms: bool) -> Result<Load, String> {
    // Start timestamps stand on a line of their own. Of a series that is there twice the last counts.
    let mut series: BTreeMap<Labels, Vec<Step>> = BTreeMap::new();
    for line in body.iter().filter(|line| !line.contains("@st")) {
        let (labels, steps) = notation::series(line)?;
        series.insert(labels, steps);
    }
    Ok(Load {
        step_ms: milliseconds(step.trim())?,
        series: series.into_iter().collect(),
        with_histograms,
    })
}

fn eval(line: usize, word: &str, rest: &str, body: &[&str]) -> Result<Command, String> {
    let Some(rest) = rest.strip_prefix("instant at ") else {
        return Ok(Command::Other);
    };
    let (at, query) = rest
        .trim_start()
        .split_once(char::is_whitespace)
        .ok_or("no query")?;
    Ok(Command::Eval(Eval {
        line,
        at_ms: milliseconds(at)?,
        query: query.trim().to_owned(),
        expected: expected(word, body),
    }))
}

fn expected(word: &str, body: &[&str]) -> Expected {
    let (expects, results): (Vec<&str>, Vec<&str>) = body.iter().partition(|line| line.starts_with("expect"));
    let says = |what: &str| {
        expects
            .iter()
            .any(|line| line.starts_with(&format!("expect {what}")))
    };
    if word == "eval_fail" || says("fail") {
        return Expected::Failure;
    }
    if says("string") || says("range vector") {
        return Expected::Other;
    }
    if let [only] = results.as_slice()
        && let Some(number) = notation::number(only)
    {
        return Expected::Scalar(number);
    }
    let samples = results.iter().map(|line| match notation::series(line).ok()? {
        (labels, steps) if matches!(steps.as_slice(), [Step::Value(_)]) => match steps[0] {
            Step::Value(value) => Some((labels, value)),
            _ => None,
        },
        _ => None,
    });
    match samples.collect::<Option<Vec<_>>>() {
        Some(samples) => Expected::Vector {
            samples,
            ordered: word == "eval_ordered" || says("ordered"),
        },
        None => Expected::Other,
    }
}

/// A duration, or a number of seconds.
fn milliseconds(text: &str) -> Result<i64, String> {
    if let Some(seconds) = notation::number(text) {
        return Ok((seconds * 1000.0).round() as i64);
    }
    // The parser of durations knows no zero.
    if text.trim_start_matches('0').chars().all(char::is_alphabetic) {
        return Ok(0);
    }
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let duration = promql_parser::util::parse_duration(text)?;
    Ok(sign * duration.as_millis() as i64)
}

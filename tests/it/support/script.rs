//! The fake backend's replies as cases write them.

use regex::Regex;
use serde_json::{Map, Value, json};

use super::fake_prometheus::{FakePrometheus, Reply};

/// Sets the replies of a section: a question, and indented below it the reply.
pub(crate) fn script(fake: &FakePrometheus, section: &str) {
    for (question, lines) in blocks(section) {
        fake.on(&question.replace("\\n", "\n"), reply(&lines));
    }
}

/// `{a="b"} 1` for each sample, or one of: `scalar 1`, `labels a b`, `series a{b="c"}` for each, `json TEXT`,
/// `error CODE TYPE TEXT`, `status CODE TEXT`, `hang`, `cut off`.
fn reply(lines: &[&str]) -> Reply {
    let (word, rest) = lines[0].split_once(' ').unwrap_or((lines[0], ""));
    match word {
        "scalar" => data(&json!({"resultType": "scalar", "result": [1_700_000_000.123, rest]})),
        "labels" => data(&rest.split(' ').collect()),
        "series" => data(
            &lines
                .iter()
                .map(|line| series(&line["series ".len()..]))
                .collect(),
        ),
        "json" => Reply::json(rest),
        "error" => {
            let mut words = rest.splitn(3, ' ');
            let mut next = || words.next().unwrap();
            Reply::error(next().parse().unwrap(), next(), next())
        }
        "status" => {
            let (code, body) = rest.split_once(' ').unwrap();
            Reply::status(code.parse().unwrap(), body)
        }
        "hang" => Reply::hang(),
        "cut" => vector(&[sample(r#"{a="b"} 1"#)]).cut_off(),
        "empty" => vector(&[]),
        _ => vector(&lines.iter().map(|line| sample(line)).collect::<Vec<_>>()),
    }
}

fn data(data: &Value) -> Reply {
    Reply::json(json!({"status": "success", "data": data}).to_string())
}

/// Success with these samples.
pub(crate) fn vector(samples: &[Value]) -> Reply {
    data(&json!({"resultType": "vector", "result": samples}))
}

/// `{a="b"} 1`
fn sample(text: &str) -> Value {
    let (series_text, value) = text.rsplit_once(' ').unwrap();
    json!({"metric": series(series_text), "value": [1_700_000_000.123, value]})
}

/// `name{a="b",c="d"}`
fn series(text: &str) -> Value {
    let (name, labels) = text.split_once('{').unwrap_or((text, ""));
    let pairs = labels
        .trim_end_matches('}')
        .split(',')
        .filter(|pair| !pair.is_empty());
    let mut metric: Map<String, Value> = pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(label, value)| (label.to_owned(), value.trim_matches('"').into()))
        .collect();
    if !name.is_empty() {
        metric.insert("__name__".to_owned(), name.into());
    }
    metric.into()
}

/// Lines that begin at the margin, each with the indented lines below it.
pub(crate) fn blocks(section: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in section.lines().filter(|line| !line.trim().is_empty()) {
        match (line.strip_prefix("  "), blocks.last_mut()) {
            (Some(below), Some((_, lines))) => lines.push(below),
            _ => blocks.push((line, Vec::new())),
        }
    }
    blocks
}

/// Times of this run as `NOW`, ages as `AGE`; times of the replies, all of 2023, stay.
pub(crate) fn without_times(text: &str) -> String {
    let times = Regex::new(r"20(2[4-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
    let ages = Regex::new(r#"("seconds": ?|sample age )[\d.]+"#).unwrap();
    let text = times.replace_all(text, "NOW");
    ages.replace_all(&text, "${1}AGE").into_owned()
}

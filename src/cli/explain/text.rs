//! An explanation as a person reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::api::{Answer, Explanation, Question, ValueServed, Way};

/// The whole explanation, from the question to the answer.
pub(super) fn explained(explanation: &Explanation) -> String {
    let mut lines = Lines::default();
    question(&explanation.question, &mut lines);
    way(&explanation.way, &mut lines);
    explanation
        .further_ways
        .iter()
        .for_each(|further| way(further, &mut lines));
    answer(&explanation.answer, &mut lines);
    lines.0
}

/// Lines with a heading in a column of its own; lines without one belong to the heading above.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, heading: &str, text: &str) {
        for (position, line) in text.lines().enumerate() {
            let heading = if position == 0 { heading } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(self.0, "{heading:<10} {line}");
        }
    }

    fn list(&mut self, heading: &str, items: impl IntoIterator<Item = String>) {
        for (position, item) in items.into_iter().enumerate() {
            self.add(if position == 0 { heading } else { "" }, &item);
        }
    }
}

fn question(question: &Question, lines: &mut Lines) {
    lines.add("api", &question.api);
    lines.add("metric", &question.metric);
    if !question.metric_selector.is_empty() {
        lines.add("selector", &question.metric_selector);
    }
    if let Some(namespace) = &question.namespace {
        lines.add("namespace", namespace);
    }
    if let (Some(resource), Some(object)) = (&question.resource, &question.object) {
        let selector = question
            .object_selector
            .as_deref()
            .filter(|selector| !selector.is_empty());
        let with = selector.map_or_else(String::new, |selector| format!(" with {selector}"));
        lines.add("for", &format!("{resource} {object}{with}"));
    }
}

fn way(way: &Way, lines: &mut Lines) {
    if let Some(rule) = &way.rule {
        let line = rule.line.map_or_else(String::new, |line| format!(":{line}"));
        lines.add("rule", &format!("{} at {}{line}", rule.key, rule.file));
    }
    if let Some(objects) = &way.objects {
        lines.add("objects", &objects.join(", "));
    }
    if let Some(backend) = &way.backend {
        lines.add("backend", backend);
    }
    if let Some(query) = &way.query {
        lines.add("query", query);
    }
    if let Some(at) = &way.evaluated_at {
        lines.add("evaluated", at);
        lines.add("samples", &way.samples.len().to_string());
    }
    lines.list(
        "",
        way.samples
            .iter()
            .map(|sample| format!("  {} {}", labels(&sample.labels), sample.value)),
    );
    lines.list(
        "sample age",
        way.sample_ages
            .iter()
            .map(|age| format!("{:.1} s  {}", age.seconds, labels(&age.labels))),
    );
    lines.list(
        "rounding",
        way.readings
            .iter()
            .map(|reading| format!("{}: {} → {}", reading.of, reading.exact, reading.served)),
    );
    lines.list(
        "dropped",
        way.dropped.iter().map(|dropped| {
            format!(
                "{} {}: {}",
                labels(&dropped.labels),
                dropped.value,
                dropped.reason
            )
        }),
    );
    lines.list("note", way.notes.iter().cloned());
}

fn answer(answer: &Answer, lines: &mut Lines) {
    match answer {
        Answer::Values(values) if values.is_empty() => lines.add("answer", "200, an empty list"),
        Answer::Values(values) => {
            lines.add("answer", "200");
            lines.list("value", values.iter().map(value));
        }
        Answer::Failure {
            code,
            reason,
            message,
        } => {
            lines.add("answer", &format!("{code} {reason}"));
            lines.add("message", message);
        }
    }
}

fn value(value: &ValueServed) -> String {
    let of = match (&value.object, &value.labels) {
        (Some(object), _) => {
            let within = object
                .namespace
                .as_ref()
                .map_or_else(String::new, |name| format!("{name}/"));
            let which = value.labels.as_ref().map_or_else(String::new, labels);
            format!("{} {within}{}{which}", object.kind, object.name)
        }
        (None, Some(known)) => labels(known),
        (None, None) => "scalar".to_owned(),
    };
    let over = value
        .window_seconds
        .map_or_else(String::new, |seconds| format!(" over {seconds} s"));
    format!("{of}: {} at {}{over}", value.value, value.at)
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

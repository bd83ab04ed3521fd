//! Series and their values as Prometheus' tests write them: `http_requests{pod="a"} 0+1x10 _ stale NaN`.

use promql_adapter::model::Labels;
use promql_parser::label::MatchOp;
use promql_parser::parser::Expr;

/// What a series has at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// A sample.
    Value(f64),
    /// Nothing.
    Missing,
    /// The series ends here.
    Stale,
    /// A native histogram, which is not read.
    Histogram,
}

/// A series and its values: labels, then a value for each step.
pub(crate) fn series(line: &str) -> Result<(Labels, Vec<Step>), String> {
    let (name, values) = line.split_at(end_of_series(line));
    Ok((labels(name)?, steps(values)?))
}

/// Where the values begin: at the first space outside braces and strings.
fn end_of_series(line: &str) -> usize {
    let (mut depth, mut quote, mut escaped) = (0, None, false);
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') => depth -= 1,
            (None, space) if space.is_whitespace() && depth == 0 => return at,
            (None, _) => {}
        }
    }
    line.len()
}

/// The labels of `name{label="value"}`.
pub(crate) fn labels(text: &str) -> Result<Labels, String> {
    let text = text.trim();
    if text.is_empty() || text == "{}" {
        return Ok(Labels::default());
    }
    let Expr::VectorSelector(selector) = promql_parser::parser::parse(text)? else {
        return Err(format!("`{text}` is not a series"));
    };
    let mut labels: Labels = selector
        .name
        .iter()
        .map(|name| ("__name__", name.as_str()))
        .collect();
    for matcher in &selector.matchers.matchers {
        if !matches!(matcher.op, MatchOp::Equal) {
            return Err(format!("`{matcher}` is not a label"));
        }
        labels.insert(matcher.name.as_str(), matcher.value.as_str());
    }
    Ok(labels)
}

/// The values of `1 2+3x4 _x2 stale`.
pub(crate) fn steps(text: &str) -> Result<Vec<Step>, String> {
    if text.contains("{{") {
        // How many there are does not matter: none is read.
        return Ok(vec![Step::Histogram]);
    }
    let mut steps = Vec::new();
    for word in text.split_whitespace() {
        steps.extend(word_steps(word)?);
    }
    Ok(steps)
}

fn word_steps(word: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("`{word}` is no value");
    let (what, times) = match word
        .rsplit_once('x')
        .filter(|(_, times)| times.parse::<usize>().is_ok())
    {
        Some((what, times)) => (what, times.parse().map_err(|_| wrong())?),
        None if word == "_" || word == "stale" => (word, 1),
        None => (word, 0),
    };
    match what {
        "_" => return Ok(vec![Step::Missing; times]),
        "stale" => return Ok(vec![Step::Stale; times]),
        _ => {}
    }
    let (mut value, growth) = value_and_growth(what).ok_or_else(wrong)?;
    let mut steps = Vec::new();
    for _ in 0..=times {
        steps.push(Step::Value(value));
        value += growth;
    }
    Ok(steps)
}

/// `2+3`, `2-3`, `2`; signs of exponents are not meant.
fn value_and_growth(text: &str) -> Option<(f64, f64)> {
    if let Some(value) = number(text) {
        return Some((value, 0.0));
    }
    let signs = text.match_indices(['+', '-']).skip_while(|(at, _)| *at == 0);
    signs
        .filter_map(|(at, _)| Some((number(&text[..at])?, number(&text[at..])?)))
        .next()
}

/// A number as Go reads it, but for its rarer forms.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|number| number as f64),
        None => text.parse().ok(),
    }
}

//! One line of a page.

use std::borrow::Cow;

use super::{Format, number};
use crate::embedded::series_labels::METRIC_NAME;

/// What a line is.
#[derive(Debug)]
pub(super) enum Line<'l> {
    /// Nothing that counts: blank, a comment, a help text.
    Nothing,
    /// `# TYPE`
    Type(Family),
    /// `# EOF`
    End,
    /// A sample.
    Sample(Exposed<'l>),
}

/// What samples are, as far as it changes how they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Histogram,
    Summary,
    Other,
}

/// A sample as it stands on its line.
#[derive(Debug)]
pub(in crate::embedded::scraping) struct Exposed<'l> {
    pub(in crate::embedded::scraping) name: Cow<'l, str>,
    pub(in crate::embedded::scraping) labels: Vec<(Cow<'l, str>, Cow<'l, str>)>,
    pub(in crate::embedded::scraping) value: f64,
    /// The time that the target gives it, in Unix milliseconds.
    pub(in crate::embedded::scraping) at_ms: Option<i64>,
}

impl Exposed<'_> {
    /// Writes the bounds of buckets and quantiles in one way, so that `1` and `1.0` are one series.
    /// Source: Prometheus 3, `model/textparse`, `normalizeFloatsInLabelValues`.
    pub(super) fn normalize(&mut self, family: Family) {
        let label = match family {
            Family::Histogram => "le",
            Family::Summary => "quantile",
            Family::Other => return,
        };
        for (name, value) in &mut self.labels {
            if name == label
                && let Some(number) = number::read(value)
            {
                *value = number::write(number).into();
            }
        }
    }
}

/// Reads one line; the fault if it is none.
pub(super) fn read(line: &str, format: Format) -> Result<Line<'_>, &'static str> {
    let line = line.trim_start_matches(BLANKS);
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    match line.strip_prefix('#') {
        Some(comment) => Ok(read_comment(comment, format)),
        None => read_sample(line, format).map(Line::Sample),
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

fn read_comment(comment: &str, format: Format) -> Line<'_> {
    let Some(comment) = comment.strip_prefix(BLANKS) else {
        return Line::Nothing;
    };
    if comment == "EOF" && format == Format::OpenMetrics {
        return Line::End;
    }
    let mut words = comment.split(BLANKS).filter(|word| !word.is_empty());
    match (words.next(), words.next_back()) {
        (Some("TYPE"), Some("histogram")) => Line::Type(Family::Histogram),
        (Some("TYPE"), Some("summary")) => Line::Type(Family::Summary),
        (Some("TYPE"), _) => Line::Type(Family::Other),
        _ => Line::Nothing,
    }
}

fn read_sample(line: &str, format: Format) -> Result<Exposed<'_>, &'static str> {
    let (bare, rest) = word(line, |letter| is_label_letter(letter) || letter == ':');
    let rest = rest.trim_start_matches(BLANKS);
    let (quoted, labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => read_labels(rest)?,
        None => (None, Vec::new(), rest),
    };
    let name = match (bare, quoted) {
        ("", Some(name)) if !name.is_empty() => name,
        ("", _) => return Err("expected the name of a series"),
        (_, Some(_)) => return Err("the series has two names"),
        (name, None) => name.into(),
    };
    let (value, rest) = token(rest);
    let value = number::read(value).ok_or("expected a value after the series")?;
    Ok(Exposed {
        name,
        labels,
        value,
        at_ms: read_time(rest, format)?,
    })
}

/// The time after a value, if there is one. What follows `#` in OpenMetrics is an exemplar, which counts for nothing.
fn read_time(rest: &str, format: Format) -> Result<Option<i64>, &'static str> {
    let (time, rest) = token(rest);
    let is_exemplar = |token: &str| format == Format::OpenMetrics && token.starts_with('#');
    if time.is_empty() || is_exemplar(time) {
        return Ok(None);
    }
    let at_ms = match format {
        // Without a sign.
        Format::Prometheus => time.parse::<u64>().ok().and_then(|at_ms| at_ms.try_into().ok()),
        // Casting keeps to the range of the type.
        Format::OpenMetrics => number::read(time)
            .filter(|seconds| seconds.is_finite())
            .map(|seconds| (seconds * 1000.0) as i64),
    };
    let at_ms = at_ms.ok_or("expected a time or nothing after the value")?;
    match token(rest).0 {
        "" => Ok(Some(at_ms)),
        further if is_exemplar(further) => Ok(Some(at_ms)),
        _ => Err("expected nothing after the time"),
    }
}

type Labels<'l> = Vec<(Cow<'l, str>, Cow<'l, str>)>;

/// What follows `{`: a name of the series in quotes, the labels, and the rest of the line after `}`.
fn read_labels(mut rest: &str) -> Result<(Option<Cow<'_, str>>, Labels<'_>, &str), &'static str> {
    let (mut series, mut labels) = (None, Vec::new());
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((series, labels, rest));
        }
        let (label, after) = match rest.strip_prefix('"') {
            Some(rest) => read_quoted(rest)?,
            None => match word(rest, is_label_letter) {
                ("", _) => return Err("expected the name of a label or `}`"),
                (label, after) => (label.into(), after),
            },
        };
        let is_quoted = rest.starts_with('"');
        rest = after.trim_start_matches(BLANKS);
        if is_quoted && rest.starts_with([',', '}']) {
            if series.replace(label).is_some() {
                return Err("the series has two names");
            }
        } else {
            let value = rest
                .strip_prefix('=')
                .ok_or("expected `=` after the name of a label")?;
            let value = value.trim_start_matches(BLANKS).strip_prefix('"');
            let (value, after) = read_quoted(value.ok_or("expected the value of a label in quotes")?)?;
            if label == METRIC_NAME || labels.iter().any(|(known, _)| *known == label) {
                return Err("a label stands twice");
            }
            labels.push((label, value));
            rest = after.trim_start_matches(BLANKS);
        }
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// What stands before the closing quote, and what after it.
fn read_quoted(text: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut escapes = false;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                let raw = &text[..at];
                let text_of = if escapes { unescape(raw).into() } else { raw.into() };
                return Ok((text_of, &text[at + 1..]));
            }
            b'\\' => {
                escapes = true;
                bytes.next();
            }
            _ => {}
        }
    }
    Err("a quote is not closed")
}

/// `\"`, `\\` and `\n` are what they stand for; any other backslash is one.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.clone().next()) {
            ('\\', Some(escaped @ ('"' | '\\' | 'n'))) => {
                text.push(if escaped == 'n' { '\n' } else { escaped });
                letters.next();
            }
            _ => text.push(letter),
        }
    }
    text
}

/// The name that a text begins with, and the rest.
fn word(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return ("", text);
    }
    text.split_at(text.find(|letter| !belongs(letter)).unwrap_or(text.len()))
}

fn is_label_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// What stands before the next blank, and what after it.
fn token(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(BLANKS);
    text.split_at(text.find(BLANKS).unwrap_or(text.len()))
}

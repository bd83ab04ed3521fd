//! Single values as text → typed values. Each function says what is wrong with the text.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Any text.
pub(crate) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Text that is not blank.
pub(crate) fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// The path of a file or directory.
pub(crate) fn path(text: &str) -> Result<PathBuf, String> {
    word(text).map(PathBuf::from)
}

/// `true` or `false`, in any spelling of YAML 1.1 or Go.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

/// A whole number, zero or more.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a whole number from 0 on"))
}

/// A whole number from one on.
pub(crate) fn positive_count(text: &str) -> Result<usize, String> {
    match count(text) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{text}` is not a whole number from 1 on")),
    }
}

/// A port number.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a port, a number from 0 to 65535"))
}

/// A network address without port. `[::1]` may have its brackets.
pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    text.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .map_err(|_| format!("`{text}` is not an IP address"))
}

/// A number between 0 and 1.
pub(crate) fn fraction(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not a number from 0 to 1")),
    }
}

/// The base URL of an HTTP server.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .ok_or_else(|| format!("`{text}` does not begin with `http://` or `https://`"))?;
    if rest.is_empty() || rest.starts_with(['/', ':', '?', '#']) {
        return Err(format!("`{text}` names no host"));
    }
    if rest.contains(char::is_whitespace) {
        return Err(format!("`{text}` has white space in it"));
    }
    Ok(text.to_owned())
}

/// The name of a label.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let start = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    let well_formed = text.starts_with(start)
        && text
            .chars()
            .all(|letter| start(letter) || letter.is_ascii_digit());
    match well_formed {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` cannot be the name of a label")),
    }
}

/// A span of time that may be zero: `10s`, `1m30s`, `500ms`, `1.5h`, `1d`.
///
/// The units are those of Go (`ns` to `h`) and of Prometheus (`ms` to `y`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let wrong = |reason: &str| format!("`{text}` is not a duration: {reason}");
    let mut rest = text;
    let mut nanoseconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let number: f64 = rest[..digits].parse().map_err(|_| wrong("expected a number"))?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "" => return Err(wrong("a number has no unit")),
            unit => unit_nanoseconds(unit).ok_or_else(|| wrong(&format!("unknown unit `{unit}`")))?,
        };
        nanoseconds += number * unit;
        rest = &rest[letters..];
    }
    match text {
        "" => Err(wrong("it is empty")),
        _ if nanoseconds > LONGEST_NANOSECONDS => Err(wrong("it is longer than 100 years")),
        // Whole nanoseconds below 2^63, so the cast loses nothing.
        _ => Ok(Duration::from_nanos(nanoseconds.round() as u64)),
    }
}

const LONGEST_NANOSECONDS: f64 = 100.0 * 365.0 * DAY;
const SECOND: f64 = 1e9;
const DAY: f64 = 86_400.0 * SECOND;

fn unit_nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" => SECOND,
        "m" => 60.0 * SECOND,
        "h" => 3600.0 * SECOND,
        "d" => DAY,
        "w" => 7.0 * DAY,
        "y" => 365.0 * DAY,
        _ => return None,
    })
}

/// A duration of at least a millisecond, the finest step Prometheus knows.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        span if span < Duration::from_millis(1) => Err(format!("`{text}` is shorter than a millisecond")),
        span => Ok(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_the_spelling_of_go_and_of_prometheus() {
        let milliseconds = |text| duration(text).map(|span| span.as_millis());
        assert_eq!(milliseconds("10s"), Ok(10_000));
        assert_eq!(milliseconds("1m30s"), Ok(90_000));
        assert_eq!(milliseconds("500ms"), Ok(500));
        assert_eq!(milliseconds("1.5h"), Ok(5_400_000));
        assert_eq!(milliseconds("1d"), Ok(86_400_000));
        assert_eq!(milliseconds("0"), Ok(0));
        assert_eq!(milliseconds("0s"), Ok(0));
    }

    #[test]
    fn a_bad_duration_says_what_is_wrong_with_it() {
        let fault = |text| duration(text).unwrap_err();
        assert_eq!(fault("10"), "`10` is not a duration: a number has no unit");
        assert_eq!(fault("10 s"), "`10 s` is not a duration: unknown unit ` s`");
        assert_eq!(fault("s"), "`s` is not a duration: expected a number");
        assert_eq!(fault("-5s"), "`-5s` is not a duration: expected a number");
        assert_eq!(fault(""), "`` is not a duration: it is empty");
        assert_eq!(
            fault("1000y"),
            "`1000y` is not a duration: it is longer than 100 years"
        );
    }

    #[test]
    fn a_url_needs_scheme_and_host() {
        assert!(url("https://prometheus.monitoring:9090/prom/").is_ok());
        assert!(url("prometheus:9090").is_err());
        assert!(url("http://").is_err());
        assert!(url("http:///path").is_err());
    }

    #[test]
    fn booleans_have_the_spellings_of_yaml_1_1_and_go() {
        assert_eq!(boolean("yes"), Ok(true));
        assert_eq!(boolean("Off"), Ok(false));
        assert_eq!(boolean("T"), Ok(true));
        assert!(boolean("maybe").is_err());
    }
}

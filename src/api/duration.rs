//! Durations as Go writes them, for the `timeout` parameter and the `window` of usage.

use std::time::Duration;

/// Go's `time.ParseDuration` with its words; a negative duration is refused, since nothing can be done within it.
///
/// Source: Go, `src/time/format.go`.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = split_before(rest, |c| !c.is_ascii_digit() && c != '.');
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let (unit, after) = split_before(after, |c| c.is_ascii_digit() || c == '.');
        seconds += number
            * match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "" => return Err(format!("time: missing unit in duration {text:?}")),
                _ => return Err(format!("time: unknown unit {unit:?} in duration {text:?}")),
            };
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| invalid())
}

/// Go's `Duration.String`: `15.3s`, `1m0s`, `1h0m0s`.
///
/// Source: Go, `src/time/time.go`.
pub(super) fn print(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let fraction = |whole: u128, unit: u128| {
        let digits = format!("{:0width$}", whole % unit, width = unit.ilog10() as usize);
        match digits.trim_end_matches('0') {
            "" => (whole / unit).to_string(),
            digits => format!("{}.{digits}", whole / unit),
        }
    };
    let (minutes, seconds) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
    match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => fraction(nanos, 1_000) + "µs",
        1_000_000..1_000_000_000 => fraction(nanos, 1_000_000) + "ms",
        _ => {
            let seconds = fraction(seconds, 1_000_000_000) + "s";
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

fn split_before(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_clients_are_understood() {
        for (text, millis) in [
            ("32s", 32_000),
            ("0s", 0),
            ("0", 0),
            ("1m30.5s", 90_500),
            ("+1h", 3_600_000),
            (".5s", 500),
            ("1500ms", 1500),
            ("2000us", 2),
            ("2000µs", 2),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (500_000_000, "500ms"),
            (15_300_000_000, "15.3s"),
            (60_000_000_000, "1m0s"),
            (90_500_000_000, "1m30.5s"),
            (3_600_000_000_000, "1h0m0s"),
        ] {
            assert_eq!(print(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_in_the_words_of_go() {
        for (text, words) in [
            ("abc", r#"time: invalid duration "abc""#),
            ("", r#"time: invalid duration """#),
            (".s", r#"time: invalid duration ".s""#),
            ("-5s", r#"time: invalid duration "-5s""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5x", r#"time: unknown unit "x" in duration "5x""#),
        ] {
            assert_eq!(parse(text), Err(words.to_owned()), "{text}");
        }
    }
}

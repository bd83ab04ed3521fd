//! A time and a number, as the query API writes them: `[1700000000.123, "1.5"]`.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::Timestamp;

/// One point of a series.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct Point(Seconds, Number);

impl Point {
    /// When.
    pub(crate) fn at(self) -> Timestamp {
        self.0.0
    }

    /// How much.
    pub(crate) fn value(self) -> f64 {
        self.1.0
    }
}

/// A time in seconds with decimals, rounded to milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seconds(Timestamp);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // Saturates; what is out of a timestamp's range is refused next.
        let milliseconds = (seconds * 1000.0).round() as i64;
        Timestamp::from_millisecond(milliseconds)
            .map(Seconds)
            .map_err(D::Error::custom)
    }
}

/// A number in a string, `NaN`, `+Inf` and `-Inf` among them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number in a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
        text.parse()
            .map(Number)
            .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        serde_json::from_str::<Point>(&format!("[1700000000,\"{text}\"]"))
            .unwrap()
            .value()
    }

    #[test]
    fn every_float_of_prometheus_is_read() {
        assert_eq!(value("1.5"), 1.5);
        assert_eq!(value("1e+06"), 1e6);
        assert_eq!(value("-0.001"), -0.001);
        assert_eq!(value("+Inf"), f64::INFINITY);
        assert_eq!(value("-Inf"), f64::NEG_INFINITY);
        assert!(value("NaN").is_nan());
    }

    #[test]
    fn time_has_millisecond_precision() {
        let at = |text: &str| serde_json::from_str::<Point>(&format!("[{text},\"1\"]")).map(Point::at);
        assert_eq!(at("1700000000.123").unwrap().as_millisecond(), 1_700_000_000_123);
        assert_eq!(at("1700000000").unwrap().as_millisecond(), 1_700_000_000_000);
        assert!(at("1e300").is_err());
    }

    #[test]
    fn number_outside_a_string_is_refused() {
        assert!(serde_json::from_str::<Point>("[1,2]").is_err());
        assert!(serde_json::from_str::<Point>("[1,\"two\"]").is_err());
    }
}

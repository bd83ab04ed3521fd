//! Answers of the series endpoint, read without keeping label values.

use std::fmt;
use std::io::Read;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::envelope::{Envelope, is_truncation};
use crate::config::OnPartial;
use crate::prometheus::{Error, Series};

/// Reads the answer of the series endpoint from a stream; what is kept does not grow with the number of series.
pub(crate) fn read_series(body: impl Read, on_partial: OnPartial) -> Result<Series, Error> {
    // Unbuffered, the JSON reader would ask for every byte by itself.
    let body = std::io::BufReader::new(body);
    let envelope: Envelope<Found> = serde_json::from_reader(body).map_err(Error::not_json)?;
    let (found, warnings) = envelope.accept(on_partial)?;
    let truncated = warnings.iter().any(|warning| is_truncation(warning));
    Ok(Series {
        truncated,
        ..found.unwrap_or_default().0
    })
}

#[derive(Default)]
struct Found(Series);

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FoundVisitor)
    }
}

struct FoundVisitor;

impl<'de> Visitor<'de> for FoundVisitor {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        let mut series = Series::default();
        while let Some(Names { metric, labels }) = list.next_element()? {
            // No metric is made of a series without a name, and the others still count.
            if let Some(metric) = metric {
                series.labels_by_metric.entry(metric).or_default().extend(labels);
            }
        }
        Ok(Found(series))
    }
}

/// What is kept of one series.
struct Names {
    metric: Option<String>,
    labels: Vec<String>,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the labels of a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut metric = None;
        let mut labels = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__name__" {
                metric = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
                labels.push(name);
            }
        }
        Ok(Names { metric, labels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Series, Error> {
        read_series(body.as_bytes(), OnPartial::Refuse)
    }

    #[test]
    fn label_names_of_all_series_of_a_metric_come_together() {
        let body = r#"{"status":"success","data":[
            {"pod":"a","__name__":"m","namespace":"x"},
            {"__name__":"m","pod":"b","le":"1"},
            {"__name__":"n"}]}"#;
        let series = read(body).unwrap();
        let labels =
            |metric: &str| Vec::from_iter(series.labels_by_metric[metric].iter().map(String::as_str));
        assert_eq!(labels("m"), ["le", "namespace", "pod"]);
        assert_eq!(labels("n"), [""; 0]);
        assert!(!series.truncated);
    }

    #[test]
    fn reaching_the_limit_is_told() {
        let body =
            r#"{"status":"success","data":[{"__name__":"m"}],"warnings":["results truncated due to limit"]}"#;
        assert!(read(body).unwrap().truncated);
    }

    #[test]
    fn a_series_without_a_name_is_passed_over() {
        let series = read(r#"{"status":"success","data":[{"pod":"a"},{"__name__":"m"}]}"#).unwrap();
        assert_eq!(Vec::from_iter(series.labels_by_metric.keys()), ["m"]);
    }

    #[test]
    fn an_answer_that_is_cut_off_is_malformed() {
        let cut_off = read(r#"{"status":"success","data":[{"__name__":"m"}"#);
        assert!(matches!(cut_off.unwrap_err(), Error::Malformed { .. }));
    }
}

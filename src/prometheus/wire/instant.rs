//! Answers to instant queries.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::envelope::Envelope;
use super::point::Point;
use crate::config::OnPartial;
use crate::model::{Labels, Sample, Timestamp};
use crate::prometheus::{Answer, Error, Shape};

/// Reads the answer to an instant query.
pub(crate) fn read_answer(
    body: &[u8],
    evaluated_at: Timestamp,
    on_partial: OnPartial,
) -> Result<Answer, Error> {
    let envelope: Envelope<Data> = serde_json::from_slice(body).map_err(Error::not_json)?;
    let (data, warnings) = envelope.accept(on_partial)?;
    let (shape, samples) = match data {
        Some(Data::Vector(elements)) => (Shape::Vector, samples(elements.unwrap_or_default())?),
        Some(Data::Scalar(point)) => (Shape::Scalar, vec![sample(Labels::default(), point)]),
        Some(Data::Matrix(_)) => {
            return Err(Error::malformed(
                "it is a range of samples for each series (a matrix)",
            ));
        }
        Some(Data::String(_)) => return Err(Error::malformed("it is a string")),
        None => return Err(Error::malformed("it has no data")),
    };
    Ok(Answer {
        samples,
        shape,
        evaluated_at,
        warnings,
    })
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    /// `null` is a list without elements, as servers in Go write it.
    Vector(Option<Vec<Element>>),
    Scalar(Point),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

/// A series with either a number or a native histogram.
#[derive(Deserialize)]
struct Element {
    metric: WireLabels,
    value: Option<Point>,
    histogram: Option<IgnoredAny>,
}

impl Element {
    fn sample(self) -> Result<Sample, Error> {
        match (self.value, self.histogram) {
            (Some(point), _) => Ok(sample(self.metric.0, point)),
            (None, Some(_)) => Err(Error::malformed(
                "it holds native histograms, not numbers; `histogram_quantile` and its kin make numbers of them",
            )),
            (None, None) => Err(Error::malformed("it has a series without a value")),
        }
    }
}

/// The samples, with the texts of their labels' names in common.
fn samples(elements: Vec<Element>) -> Result<Vec<Sample>, Error> {
    let mut samples: Vec<Sample> = Vec::with_capacity(elements.len());
    for element in elements {
        let mut sample = element.sample()?;
        if let Some(before) = samples.last() {
            sample.labels.share_names(&before.labels);
        }
        samples.push(sample);
    }
    Ok(samples)
}

fn sample(labels: Labels, point: Point) -> Sample {
    Sample {
        labels,
        value: point.value(),
        at: point.at(),
    }
}

struct WireLabels(Labels);

impl<'de> Deserialize<'de> for WireLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LabelsVisitor)
    }
}

struct LabelsVisitor;

impl<'de> Visitor<'de> for LabelsVisitor {
    type Value = WireLabels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("label names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WireLabels, A::Error> {
        let mut labels = Labels::default();
        while let Some((name, value)) = map.next_entry::<String, Box<str>>()? {
            labels.insert(name, value);
        }
        Ok(WireLabels(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer in one line: its shape, then each sample.
    fn check(data: &str) -> String {
        let body = format!(r#"{{"status":"success","data":{data}}}"#);
        let at = Timestamp::from_second(1_700_000_000).unwrap();
        match read_answer(body.as_bytes(), at, OnPartial::Refuse) {
            Ok(answer) => answer
                .samples
                .iter()
                .fold(format!("{:?}", answer.shape), |line, sample| {
                    format!(
                        "{line} {}={}@{}",
                        sample.labels,
                        sample.value,
                        sample.at.as_millisecond()
                    )
                }),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn vector_keeps_its_order_and_odd_values() {
        let data = r#"{"resultType":"vector","result":[
            {"metric":{"pod":"b","__name__":"m"},"value":[1700000000.5,"NaN"]},
            {"metric":{},"value":[1700000000,"+Inf"]}]}"#;
        assert_eq!(
            check(data),
            r#"Vector {__name__="m",pod="b"}=NaN@1700000000500 {}=inf@1700000000000"#
        );
        for empty in ["[]", "null"] {
            let data = format!(r#"{{"resultType":"vector","result":{empty}}}"#);
            assert_eq!(check(&data), "Vector", "{empty}");
        }
    }

    #[test]
    fn scalar_is_one_sample_without_labels() {
        assert_eq!(
            check(r#"{"resultType":"scalar","result":[1700000000,"5"]}"#),
            "Scalar {}=5@1700000000000"
        );
    }

    #[test]
    fn fields_may_come_in_any_order_and_unknown_ones_are_passed_over() {
        let data =
            r#"{"result":[{"value":[1,"2"],"metric":{"a":"b"}}],"resultType":"vector","stats":{"x":[1]}}"#;
        assert_eq!(check(data), r#"Vector {a="b"}=2@1000"#);
    }

    #[test]
    fn what_is_not_a_number_a_series_cannot_be_used() {
        let cannot = |data: &str| check(data).replace("the backend's answer cannot be used: ", "");
        let histogram =
            r#"{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"1","sum":"1"}]}]}"#;
        assert!(cannot(histogram).starts_with("it holds native histograms, not numbers"));
        let series = |rest: &str| format!(r#"{{"resultType":"vector","result":[{{"metric":{{}}{rest}}}]}}"#);
        assert_eq!(cannot(&series("")), "it has a series without a value");
        assert_eq!(
            cannot(&series(r#","value":[1,"x"]"#)),
            "it is not the JSON of the query API"
        );
        assert_eq!(
            cannot(r#"{"resultType":"string","result":[1,"x"]}"#),
            "it is a string"
        );
        let matrix = r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}"#;
        assert_eq!(
            cannot(matrix),
            "it is a range of samples for each series (a matrix)"
        );
        assert_eq!(cannot("null"), "it has no data");
        assert_eq!(
            cannot(r#"{"resultType":"streams","result":[]}"#),
            "it is not the JSON of the query API"
        );
    }
}

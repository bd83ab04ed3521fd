//! Answers to instant queries.

use std::fmt;
use std::str;

use serde::de::{
    DeserializeSeed, Error as _, IgnoredAny, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::element::{With, sample};
use super::envelope::Envelope;
use super::point::Point;
use crate::config::OnPartial;
use crate::model::{GrowingSets, Labels, Sample, Timestamp};
use crate::prometheus::{Answer, Error, Shape};

/// Reads the answer to an instant query.
pub(crate) fn read_answer(
    body: &[u8],
    evaluated_at: Timestamp,
    on_partial: OnPartial,
) -> Result<Answer, Error> {
    let (data, warnings) = read(body).map_err(Error::not_json)?.accept(on_partial)?;
    let (shape, samples) = match data {
        Some(Data::Vector(samples)) => (Shape::Vector, samples.map_err(Error::malformed)?),
        Some(Data::Scalar(point)) => (Shape::Scalar, vec![sample(Labels::default(), point)]),
        Some(Data::Matrix) => {
            return Err(Error::malformed(
                "it is a range of samples for each series (a matrix)",
            ));
        }
        Some(Data::String) => return Err(Error::malformed("it is a string")),
        None => return Err(Error::malformed("it has no data")),
    };
    Ok(Answer {
        samples,
        shape,
        evaluated_at,
        warnings,
    })
}

fn read(body: &[u8]) -> serde_json::Result<Envelope<Data>> {
    // Looked through once, since the JSON reader would look through each of the many short texts in it by itself.
    let text = str::from_utf8(body).map_err(serde_json::Error::custom)?;
    serde_json::from_str(text)
}

enum Data {
    /// The samples, or why they cannot be used.
    Vector(Result<Vec<Sample>, &'static str>),
    Scalar(Point),
    Matrix,
    String,
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DataVisitor)
    }
}

struct DataVisitor;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    ResultType,
    Result,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a result and its type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let (mut result_type, mut data, mut unread) = (None::<ResultType>, None, None::<Value>);
        while let Some(field) = map.next_key()? {
            match (field, result_type) {
                (Field::ResultType, _) => result_type = Some(map.next_value()?),
                // As all backends write it.
                (Field::Result, Some(result_type)) => data = Some(map.next_value_seed(result_type)?),
                (Field::Result, None) => unread = Some(map.next_value()?),
                (Field::Other, _) => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let result_type = result_type.ok_or_else(|| A::Error::missing_field("resultType"))?;
        match (data, unread) {
            (Some(data), _) => Ok(data),
            (None, Some(unread)) => result_type.deserialize(unread).map_err(A::Error::custom),
            // As `null`.
            (None, None) => result_type.deserialize(().into_deserializer()),
        }
    }
}

/// What the result is; as a seed, reads one of that type.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ResultType {
    Vector,
    Scalar,
    Matrix,
    String,
}

impl<'de> DeserializeSeed<'de> for ResultType {
    type Value = Data;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        match self {
            ResultType::Vector => deserializer.deserialize_option(VectorVisitor),
            ResultType::Scalar => Point::deserialize(deserializer).map(Data::Scalar),
            ResultType::Matrix => IgnoredAny::deserialize(deserializer).map(|_| Data::Matrix),
            ResultType::String => IgnoredAny::deserialize(deserializer).map(|_| Data::String),
        }
    }
}

struct VectorVisitor;

impl<'de> Visitor<'de> for VectorVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    /// `null` is a list without elements, as servers in Go write it.
    fn visit_none<E: serde::de::Error>(self) -> Result<Data, E> {
        Ok(Data::Vector(Ok(Vec::new())))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Data, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Data, A::Error> {
        let (mut sets, mut points) = (GrowingSets::default(), Vec::new());
        let mut fault = Ok(());
        while let Some(element) = list.next_element_seed(With(&mut sets))? {
            match element {
                Ok(point) => points.push(point),
                Err(why) => fault = fault.and(Err(why)),
            }
        }
        let samples = || {
            let series = sets.finish().zip(points);
            series.map(|(labels, point)| sample(labels, point)).collect()
        };
        Ok(Data::Vector(fault.map(|()| samples())))
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
    fn result_may_come_before_its_type() {
        let first = |result: &str, result_type: &str| {
            check(&format!(
                r#"{{"result":{result},"stats":{{"result":[]}},"resultType":"{result_type}","more":1}}"#
            ))
        };
        let series =
            r#"[{"metric":{"a":"b"},"value":[1,"2"],"more":{}},{"metric":{"a":"c"},"value":[1,"3"]}]"#;
        assert_eq!(first(series, "vector"), r#"Vector {a="b"}=2@1000 {a="c"}=3@1000"#);
        assert_eq!(first("null", "vector"), "Vector");
        assert_eq!(check(r#"{"resultType":"vector"}"#), "Vector");
        assert_eq!(first(r#"[1,"5"]"#, "scalar"), "Scalar {}=5@1000");
        let refused = |result: &str, result_type: &str| {
            first(result, result_type).replace("the backend's answer cannot be used: ", "")
        };
        assert_eq!(refused(r#"[1,"x"]"#, "string"), "it is a string");
        assert!(refused("[]", "matrix").ends_with("(a matrix)"));
        for (result, result_type) in [(r#"[1,"x"]"#, "scalar"), ("[1]", "vector"), ("[]", "streams")] {
            assert_eq!(
                refused(result, result_type),
                "it is not the JSON of the query API"
            );
        }
    }

    #[test]
    fn labels_may_be_escaped_doubled_or_other_ones_in_each_series() {
        let labels = |sets: &[&str]| {
            let series = sets
                .iter()
                .map(|set| format!(r#"{{"metric":{set},"value":[1,"0"]}}"#));
            let series: Vec<_> = series.collect();
            check(&format!(
                r#"{{"resultType":"vector","result":[{}]}}"#,
                series.join(",")
            ))
        };
        assert_eq!(
            labels(&[
                r#"{"a":"x","b":"\u00e4\"\\"}"#,
                r#"{"\u0061":"\n","b":"€"}"#,
                "{}",
                r#"{"b":"1","a":"2"}"#
            ]),
            r#"Vector {a="x",b="ä\"\\"}=0@1000 {a="\n",b="€"}=0@1000 {}=0@1000 {a="2",b="1"}=0@1000"#
        );
        assert_eq!(
            labels(&[r#"{"a":"1","a":"2"}"#, r#"{"a":"3"}"#]),
            r#"Vector {a="2"}=0@1000 {a="3"}=0@1000"#
        );
    }

    #[test]
    fn one_series_that_cannot_be_used_refuses_all() {
        let data = r#"{"resultType":"vector","result":[
            {"metric":{},"value":[1,"1"]},{"metric":{}},{"metric":{},"value":[1,"2"]}]}"#;
        assert!(check(data).ends_with("it has a series without a value"));
        let data = r#"{"resultType":"vector","result":[{"metric":{"a":"1"},"metric":{},"value":[1,"1"]}]}"#;
        assert!(check(data).ends_with("it is not the JSON of the query API"));
        let body = b"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"5\"]},\"x\":\"\xff\"}";
        let not_utf8 = read_answer(body, Timestamp::UNIX_EPOCH, OnPartial::Refuse);
        assert!(matches!(not_utf8, Err(Error::Malformed { .. })));
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

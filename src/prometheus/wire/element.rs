//! One series of a vector, read into a sample.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::point::Point;
use crate::model::{GrowingLabels, Labels, Sample};

/// A sample, or why the series has none.
pub(crate) type Element = Result<Sample, &'static str>;

/// Reads a series that stands after these: most have labels of the same names, and keep the list of them in common.
pub(crate) struct After<'a>(pub(crate) &'a [Sample]);

impl<'de> DeserializeSeed<'de> for After<'_> {
    type Value = Element;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Element, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Metric,
    Value,
    Histogram,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for After<'_> {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let before = self.0.last().map(|sample| &sample.labels);
        let (mut labels, mut point, mut histogram) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Metric => labels = Some(map.next_value_seed(LabelsAfter(before))?),
                Field::Value => point = map.next_value()?,
                Field::Histogram => histogram = map.next_value::<Option<IgnoredAny>>()?,
                Field::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        let labels = labels.ok_or_else(|| A::Error::missing_field("metric"))?;
        Ok(match (point, histogram) {
            (Some(point), _) => Ok(sample(labels, point)),
            (None, Some(_)) => Err(
                "it holds native histograms, not numbers; `histogram_quantile` and its kin make numbers of them",
            ),
            (None, None) => Err("it has a series without a value"),
        })
    }
}

/// Labels and a point make a sample.
pub(crate) fn sample(labels: Labels, point: Point) -> Sample {
    Sample {
        labels,
        value: point.value(),
        at: point.at(),
    }
}

/// Reads the labels of a series that stands after one with those labels.
struct LabelsAfter<'a>(Option<&'a Labels>);

impl<'de> DeserializeSeed<'de> for LabelsAfter<'_> {
    type Value = Labels;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Labels, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LabelsAfter<'_> {
    type Value = Labels;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("label names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
        let mut labels = GrowingLabels::like(self.0);
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            labels.insert(&name, &value);
        }
        Ok(labels.finish())
    }
}

/// A text that is part of the body, if nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

//! One series of a vector, read into a sample.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::point::Point;
use crate::model::{GrowingSets, Labels, Sample};

/// The point of a series, or why it has none.
pub(crate) type Element = Result<Point, &'static str>;

/// Reads a series, and adds its labels to those of the others.
pub(crate) struct With<'a>(pub(crate) &'a mut GrowingSets);

impl<'de> DeserializeSeed<'de> for With<'_> {
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

impl<'de> Visitor<'de> for With<'_> {
    type Value = Element;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a series")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
        let With(sets) = self;
        let (mut labels, mut point, mut histogram) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Metric if labels.is_some() => return Err(A::Error::duplicate_field("metric")),
                Field::Metric => labels = Some(map.next_value_seed(LabelsWith(&mut *sets))?),
                Field::Value => point = map.next_value()?,
                Field::Histogram => histogram = map.next_value::<Option<IgnoredAny>>()?,
                Field::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        labels.ok_or_else(|| A::Error::missing_field("metric"))?;
        Ok(match (point, histogram) {
            (Some(point), _) => Ok(point),
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

/// Reads the labels of a series.
struct LabelsWith<'a>(&'a mut GrowingSets);

impl<'de> DeserializeSeed<'de> for LabelsWith<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LabelsWith<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("label names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let LabelsWith(sets) = self;
        while let Some((Text(name), Text(value))) = map.next_entry()? {
            sets.insert(&name, &value);
        }
        sets.end_set().map_err(A::Error::custom)
    }
}

/// A text that is part of the body, if nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

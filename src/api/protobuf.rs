//! The lists of values in protobuf, which autoscalers read with less work than JSON.
//!
//! Source: Kubernetes 1.36, `generated.proto` of k8s.io/metrics, `pkg/apis/{custom_metrics,external_metrics}`, and of
//! k8s.io/apimachinery, `pkg/runtime`, `pkg/apis/meta/v1` and `pkg/api/resource`.

use super::groups::{CustomVersion, EXTERNAL, EXTERNAL_VERSION};
use super::label_selector::LabelSelector;
use super::reply::FITS;
use super::templates::by_template;
use super::types::MetricValueList;
use crate::model::{
    self, ExternalRequest, ExternalValue, MetricValue, ObjectReference, ObjectValue, Timestamp,
};
use prost::{Message, encode_length_delimiter, length_delimiter_len};
use std::collections::BTreeMap;

/// How a body begins.
const MAGIC: &[u8] = b"k8s\0";

/// A `MetricValueList`, also for a single object.
pub(super) fn custom_list(list: MetricValueList<'_>) -> Vec<u8> {
    let mut items = Items::of(list.values.len());
    let template = |value| Template::of(&list, value);
    by_template(list.values, template, |template, name, number| {
        template.write(name, number, &mut items.0);
    });
    items.enveloped("MetricValueList", list.version.group_version())
}

/// The bytes of an item around the name of its object and its number, which alone differ in most lists.
///
/// An item is a `MetricValue` of either version, its object a `v1.ObjectReference`.
struct Template {
    /// Of the object, before its name.
    kind_and_namespace: Vec<u8>,
    /// Of the object, after its name.
    api_version: Vec<u8>,
    /// Between the object and the number.
    before_number: Vec<u8>,
    selector: Vec<u8>,
}

impl Template {
    const OBJECT: u8 = key(1);
    const KIND_OF_OBJECT: u8 = key(1);
    const NAMESPACE_OF_OBJECT: u8 = key(2);
    const NAME_OF_OBJECT: u8 = key(3);
    const API_VERSION_OF_OBJECT: u8 = key(5);
    const NUMBER: u8 = key(5);
    const TEXT_OF_NUMBER: u8 = key(1);

    fn of(list: &MetricValueList<'_>, value: &ObjectValue) -> Template {
        let ObjectReference {
            resource, namespace, ..
        } = &value.object;
        let selector = LabelSelector::echo(&list.request.metric_selector).map(Selector::from);
        let metric = list.request.metric.clone();
        let (metric, selector) = match list.version {
            CustomVersion::V1beta1 => (metric.into_bytes(), selector),
            CustomVersion::V1beta2 => {
                let name = metric;
                (MetricIdentifier { name, selector }.encode_to_vec(), None)
            }
        };
        let (mut kind_and_namespace, mut api_version) = (small(), small());
        put_text(Template::KIND_OF_OBJECT, &resource.kind, &mut kind_and_namespace);
        if let Some(namespace) = namespace {
            put_text(Template::NAMESPACE_OF_OBJECT, namespace, &mut kind_and_namespace);
        }
        let group_version = [resource.group(), "/", &resource.version].concat();
        put_text(Template::API_VERSION_OF_OBJECT, &group_version, &mut api_version);
        let before_number = BeforeNumber {
            metric,
            timestamp: Time::from(value.value.at),
            window: window(&value.value),
        };
        Template {
            kind_and_namespace,
            api_version,
            before_number: before_number.encode_to_vec(),
            selector: AfterNumber { selector }.encode_to_vec(),
        }
    }

    fn write(&self, name: &str, number: &str, body: &mut Vec<u8>) {
        let object_bytes = self.kind_and_namespace.len() + field_bytes(name.len()) + self.api_version.len();
        let number_bytes = field_bytes(number.len());
        let others_bytes = self.before_number.len() + self.selector.len();
        let item_bytes = field_bytes(object_bytes) + field_bytes(number_bytes) + others_bytes;
        put_key(Items::KEY, item_bytes, body);
        put_key(Template::OBJECT, object_bytes, body);
        body.extend_from_slice(&self.kind_and_namespace);
        put_text(Template::NAME_OF_OBJECT, name, body);
        body.extend_from_slice(&self.api_version);
        body.extend_from_slice(&self.before_number);
        put_key(Template::NUMBER, number_bytes, body);
        put_text(Template::TEXT_OF_NUMBER, number, body);
        body.extend_from_slice(&self.selector);
    }
}

/// Room for a few short texts, so that writing them does not ask for more each time.
fn small() -> Vec<u8> {
    Vec::with_capacity(64)
}

/// What stands before a field of bytes: a small number and the type.
const fn key(number: u8) -> u8 {
    number << 3 | 2
}

fn put_key(key: u8, bytes: usize, body: &mut Vec<u8>) {
    match u8::try_from(bytes) {
        // As most are.
        Ok(short @ ..0x80) => body.extend_from_slice(&[key, short]),
        _ => {
            body.push(key);
            encode_length_delimiter(bytes, body).expect(FITS);
        }
    }
}

fn put_text(key: u8, text: &str, body: &mut Vec<u8>) {
    put_key(key, text.len(), body);
    body.extend_from_slice(text.as_bytes());
}

/// What a field of so many bytes takes.
fn field_bytes(bytes: usize) -> usize {
    1 + length_delimiter_len(bytes) + bytes
}

/// An `ExternalMetricValueList`.
pub(super) fn external_list(request: &ExternalRequest, values: &[ExternalValue]) -> Vec<u8> {
    let mut item = ExternalMetricValue {
        metric_name: request.metric.clone(),
        ..ExternalMetricValue::default()
    };
    let mut items = Items::of(values.len());
    for value in values {
        let labels = value.labels.iter().flat_map(model::Labels::iter);
        item.metric_labels = labels
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        item.timestamp = Time::from(value.value.at);
        item.window = window(&value.value);
        item.value.set(&value.value);
        items.add(&item);
    }
    items.enveloped(
        "ExternalMetricValueList",
        &format!("{EXTERNAL}/{EXTERNAL_VERSION}"),
    )
}

/// A list that is written item by item. The items, of whichever kind, are its field 2.
struct Items(Vec<u8>);

impl Items {
    /// Number and type of the field, as they stand before each item.
    const KEY: u8 = key(2);
    /// Most take less.
    const USUAL_BYTES: usize = 128;

    /// With room for so many.
    fn of(count: usize) -> Items {
        Items(Vec::with_capacity(count * Items::USUAL_BYTES))
    }

    fn add(&mut self, item: &impl Message) {
        self.0.push(Items::KEY);
        item.encode_length_delimited(&mut self.0).expect(FITS);
    }

    /// The list as a body: a `runtime.Unknown`, as any object is.
    fn enveloped(self, kind: &str, api_version: &str) -> Vec<u8> {
        const TYPE: u8 = key(1);
        const API_VERSION_OF_TYPE: u8 = key(1);
        const KIND_OF_TYPE: u8 = key(2);
        const RAW: u8 = key(2);
        let Items(raw) = self;
        let mut type_meta = small();
        put_text(API_VERSION_OF_TYPE, api_version, &mut type_meta);
        put_text(KIND_OF_TYPE, kind, &mut type_meta);
        let bytes = field_bytes(type_meta.len()) + field_bytes(raw.len());
        let mut body = Vec::with_capacity(MAGIC.len() + bytes);
        body.extend_from_slice(MAGIC);
        put_key(TYPE, type_meta.len(), &mut body);
        body.extend_from_slice(&type_meta);
        put_key(RAW, raw.len(), &mut body);
        body.extend_from_slice(&raw);
        body
    }
}

fn window(value: &MetricValue) -> Option<i64> {
    let window = value.window?.as_secs();
    i64::try_from(window).ok()
}

/// The middle of a `MetricValue` of either version.
#[derive(Clone, PartialEq, Message)]
struct BeforeNumber {
    /// A text in v1beta1 and a [`MetricIdentifier`] in v1beta2: to protobuf both are so many bytes.
    #[prost(bytes = "vec", tag = "2")]
    metric: Vec<u8>,
    #[prost(message, required, tag = "3")]
    timestamp: Time,
    #[prost(int64, optional, tag = "4")]
    window: Option<i64>,
}

/// Its end.
#[derive(Clone, PartialEq, Message)]
struct AfterNumber {
    /// In v1beta1 alone.
    #[prost(message, optional, tag = "6")]
    selector: Option<Selector>,
}

#[derive(Clone, PartialEq, Message)]
struct MetricIdentifier {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    selector: Option<Selector>,
}

#[derive(Clone, PartialEq, Message)]
struct ExternalMetricValue {
    #[prost(string, tag = "1")]
    metric_name: String,
    #[prost(btree_map = "string, string", tag = "2")]
    metric_labels: BTreeMap<String, String>,
    #[prost(message, required, tag = "3")]
    timestamp: Time,
    #[prost(int64, optional, tag = "4")]
    window: Option<i64>,
    #[prost(message, required, tag = "5")]
    value: Quantity,
}

/// `metav1.Time`, in whole seconds as in JSON.
#[derive(Clone, Copy, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Time {
            seconds: at.as_second(),
        }
    }
}

#[derive(Clone, PartialEq, Message)]
struct Quantity {
    #[prost(string, tag = "1")]
    text: String,
}

impl Quantity {
    fn set(&mut self, value: &MetricValue) {
        self.text.clear();
        value.quantity.push_to(&mut self.text);
    }
}

/// `metav1.LabelSelector`.
#[derive(Clone, PartialEq, Message)]
struct Selector {
    #[prost(btree_map = "string, string", tag = "1")]
    match_labels: BTreeMap<String, String>,
    #[prost(message, repeated, tag = "2")]
    match_expressions: Vec<Requirement>,
}

#[derive(Clone, PartialEq, Message)]
struct Requirement {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    operator: String,
    #[prost(string, repeated, tag = "3")]
    values: Vec<String>,
}

impl From<LabelSelector<'_>> for Selector {
    fn from(selector: LabelSelector<'_>) -> Self {
        let labels = selector.match_labels.into_iter();
        let expressions = selector.match_expressions.into_iter();
        Selector {
            match_labels: labels
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            match_expressions: expressions
                .map(|expression| Requirement {
                    key: expression.key.to_owned(),
                    operator: expression.operator.to_owned(),
                    values: expression.values.to_vec(),
                })
                .collect(),
        }
    }
}

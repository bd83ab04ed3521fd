//! The lists of values in protobuf, which autoscalers read with less work than JSON.
//!
//! Source: Kubernetes 1.36, `generated.proto` of k8s.io/metrics, `pkg/apis/{custom_metrics,external_metrics}`, and of
//! k8s.io/apimachinery, `pkg/runtime`, `pkg/apis/meta/v1` and `pkg/api/resource`.

use super::groups::{CustomVersion, EXTERNAL, EXTERNAL_VERSION};
use super::label_selector::LabelSelector;
use super::types::{FITS, MetricValueList};
use crate::model::{self, ExternalRequest, ExternalValue, MetricValue, Timestamp};
use prost::Message;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How a body begins.
const MAGIC: &[u8] = b"k8s\0";

/// A `MetricValueList`, also for a single object.
pub(super) fn custom_list(list: MetricValueList<'_>) -> Vec<u8> {
    let MetricValueList {
        version,
        request,
        values,
    } = list;
    let selector = LabelSelector::echo(&request.metric_selector).map(Selector::from);
    let (metric, selector) = match version {
        CustomVersion::V1beta1 => (request.metric.clone().into_bytes(), selector),
        CustomVersion::V1beta2 => {
            let name = request.metric.clone();
            (MetricIdentifier { name, selector }.encode_to_vec(), None)
        }
    };
    let mut item = CustomValue {
        metric,
        selector,
        ..CustomValue::default()
    };
    let mut items = Items::of(values.len());
    for value in values {
        item.object.set(&value.object);
        item.timestamp = Time::from(value.value.at);
        item.window = window(&value.value);
        item.value.set(&value.value);
        items.add(&item);
    }
    items.enveloped("MetricValueList", version.group_version())
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
    const KEY: u8 = 2 << 3 | 2;
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

    /// The list as a body.
    fn enveloped(self, kind: &str, api_version: &str) -> Vec<u8> {
        let envelope = Unknown {
            type_meta: TypeMeta {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
            },
            raw: self.0,
        };
        let mut body = Vec::with_capacity(MAGIC.len() + envelope.encoded_len());
        body.extend_from_slice(MAGIC);
        envelope.encode(&mut body).expect(FITS);
        body
    }
}

fn window(value: &MetricValue) -> Option<i64> {
    let window = value.window?.as_secs();
    i64::try_from(window).ok()
}

/// `runtime.Unknown`: any object.
#[derive(Clone, PartialEq, Message)]
struct Unknown {
    #[prost(message, required, tag = "1")]
    type_meta: TypeMeta,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

/// `MetricValue` of either version.
#[derive(Clone, PartialEq, Message)]
struct CustomValue {
    #[prost(message, required, tag = "1")]
    object: ObjectReference,
    /// A text in v1beta1 and a [`MetricIdentifier`] in v1beta2: to protobuf both are so many bytes.
    #[prost(bytes = "vec", tag = "2")]
    metric: Vec<u8>,
    #[prost(message, required, tag = "3")]
    timestamp: Time,
    #[prost(int64, optional, tag = "4")]
    window: Option<i64>,
    #[prost(message, required, tag = "5")]
    value: Quantity,
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

/// `v1.ObjectReference`.
#[derive(Clone, PartialEq, Message)]
struct ObjectReference {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    namespace: String,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "5")]
    api_version: String,
}

impl ObjectReference {
    /// Makes it another one, in the memory that it has.
    fn set(&mut self, object: &model::ObjectReference) {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        self.kind.clone_from(&object.resource.kind);
        namespace.clone_into(&mut self.namespace);
        self.name.clone_from(&object.name);
        self.api_version.clone_from(&object.resource.group);
        self.api_version.push('/');
        self.api_version.push_str(&object.resource.version);
    }
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
        write!(self.text, "{}", value.quantity).expect(FITS);
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

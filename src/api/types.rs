//! The lists of values on the wire: keys, order and nulls as Go writes them.
//!
//! Source: k8s.io/metrics, `pkg/apis/{custom_metrics,external_metrics}`, `types.go`.

use super::groups::{CustomVersion, EXTERNAL, EXTERNAL_VERSION};
use super::label_selector::LabelSelector;
use crate::model::{
    CustomRequest, ExternalRequest, ExternalValue, Labels, MetricValue, ObjectReference, ObjectValue,
    Timestamp,
};
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Display;

/// Metadata that a list always carries and that is always empty.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ListMeta {}

/// A list of either kind.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<Item> {
    kind: &'static str,
    api_version: String,
    metadata: ListMeta,
    items: Vec<Item>,
}

impl<Item> List<Item> {
    /// A list of this kind.
    pub(super) fn new(kind: &'static str, api_version: String, items: Vec<Item>) -> Self {
        List {
            kind,
            api_version,
            metadata: ListMeta {},
            items,
        }
    }
}

/// A `MetricValueList`, also for a single object.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum MetricValueList<'a> {
    V1beta1(List<V1beta1<'a>>),
    V1beta2(List<V1beta2<'a>>),
}

impl<'a> MetricValueList<'a> {
    pub(super) fn new(version: CustomVersion, request: &'a CustomRequest, values: &'a [ObjectValue]) -> Self {
        let selector = LabelSelector::echo(&request.metric_selector);
        match version {
            CustomVersion::V1beta1 => {
                MetricValueList::V1beta1(custom_list(version, values, |value| V1beta1 {
                    described_object: DescribedObject::from(&value.object),
                    metric_name: &request.metric,
                    timestamp: time(value.value.at),
                    window: window(&value.value),
                    value: value.value.quantity.to_string(),
                    selector: selector.clone(),
                }))
            }
            CustomVersion::V1beta2 => {
                MetricValueList::V1beta2(custom_list(version, values, |value| V1beta2 {
                    described_object: DescribedObject::from(&value.object),
                    metric: MetricIdentifier {
                        name: &request.metric,
                        selector: selector.clone(),
                    },
                    timestamp: time(value.value.at),
                    window_seconds: window(&value.value),
                    value: value.value.quantity.to_string(),
                }))
            }
        }
    }
}

fn custom_list<'a, Item>(
    version: CustomVersion,
    values: &'a [ObjectValue],
    item: impl Fn(&'a ObjectValue) -> Item,
) -> List<Item> {
    let items = values.iter().map(item).collect();
    List::new("MetricValueList", version.group_version().to_owned(), items)
}

/// An item of `custom.metrics.k8s.io/v1beta1`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V1beta1<'a> {
    described_object: DescribedObject<'a>,
    metric_name: &'a str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<u64>,
    value: String,
    selector: Option<LabelSelector<'a>>,
}

/// An item of `custom.metrics.k8s.io/v1beta2`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct V1beta2<'a> {
    described_object: DescribedObject<'a>,
    metric: MetricIdentifier<'a>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_seconds: Option<u64>,
    value: String,
}

#[derive(Serialize)]
struct MetricIdentifier<'a> {
    name: &'a str,
    selector: Option<LabelSelector<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribedObject<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
    #[serde(serialize_with = "text")]
    api_version: GroupVersion<'a>,
}

/// `/v1` for the core group: the slash stays, as custom-metrics-apiserver has it in `helpers.ReferenceFor`.
struct GroupVersion<'a>(&'a ObjectReference);

impl Display for GroupVersion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0.group, self.0.version)
    }
}

impl<'a> From<&'a ObjectReference> for DescribedObject<'a> {
    fn from(object: &'a ObjectReference) -> Self {
        DescribedObject {
            kind: &object.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
            api_version: GroupVersion(object),
        }
    }
}

/// An `ExternalMetricValueList`.
pub(super) fn external_list<'a>(
    request: &'a ExternalRequest,
    values: &'a [ExternalValue],
) -> List<ExternalMetricValue<'a>> {
    let item = |value: &'a ExternalValue| ExternalMetricValue {
        metric_name: &request.metric,
        metric_labels: value.labels.as_ref().map(by_name),
        timestamp: time(value.value.at),
        window: window(&value.value),
        value: value.value.quantity.to_string(),
    };
    let items = values.iter().map(item).collect();
    List::new(
        "ExternalMetricValueList",
        format!("{EXTERNAL}/{EXTERNAL_VERSION}"),
        items,
    )
}

/// An item of `external.metrics.k8s.io/v1beta1`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalMetricValue<'a> {
    metric_name: &'a str,
    metric_labels: Option<BTreeMap<&'a str, &'a str>>,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<u64>,
    value: String,
}

/// RFC 3339 in UTC, cut off at the second: `metav1.Time`.
pub(super) fn time(at: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    PRINTER.timestamp_to_string(&at)
}

fn window(value: &MetricValue) -> Option<u64> {
    value.window.map(|window| window.as_secs())
}

fn by_name(labels: &Labels) -> BTreeMap<&str, &str> {
    labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupResource, ObjectChoice, Quantity, Selector};
    use std::time::Duration;

    fn value(milli: i64, window: Option<u64>) -> MetricValue {
        MetricValue {
            quantity: Quantity::from_milli(milli),
            at: "2026-07-01T12:34:56.987Z".parse().unwrap(),
            window: window.map(Duration::from_secs),
        }
    }

    fn object(kind: &str, group: &str, namespace: Option<&str>, name: &str) -> ObjectReference {
        ObjectReference {
            kind: kind.to_owned(),
            group: group.to_owned(),
            version: "v1".to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    fn custom(version: CustomVersion, selector: &str, values: &[ObjectValue]) -> String {
        let request = CustomRequest {
            resource: GroupResource::parse("pods"),
            namespace: Some("ns".to_owned()),
            objects: ObjectChoice::Matching(Selector::default()),
            metric: "http_requests".to_owned(),
            metric_selector: selector.parse().unwrap(),
        };
        serde_json::to_string(&MetricValueList::new(version, &request, values)).unwrap()
    }

    fn pod() -> ObjectValue {
        ObjectValue {
            object: object("Pod", "", Some("ns"), "p1"),
            value: value(1500, Some(60)),
        }
    }

    #[test]
    fn v1beta1_spells_window_and_selector_its_way() {
        assert_eq!(
            custom(CustomVersion::V1beta1, "", &[pod()]),
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta1","metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"ns","name":"p1","apiVersion":"/v1"},"metricName":"http_requests","timestamp":"2026-07-01T12:34:56Z","window":60,"value":"1500m","selector":null}]}"#
        );
    }

    #[test]
    fn v1beta2_spells_window_and_selector_its_way() {
        assert_eq!(
            custom(CustomVersion::V1beta2, "", &[pod()]),
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":[{"describedObject":{"kind":"Pod","namespace":"ns","name":"p1","apiVersion":"/v1"},"metric":{"name":"http_requests","selector":null},"timestamp":"2026-07-01T12:34:56Z","windowSeconds":60,"value":"1500m"}]}"#
        );
    }

    #[test]
    fn an_empty_list_is_no_null() {
        assert_eq!(
            custom(CustomVersion::V1beta2, "", &[]),
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":[]}"#
        );
    }

    #[test]
    fn cluster_scoped_objects_have_no_namespace_and_instant_values_no_window() {
        let ingress = ObjectValue {
            object: object("IngressClass", "networking.k8s.io", None, "public"),
            value: value(1000, None),
        };
        assert_eq!(
            custom(CustomVersion::V1beta1, "", &[ingress]),
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta1","metadata":{},"items":[{"describedObject":{"kind":"IngressClass","name":"public","apiVersion":"networking.k8s.io/v1"},"metricName":"http_requests","timestamp":"2026-07-01T12:34:56Z","value":"1","selector":null}]}"#
        );
    }

    #[test]
    fn external_values_have_labels_or_null() {
        let request = ExternalRequest {
            namespace: "default".to_owned(),
            metric: "queue_length".to_owned(),
            selector: Selector::default(),
        };
        let values = [
            ExternalValue {
                labels: Some(Labels::from_iter([("queue", "worker")])),
                value: value(42_000, Some(30)),
            },
            ExternalValue {
                labels: Some(Labels::default()),
                value: value(0, None),
            },
            ExternalValue {
                labels: None,
                value: value(500, None),
            },
        ];
        assert_eq!(
            serde_json::to_string(&external_list(&request, &values)).unwrap(),
            r#"{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":[{"metricName":"queue_length","metricLabels":{"queue":"worker"},"timestamp":"2026-07-01T12:34:56Z","window":30,"value":"42"},{"metricName":"queue_length","metricLabels":{},"timestamp":"2026-07-01T12:34:56Z","value":"0"},{"metricName":"queue_length","metricLabels":null,"timestamp":"2026-07-01T12:34:56Z","value":"500m"}]}"#
        );
    }
}

//! The lists of values on the wire: keys, order and nulls as Go writes them.
//!
//! Source: k8s.io/metrics, `pkg/apis/{custom_metrics,external_metrics}`, `types.go`.

use super::groups::{CustomVersion, EXTERNAL, EXTERNAL_VERSION};
use super::label_selector::LabelSelector;
use super::reply::SERIALIZES;
use super::templates::{BLANK, JsonTemplate, by_template};
use crate::model::{
    CustomRequest, ExternalRequest, ExternalValue, Labels, MetricValue, ObjectReference, ObjectValue,
    Resource, Timestamp,
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
#[derive(Clone, Copy)]
pub(super) struct MetricValueList<'a> {
    pub(super) version: CustomVersion,
    pub(super) request: &'a CustomRequest,
    pub(super) values: &'a [ObjectValue],
}

impl<'a> MetricValueList<'a> {
    pub(super) fn new(version: CustomVersion, request: &'a CustomRequest, values: &'a [ObjectValue]) -> Self {
        MetricValueList {
            version,
            request,
            values,
        }
    }

    fn of<Item>(&self, item: impl Fn(&'a CustomRequest, &'a ObjectValue) -> Item) -> List<Item> {
        let items = self.values.iter().map(|value| item(self.request, value));
        let api_version = self.version.group_version().to_owned();
        List::new("MetricValueList", api_version, items.collect())
    }

    /// As JSON without spaces.
    ///
    /// The items differ in name and value, so that the rest is written once.
    pub(super) fn to_vec(self) -> Vec<u8> {
        let empty = MetricValueList { values: &[], ..self };
        let mut json = serde_json::to_vec(&empty).expect(SERIALIZES);
        json.truncate(json.len() - "]}".len());
        let template = |value| self.template(value);
        by_template(self.values, template, |template, name, number| {
            if !json.ends_with(b"[") {
                json.push(b',');
            }
            template.write(name, number, &mut json);
        });
        json.extend_from_slice(b"]}");
        json
    }

    fn template(&self, value: &'a ObjectValue) -> JsonTemplate {
        let item = match self.version {
            CustomVersion::V1beta1 => serde_json::to_string(&V1beta1 {
                described_object: DescribedObject {
                    name: BLANK,
                    ..DescribedObject::from(&value.object)
                },
                value: BLANK.to_owned(),
                ..V1beta1::new(self.request, value)
            }),
            CustomVersion::V1beta2 => serde_json::to_string(&V1beta2 {
                described_object: DescribedObject {
                    name: BLANK,
                    ..DescribedObject::from(&value.object)
                },
                value: BLANK.to_owned(),
                ..V1beta2::new(self.request, value)
            }),
        };
        JsonTemplate::of(&item.expect(SERIALIZES))
    }
}

impl Serialize for MetricValueList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.version {
            CustomVersion::V1beta1 => self.of(V1beta1::new).serialize(serializer),
            CustomVersion::V1beta2 => self.of(V1beta2::new).serialize(serializer),
        }
    }
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

impl<'a> V1beta1<'a> {
    fn new(request: &'a CustomRequest, value: &'a ObjectValue) -> Self {
        V1beta1 {
            described_object: DescribedObject::from(&value.object),
            metric_name: &request.metric,
            timestamp: time(value.value.at),
            window: window(&value.value),
            value: value.value.quantity.to_string(),
            selector: LabelSelector::echo(&request.metric_selector),
        }
    }
}

impl<'a> V1beta2<'a> {
    fn new(request: &'a CustomRequest, value: &'a ObjectValue) -> Self {
        V1beta2 {
            described_object: DescribedObject::from(&value.object),
            metric: MetricIdentifier {
                name: &request.metric,
                selector: LabelSelector::echo(&request.metric_selector),
            },
            timestamp: time(value.value.at),
            window_seconds: window(&value.value),
            value: value.value.quantity.to_string(),
        }
    }
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
struct GroupVersion<'a>(&'a Resource);

impl Display for GroupVersion<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.0.group(), self.0.version)
    }
}

impl<'a> From<&'a ObjectReference> for DescribedObject<'a> {
    fn from(object: &'a ObjectReference) -> Self {
        DescribedObject {
            kind: &object.resource.kind,
            namespace: object.namespace.as_deref(),
            name: &object.name,
            api_version: GroupVersion(&object.resource),
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
    labels.iter().collect()
}

fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GroupResource, ObjectChoice, Quantity, Scope, Selector};
    use std::sync::Arc;
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
            resource: Arc::new(Resource {
                kind: kind.to_owned(),
                name: GroupResource::new(group, ""),
                version: "v1".to_owned(),
                singular: String::new(),
                scope: Scope::Namespaced,
            }),
            namespace: namespace.map(Arc::from),
            name: Arc::from(name),
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
        let list = MetricValueList::new(version, &request, values);
        let json = String::from_utf8(list.to_vec()).unwrap();
        assert_eq!(json, serde_json::to_string(&list).unwrap());
        json
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
    fn items_that_differ_in_more_than_name_and_value_have_their_own_text() {
        let values = [
            pod(),
            ObjectValue {
                object: object("Pod", "", Some("ns"), "p\"2"),
                value: value(-250, Some(60)),
            },
            ObjectValue {
                object: object("Pod", "", Some("\"name\":\"\\u0000\"\0"), "p3"),
                value: value(1000, Some(60)),
            },
            ObjectValue {
                object: object("Pod", "", Some("ns"), "p4"),
                value: value(0, None),
            },
        ];
        for version in [CustomVersion::V1beta1, CustomVersion::V1beta2] {
            let json = custom(version, "name=,value=", &values);
            assert_eq!(json.matches("\"describedObject\"").count(), 4, "{json}");
        }
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

//! What the answers look like, for the OpenAPI documents.

use super::groups::{CUSTOM, EXTERNAL, USAGE};
use serde_json::{Value, json};

/// Kinds that a group answers with.
pub(super) fn kinds(group: &str) -> &'static [&'static str] {
    match group {
        CUSTOM => &["MetricValueList"],
        USAGE => &["NodeMetrics", "NodeMetricsList", "PodMetrics", "PodMetricsList"],
        _ => &["ExternalMetricValueList"],
    }
}

/// The name upstream gives a kind, so that generated clients keep theirs.
pub(super) fn name(group: &str, version: &str, kind: &str) -> String {
    let package = match group {
        USAGE => "metrics",
        EXTERNAL => "external_metrics",
        _ => "custom_metrics",
    };
    format!("io.k8s.metrics.pkg.apis.{package}.{version}.{kind}")
}

/// Schema of a kind. Items of a list are written out in it, so that no definition clashes with one of kube-apiserver.
pub(super) fn schema(group: &str, version: &str, kind: &str) -> Value {
    let mut schema = match (group, version, kind) {
        (CUSTOM, "v1beta1", _) => list("Values of a metric.", &v1beta1_item()),
        (CUSTOM, ..) => list("Values of a metric.", &v1beta2_item()),
        (USAGE, _, "NodeMetrics") => with_kind(usage("usage", &amounts())),
        (USAGE, _, "PodMetrics") => with_kind(usage("containers", &containers())),
        (USAGE, _, "NodeMetricsList") => list("What nodes use.", &usage("usage", &amounts())),
        (USAGE, ..) => list("What pods use.", &usage("containers", &containers())),
        _ => list("Values of a metric.", &external_item()),
    };
    schema["x-kubernetes-group-version-kind"] = json!([{"group": group, "version": version, "kind": kind}]);
    schema
}

fn list(description: &str, item: &Value) -> Value {
    with_kind(json!({
        "type": "object",
        "description": description,
        "required": ["items"],
        "properties": {
            "metadata": {"type": "object"},
            "items": {"type": "array", "items": item},
        },
    }))
}

/// As it stands at the top of an answer.
fn with_kind(mut schema: Value) -> Value {
    schema["properties"]["apiVersion"] = json!({"type": "string"});
    schema["properties"]["kind"] = json!({"type": "string"});
    schema
}

/// What a pod or node uses.
fn usage(key: &str, used: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["timestamp", "window", key],
        "properties": {
            "metadata": {"type": "object", "description": "Name, namespace and labels of the object."},
            "timestamp": timestamp(),
            "window": {"type": "string", "description": "What the amounts look back over: `1m0s`."},
            key: used,
        },
    })
}

fn containers() -> Value {
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name", "usage"],
            "properties": {"name": {"type": "string"}, "usage": amounts()},
        },
    })
}

fn amounts() -> Value {
    json!({
        "type": "object",
        "description": "Amounts of `cpu` in cores and `memory` in bytes; what is not known is left out.",
        "additionalProperties": quantity(),
    })
}

fn v1beta1_item() -> Value {
    json!({
        "type": "object",
        "required": ["describedObject", "metricName", "timestamp", "value"],
        "properties": {
            "describedObject": described_object(),
            "metricName": metric_name(),
            "timestamp": timestamp(),
            "window": window(),
            "value": quantity(),
            "selector": label_selector(),
        },
    })
}

fn v1beta2_item() -> Value {
    let metric = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": metric_name(), "selector": label_selector()},
    });
    json!({
        "type": "object",
        "required": ["describedObject", "metric", "timestamp", "value"],
        "properties": {
            "describedObject": described_object(),
            "metric": metric,
            "timestamp": timestamp(),
            "windowSeconds": window(),
            "value": quantity(),
        },
    })
}

fn external_item() -> Value {
    let labels = json!({
        "type": "object",
        "description": "Labels of the series.",
        "additionalProperties": {"type": "string"},
    });
    json!({
        "type": "object",
        "required": ["metricName", "metricLabels", "timestamp", "value"],
        "properties": {
            "metricName": metric_name(),
            "metricLabels": labels,
            "timestamp": timestamp(),
            "window": window(),
            "value": quantity(),
        },
    })
}

fn described_object() -> Value {
    json!({
        "type": "object",
        "description": "The object the value belongs to.",
        "properties": {
            "kind": {"type": "string"},
            "namespace": {"type": "string"},
            "name": {"type": "string"},
            "apiVersion": {"type": "string"},
        },
    })
}

fn metric_name() -> Value {
    json!({"type": "string", "description": "Name of the metric."})
}

fn timestamp() -> Value {
    json!({"type": "string", "format": "date-time", "description": "When the value was computed."})
}

fn window() -> Value {
    json!({"type": "integer", "format": "int64", "description": "Seconds the value looks back over."})
}

fn quantity() -> Value {
    json!({"type": "string", "description": "A quantity: `1500m`, `2`, `3k`."})
}

fn label_selector() -> Value {
    let expression = json!({
        "type": "object",
        "required": ["key", "operator"],
        "properties": {
            "key": {"type": "string"},
            "operator": {"type": "string"},
            "values": {"type": "array", "items": {"type": "string"}},
        },
    });
    json!({
        "type": "object",
        "description": "The metric selector of the request.",
        "properties": {
            "matchLabels": {"type": "object", "additionalProperties": {"type": "string"}},
            "matchExpressions": {"type": "array", "items": expression},
        },
    })
}

//! OpenAPI documents: what kube-apiserver merges into its own, for `kubectl explain` and generators of clients.
//!
//! Without them kube-apiserver logs an error for each APIService and tries again for ever.

use super::document::Document;
use super::groups::{CUSTOM, EXTERNAL, GROUPS};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const JSON: &str = "application/json";

/// Swagger 2.0 for all groups in one document.
pub(super) static V2: LazyLock<Document> = LazyLock::new(|| {
    let mut paths = Map::new();
    let mut definitions = Map::new();
    for (group, version) in group_versions() {
        paths.extend(
            routes(group, version)
                .into_iter()
                .map(|route| (route.path(), route.swagger())),
        );
        definitions.insert(definition_name(group, version), list_schema(group, version));
    }
    let document = json!({"swagger": "2.0", "info": info(), "paths": paths, "definitions": definitions});
    Document::new(JSON, &document)
});

/// OpenAPI 3.0, a document for each version of a group, by its path below `/openapi/v3/`.
static V3: LazyLock<BTreeMap<String, Document>> = LazyLock::new(|| {
    let document = |(group, version): (&'static str, &'static str)| {
        let routes = routes(group, version);
        let paths: Map<_, _> = routes
            .iter()
            .map(|route| (route.path(), route.openapi()))
            .collect();
        let schemas = json!({definition_name(group, version): list_schema(group, version)});
        let components = json!({"schemas": schemas});
        let body = json!({"openapi": "3.0.0", "info": info(), "paths": paths, "components": components});
        (format!("apis/{group}/{version}"), Document::new(JSON, &body))
    };
    group_versions().map(document).collect()
});

/// The list of the documents of version 3; each address changes with its document.
pub(super) static V3_INDEX: LazyLock<Document> = LazyLock::new(|| {
    let address = |(name, document): (&String, &Document)| {
        let url = format!("/openapi/v3/{name}?hash={}", document.hash());
        (name.clone(), json!({"serverRelativeURL": url}))
    };
    let paths: Map<_, _> = V3.iter().map(address).collect();
    Document::new(JSON, &json!({"paths": paths}))
});

/// The document of one version of a group.
pub(super) fn v3(group: &str, version: &str) -> Option<&'static Document> {
    V3.get(&format!("apis/{group}/{version}"))
}

fn group_versions() -> impl Iterator<Item = (&'static str, &'static str)> {
    GROUPS
        .iter()
        .flat_map(|group| group.versions.iter().map(|version| (group.name, *version)))
}

fn info() -> Value {
    json!({"title": env!("CARGO_PKG_NAME"), "version": concat!("v", env!("CARGO_PKG_VERSION"))})
}

/// A path below a version, with what it answers.
struct Route {
    group: &'static str,
    version: &'static str,
    /// `/namespaces/{namespace}/{metric}`.
    template: &'static str,
    description: &'static str,
    /// Parameters behind the question mark.
    query: &'static [(&'static str, &'static str)],
}

fn routes(group: &'static str, version: &'static str) -> Vec<Route> {
    const METRIC_SELECTOR: (&str, &str) = (
        "metricLabelSelector",
        "Narrows the series the values are made of.",
    );
    const CUSTOM_QUERY: &[(&str, &str)] = &[
        ("labelSelector", "Chooses the objects if the name is `*`."),
        METRIC_SELECTOR,
    ];
    let route = |template, description, query| Route {
        group,
        version,
        template,
        description,
        query,
    };
    match group {
        CUSTOM => vec![
            route(
                "/namespaces/{namespace}/{resource}/{name}/{metric}",
                "A metric of one namespaced object, or of all that a selector matches.",
                CUSTOM_QUERY,
            ),
            route(
                "/namespaces/{namespace}/metrics/{metric}",
                "A metric of a namespace.",
                CUSTOM_QUERY,
            ),
            route(
                "/{resource}/{name}/{metric}",
                "A metric of one cluster-scoped object, or of all that a selector matches.",
                CUSTOM_QUERY,
            ),
        ],
        _ => vec![route(
            "/namespaces/{namespace}/{metric}",
            "A metric that describes no object of the cluster.",
            &[("labelSelector", METRIC_SELECTOR.1)],
        )],
    }
}

impl Route {
    fn path(&self) -> String {
        format!("/apis/{}/{}{}", self.group, self.version, self.template)
    }

    /// As Swagger 2.0 writes it.
    fn swagger(&self) -> Value {
        let parameters = self.parameters().into_iter().map(|mut parameter| {
            parameter["type"] = json!("string");
            parameter
        });
        let schema = format!("#/definitions/{}", definition_name(self.group, self.version));
        json!({"get": {
            "description": self.description,
            "parameters": parameters.collect::<Vec<_>>(),
            "produces": [JSON],
            "responses": {"200": {"description": "OK", "schema": {"$ref": schema}}},
        }})
    }

    /// As OpenAPI 3.0 writes it.
    fn openapi(&self) -> Value {
        let parameters = self.parameters().into_iter().map(|mut parameter| {
            parameter["schema"] = json!({"type": "string"});
            parameter
        });
        let schema = format!(
            "#/components/schemas/{}",
            definition_name(self.group, self.version)
        );
        json!({"get": {
            "description": self.description,
            "parameters": parameters.collect::<Vec<_>>(),
            "responses": {"200": {"description": "OK", "content": {JSON: {"schema": {"$ref": schema}}}}},
        }})
    }

    fn parameters(&self) -> Vec<Value> {
        let in_path = self.template.split(['{', '}']).skip(1).step_by(2);
        let in_path = in_path.map(|name| json!({"name": name, "in": "path", "required": true}));
        let in_query = self.query.iter();
        let in_query = in_query.map(|(name, text)| json!({"name": name, "in": "query", "description": text}));
        in_path.chain(in_query).collect()
    }
}

fn list_kind(group: &str) -> &'static str {
    match group {
        CUSTOM => "MetricValueList",
        _ => "ExternalMetricValueList",
    }
}

/// The name upstream gives it, so that generated clients keep theirs.
fn definition_name(group: &str, version: &str) -> String {
    let package = if group == EXTERNAL {
        "external_metrics"
    } else {
        "custom_metrics"
    };
    format!("io.k8s.metrics.pkg.apis.{package}.{version}.{}", list_kind(group))
}

/// Schema of a list, with its items in it, so that no definition clashes with one of kube-apiserver.
fn list_schema(group: &str, version: &str) -> Value {
    let item = match (group, version) {
        (CUSTOM, "v1beta1") => v1beta1_item(),
        (CUSTOM, _) => v1beta2_item(),
        _ => external_item(),
    };
    json!({
        "type": "object",
        "description": "Values of a metric.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "items": {"type": "array", "items": item},
        },
        "x-kubernetes-group-version-kind": [{"group": group, "version": version, "kind": list_kind(group)}],
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

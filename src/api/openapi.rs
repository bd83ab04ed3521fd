//! OpenAPI documents: what kube-apiserver merges into its own, for `kubectl explain` and generators of clients.
//!
//! Without them kube-apiserver logs an error for each APIService and tries again for ever.

use super::document::Document;
use super::groups::{ByServed, CUSTOM, Served, USAGE};
use super::negotiation::{JSON, PROTOBUF};
use super::schemas::{kinds, name, schema};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Swagger 2.0 for all groups in one document.
pub(super) static V2: LazyLock<ByServed<Document>> = LazyLock::new(|| ByServed::new(v2));

/// OpenAPI 3.0.
pub(super) static V3: LazyLock<ByServed<Version3>> = LazyLock::new(|| ByServed::new(Version3::new));

/// Documents of version 3.
pub(super) struct Version3 {
    /// The list of the others; each address changes with its document.
    pub(super) index: Document,
    /// One for each version of a group, by its path below `/openapi/v3/`.
    documents: BTreeMap<String, Document>,
}

impl Version3 {
    fn new(served: Served) -> Self {
        let document = |(group, version): (&'static str, &'static str)| {
            (format!("apis/{group}/{version}"), v3(group, version))
        };
        let documents: BTreeMap<_, _> = group_versions(served).map(document).collect();
        let address = |(name, document): (&String, &Document)| {
            let url = format!("/openapi/v3/{name}?hash={}", document.hash());
            (name.clone(), json!({"serverRelativeURL": url}))
        };
        let paths: Map<_, _> = documents.iter().map(address).collect();
        Version3 {
            index: Document::new(JSON, &json!({"paths": paths})),
            documents,
        }
    }

    /// The document of one version of a group.
    pub(super) fn document(&self, group: &str, version: &str) -> Option<&Document> {
        self.documents.get(&format!("apis/{group}/{version}"))
    }
}

fn v2(served: Served) -> Document {
    let mut paths = Map::new();
    let mut definitions = Map::new();
    for (group, version) in group_versions(served) {
        let routes = routes(group, version).into_iter();
        paths.extend(routes.map(|route| (route.path(), route.swagger())));
        definitions.extend(schemas(group, version));
    }
    let document = json!({"swagger": "2.0", "info": info(), "paths": paths, "definitions": definitions});
    Document::new(JSON, &document)
}

fn v3(group: &'static str, version: &'static str) -> Document {
    let routes = routes(group, version).into_iter();
    let paths: Map<_, _> = routes.map(|route| (route.path(), route.openapi())).collect();
    let components = json!({"schemas": schemas(group, version)});
    let body = json!({"openapi": "3.0.0", "info": info(), "paths": paths, "components": components});
    Document::new(JSON, &body)
}

/// What the routes of a version answer, by name.
fn schemas(group: &str, version: &str) -> Map<String, Value> {
    let kinds = kinds(group).iter();
    kinds
        .map(|kind| (name(group, version, kind), schema(group, version, kind)))
        .collect()
}

fn group_versions(served: Served) -> impl Iterator<Item = (&'static str, &'static str)> {
    served
        .groups()
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
    /// Kind of the answer.
    kind: &'static str,
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
    const OBJECT_QUERY: &[(&str, &str)] = &[
        ("labelSelector", "Chooses the objects."),
        (
            "fieldSelector",
            "Chooses the objects by `metadata.name` and `metadata.namespace`.",
        ),
    ];
    let route = |template, description, kind, query| Route {
        group,
        version,
        template,
        description,
        kind,
        query,
    };
    match group {
        CUSTOM => vec![
            route(
                "/namespaces/{namespace}/{resource}/{name}/{metric}",
                "A metric of one namespaced object, or of all that a selector matches.",
                "MetricValueList",
                CUSTOM_QUERY,
            ),
            route(
                "/namespaces/{namespace}/metrics/{metric}",
                "A metric of a namespace.",
                "MetricValueList",
                CUSTOM_QUERY,
            ),
            route(
                "/{resource}/{name}/{metric}",
                "A metric of one cluster-scoped object, or of all that a selector matches.",
                "MetricValueList",
                CUSTOM_QUERY,
            ),
        ],
        USAGE => vec![
            route("/nodes", "What nodes use.", "NodeMetricsList", OBJECT_QUERY),
            route("/nodes/{name}", "What a node uses.", "NodeMetrics", &[]),
            route(
                "/pods",
                "What pods of all namespaces use.",
                "PodMetricsList",
                OBJECT_QUERY,
            ),
            route(
                "/namespaces/{namespace}/pods",
                "What pods of a namespace use.",
                "PodMetricsList",
                OBJECT_QUERY,
            ),
            route(
                "/namespaces/{namespace}/pods/{name}",
                "What a pod uses.",
                "PodMetrics",
                &[],
            ),
        ],
        _ => vec![route(
            "/namespaces/{namespace}/{metric}",
            "A metric that describes no object of the cluster.",
            "ExternalMetricValueList",
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
        let schema = format!("#/definitions/{}", name(self.group, self.version, self.kind));
        json!({"get": {
            "description": self.description,
            "x-kubernetes-group-version-kind": self.group_version_kind(),
            "parameters": parameters.collect::<Vec<_>>(),
            "produces": self.media(),
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
            name(self.group, self.version, self.kind)
        );
        let content = self.media().iter();
        let content = content.map(|media| ((*media).to_owned(), json!({"schema": {"$ref": schema}})));
        json!({"get": {
            "description": self.description,
            "x-kubernetes-group-version-kind": self.group_version_kind(),
            "parameters": parameters.collect::<Vec<_>>(),
            "responses": {"200": {"description": "OK", "content": content.collect::<Map<_, _>>()}},
        }})
    }

    /// Media types of the answer.
    fn media(&self) -> &'static [&'static str] {
        match self.group {
            USAGE => &[JSON],
            _ => &[JSON, PROTOBUF],
        }
    }

    /// The kind of one object, by which `kubectl explain` finds its schema.
    fn group_version_kind(&self) -> Value {
        let item = self.kind.strip_suffix("List");
        let item = item.filter(|item| kinds(self.group).contains(item));
        json!({"group": self.group, "version": self.version, "kind": item.unwrap_or(self.kind)})
    }

    fn parameters(&self) -> Vec<Value> {
        let in_path = self.template.split(['{', '}']).skip(1).step_by(2);
        let in_path = in_path.map(|name| json!({"name": name, "in": "path", "required": true}));
        let in_query = self.query.iter();
        let in_query = in_query.map(|(name, text)| json!({"name": name, "in": "query", "description": text}));
        in_path.chain(in_query).collect()
    }
}

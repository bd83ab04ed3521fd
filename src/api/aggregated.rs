//! Aggregated discovery: everything in one document, for kube-apiserver only.
//!
//! The metrics are not in it, on purpose. Whatever changes here changes the discovery of the whole cluster, and every
//! client of it loads all of it again; metrics come and go with the series of a backend.
//! Nothing in Kubernetes needs the single names: autoscalers build their paths from their own specification.
//! Each version has one resource nevertheless, since some clients take an empty version for an outage.
//! The metrics are listed by `GET /apis/{group}/{version}`.

use super::document::Document;
use super::groups::{ByServed, CUSTOM, Group, Served, USAGE};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// `apidiscovery.k8s.io/v2`, asked for since Kubernetes 1.30.
pub(super) static V2: LazyLock<ByServed<Document>> = LazyLock::new(|| {
    ByServed::new(|served| {
        Document::new(
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
            &group_discovery_list(served, "apidiscovery.k8s.io/v2"),
        )
    })
});

/// `apidiscovery.k8s.io/v2beta1`, asked for before that.
pub(super) static V2BETA1: LazyLock<ByServed<Document>> = LazyLock::new(|| {
    ByServed::new(|served| {
        Document::new(
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
            &group_discovery_list(served, "apidiscovery.k8s.io/v2beta1"),
        )
    })
});

fn group_discovery_list(served: Served, api_version: &str) -> Value {
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": api_version,
        "metadata": {},
        "items": served.groups().iter().map(group).collect::<Vec<_>>(),
    })
}

fn group(group: &Group) -> Value {
    let resources = match group.name {
        USAGE => json!([
            resource("nodes", "NodeMetrics", "Cluster", &["get", "list"]),
            resource("pods", "PodMetrics", "Namespaced", &["get", "list"]),
        ]),
        CUSTOM => json!([resource(
            "custommetrics",
            "MetricValueList",
            "Namespaced",
            &["get"]
        )]),
        _ => json!([resource(
            "externalmetrics",
            "ExternalMetricValueList",
            "Namespaced",
            &["get"]
        )]),
    };
    let version =
        |version: &&str| json!({"version": version, "freshness": "Current", "resources": resources});
    json!({
        "metadata": {"name": group.name},
        "versions": group.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

/// The kind is always given: clients of Kubernetes 1.26 crash without it.
fn resource(resource: &str, kind: &str, scope: &str, verbs: &[&str]) -> Value {
    json!({
        "resource": resource,
        "responseKind": {"group": "", "version": "", "kind": kind},
        "scope": scope,
        "singularResource": "",
        "verbs": verbs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_every_group_is_current_and_not_empty() {
        let document = group_discovery_list(Served::MetricsAndUsage, "apidiscovery.k8s.io/v2");
        assert_eq!(document["apiVersion"], "apidiscovery.k8s.io/v2");
        for group in Served::MetricsAndUsage.groups() {
            let items = document["items"].as_array().unwrap();
            let item = items
                .iter()
                .find(|item| item["metadata"]["name"] == group.name)
                .unwrap();
            for version in group.versions {
                let versions = item["versions"].as_array().unwrap();
                let entry = versions
                    .iter()
                    .find(|entry| entry["version"] == *version)
                    .unwrap();
                assert_eq!(entry["freshness"], "Current");
                assert_eq!(entry["resources"][0]["verbs"][0], "get");
                assert!(entry["resources"][0]["responseKind"]["kind"].is_string());
            }
        }
    }

    #[test]
    fn the_two_forms_differ_in_their_version_only() {
        let mut newer = group_discovery_list(Served::Metrics, "apidiscovery.k8s.io/v2");
        newer["apiVersion"] = json!("apidiscovery.k8s.io/v2beta1");
        assert_eq!(
            newer,
            group_discovery_list(Served::Metrics, "apidiscovery.k8s.io/v2beta1")
        );
    }
}

//! Legacy discovery: groups, versions of a group, resources of a version.
//!
//! kube-apiserver probes the resource lists to judge whether the adapter lives, so that they are written from memory
//! and never wait for a backend. They are never empty: kubectl does not keep an empty list and asks again and again,
//! and other clients take it for an outage.

use super::groups::{CustomVersion, EXTERNAL, EXTERNAL_VERSION, Group, Served, USAGE, USAGE_VERSION};
use crate::model::GroupResource;
use crate::rules::CustomMetric;
use serde::Serialize;
use std::collections::BTreeMap;

/// `GET /apis`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiGroupList {
    kind: &'static str,
    api_version: &'static str,
    groups: Vec<GroupVersions>,
}

/// `GET /apis/{group}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiGroup {
    kind: &'static str,
    api_version: &'static str,
    #[serde(flatten)]
    group: GroupVersions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersions {
    name: &'static str,
    versions: Vec<GroupVersion>,
    preferred_version: GroupVersion,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: String,
    version: &'static str,
}

/// All groups.
pub(super) fn group_list(served: Served) -> ApiGroupList {
    ApiGroupList {
        kind: "APIGroupList",
        api_version: "v1",
        groups: served.groups().iter().map(GroupVersions::from).collect(),
    }
}

/// One group, `None` if it is not served.
pub(super) fn group(served: Served, name: &str) -> Option<ApiGroup> {
    let group = served.groups().iter().find(|group| group.name == name)?;
    Some(ApiGroup {
        kind: "APIGroup",
        api_version: "v1",
        group: GroupVersions::from(group),
    })
}

impl From<&Group> for GroupVersions {
    fn from(group: &Group) -> Self {
        let version = |version: &&'static str| GroupVersion {
            group_version: format!("{}/{version}", group.name),
            version,
        };
        GroupVersions {
            name: group.name,
            versions: group.versions.iter().map(version).collect(),
            preferred_version: version(&group.versions[0]),
        }
    }
}

/// `GET /apis/{group}/{version}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiResourceList {
    kind: &'static str,
    api_version: &'static str,
    group_version: String,
    resources: Vec<ApiResource>,
}

#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct ApiResource {
    name: String,
    singular_name: &'static str,
    namespaced: bool,
    kind: &'static str,
    verbs: &'static [&'static str],
}

/// The custom metrics, by name, or a placeholder.
pub(super) fn custom_resources<'a>(
    version: CustomVersion,
    metrics: impl Iterator<Item = &'a CustomMetric>,
) -> ApiResourceList {
    let metrics: Vec<_> = metrics.collect();
    let scopes = scopes(&metrics);
    let resources = metrics.iter().map(|metric| {
        let namespaced = scopes.get(&metric.resource).copied().unwrap_or(metric.namespaced);
        let name = format!("{}/{}", metric.resource, metric.metric);
        resource(name, namespaced, "MetricValueList")
    });
    let placeholder = resource("/custommetrics".to_owned(), false, "MetricValueList");
    resource_list(
        version.group_version().to_owned(),
        resources.collect(),
        placeholder,
    )
}

/// The external metrics, by name, or a placeholder.
pub(super) fn external_resources<'a>(metrics: impl Iterator<Item = &'a str>) -> ApiResourceList {
    let resources = metrics.map(|name| resource(name.to_owned(), true, "ExternalMetricValueList"));
    let placeholder = resource("externalmetrics".to_owned(), true, "ExternalMetricValueList");
    resource_list(
        format!("{EXTERNAL}/{EXTERNAL_VERSION}"),
        resources.collect(),
        placeholder,
    )
}

/// Nodes and pods.
pub(super) fn usage_resources() -> ApiResourceList {
    let listed = |name: &str, namespaced, kind| ApiResource {
        verbs: &["get", "list"],
        ..resource(name.to_owned(), namespaced, kind)
    };
    ApiResourceList {
        kind: "APIResourceList",
        api_version: "v1",
        group_version: format!("{USAGE}/{USAGE_VERSION}"),
        resources: vec![
            listed("nodes", false, "NodeMetrics"),
            listed("pods", true, "PodMetrics"),
        ],
    }
}

/// Whether a resource is namespaced, the same for all its metrics.
///
/// If two entries of one parent differed, kube-apiserver would drop the whole version.
/// Source: kube-aggregator, `ConvertGroupVersionIntoToDiscovery`.
fn scopes<'a>(metrics: &[&'a CustomMetric]) -> BTreeMap<&'a GroupResource, bool> {
    let mut scopes = BTreeMap::new();
    for metric in metrics {
        *scopes.entry(&metric.resource).or_default() |= metric.namespaced;
    }
    scopes
}

/// Only reading is ever listed: a group that lists `delete` takes part in the deletion of namespaces.
fn resource(name: String, namespaced: bool, kind: &'static str) -> ApiResource {
    ApiResource {
        name,
        singular_name: "",
        namespaced,
        kind,
        verbs: &["get"],
    }
}

fn resource_list(
    group_version: String,
    mut resources: Vec<ApiResource>,
    placeholder: ApiResource,
) -> ApiResourceList {
    resources.sort();
    resources.dedup();
    if resources.is_empty() {
        resources.push(placeholder);
    }
    ApiResourceList {
        kind: "APIResourceList",
        api_version: "v1",
        group_version,
        resources,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::to_string;

    fn metric(resource: &str, name: &str, namespaced: bool) -> CustomMetric {
        CustomMetric {
            resource: GroupResource::parse(resource),
            metric: name.to_owned(),
            namespaced,
        }
    }

    #[test]
    fn groups_list_every_version_and_prefer_the_newest() {
        let custom = r#""name":"custom.metrics.k8s.io","versions":[{"groupVersion":"custom.metrics.k8s.io/v1beta2","version":"v1beta2"},{"groupVersion":"custom.metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"custom.metrics.k8s.io/v1beta2","version":"v1beta2"}"#;
        let external = r#""name":"external.metrics.k8s.io","versions":[{"groupVersion":"external.metrics.k8s.io/v1beta1","version":"v1beta1"}],"preferredVersion":{"groupVersion":"external.metrics.k8s.io/v1beta1","version":"v1beta1"}"#;
        assert_eq!(
            to_string(&group_list(Served::Metrics)).unwrap(),
            format!(r#"{{"kind":"APIGroupList","apiVersion":"v1","groups":[{{{custom}}},{{{external}}}]}}"#)
        );
        assert_eq!(
            to_string(&group(Served::Metrics, "external.metrics.k8s.io")).unwrap(),
            format!(r#"{{"kind":"APIGroup","apiVersion":"v1",{external}}}"#)
        );
        assert!(group(Served::Metrics, "metrics.k8s.io").is_none());
        assert!(group(Served::MetricsAndUsage, "metrics.k8s.io").is_some());
    }

    #[test]
    fn custom_metrics_are_listed_once_and_by_name() {
        let metrics = [
            metric("nodes", "load", false),
            metric("pods", "http_requests", true),
            metric("ingresses.networking.k8s.io", "qps", true),
            metric("pods", "http_requests", true),
            metric("namespaces", "http_requests", false),
        ];
        assert_eq!(
            to_string(&custom_resources(CustomVersion::V1beta1, metrics.iter())).unwrap(),
            r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"custom.metrics.k8s.io/v1beta1","resources":[{"name":"ingresses.networking.k8s.io/qps","singularName":"","namespaced":true,"kind":"MetricValueList","verbs":["get"]},{"name":"namespaces/http_requests","singularName":"","namespaced":false,"kind":"MetricValueList","verbs":["get"]},{"name":"nodes/load","singularName":"","namespaced":false,"kind":"MetricValueList","verbs":["get"]},{"name":"pods/http_requests","singularName":"","namespaced":true,"kind":"MetricValueList","verbs":["get"]}]}"#
        );
    }

    #[test]
    fn metrics_of_one_resource_share_its_scope() {
        let metrics = [metric("pods", "a", false), metric("pods", "b", true)];
        let list = custom_resources(CustomVersion::V1beta2, metrics.iter());
        assert!(list.resources.iter().all(|resource| resource.namespaced));
    }

    #[test]
    fn a_list_without_metrics_has_a_placeholder() {
        assert_eq!(
            to_string(&custom_resources(CustomVersion::V1beta2, [].iter())).unwrap(),
            r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"custom.metrics.k8s.io/v1beta2","resources":[{"name":"/custommetrics","singularName":"","namespaced":false,"kind":"MetricValueList","verbs":["get"]}]}"#
        );
        assert_eq!(
            to_string(&external_resources([].into_iter())).unwrap(),
            r#"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"external.metrics.k8s.io/v1beta1","resources":[{"name":"externalmetrics","singularName":"","namespaced":true,"kind":"ExternalMetricValueList","verbs":["get"]}]}"#
        );
    }

    #[test]
    fn external_metrics_are_listed_once_and_by_name() {
        let list = external_resources(["queue_length", "lag", "lag"].into_iter());
        let names: Vec<_> = list
            .resources
            .iter()
            .map(|resource| resource.name.as_str())
            .collect();
        assert_eq!(names, ["lag", "queue_length"]);
    }
}

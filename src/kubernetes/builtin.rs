//! Resources that every cluster serves.

use crate::model::{GroupResource, Resource, Resources, Scope};

/// Group, version, kind, plural and scope, in order of preference for names without a group.
const BUILTIN: &[(&str, &str, &str, &str, Scope)] = &[
    ("", "v1", "Pod", "pods", Scope::Namespaced),
    ("", "v1", "Service", "services", Scope::Namespaced),
    ("", "v1", "Namespace", "namespaces", Scope::Cluster),
    ("", "v1", "Node", "nodes", Scope::Cluster),
    ("", "v1", "PersistentVolume", "persistentvolumes", Scope::Cluster),
    (
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        Scope::Namespaced,
    ),
    (
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        Scope::Namespaced,
    ),
    ("", "v1", "ConfigMap", "configmaps", Scope::Namespaced),
    ("", "v1", "Secret", "secrets", Scope::Namespaced),
    ("", "v1", "ServiceAccount", "serviceaccounts", Scope::Namespaced),
    ("", "v1", "Endpoints", "endpoints", Scope::Namespaced),
    ("", "v1", "ResourceQuota", "resourcequotas", Scope::Namespaced),
    ("", "v1", "Event", "events", Scope::Namespaced),
    ("apps", "v1", "Deployment", "deployments", Scope::Namespaced),
    ("apps", "v1", "ReplicaSet", "replicasets", Scope::Namespaced),
    ("apps", "v1", "StatefulSet", "statefulsets", Scope::Namespaced),
    ("apps", "v1", "DaemonSet", "daemonsets", Scope::Namespaced),
    ("batch", "v1", "Job", "jobs", Scope::Namespaced),
    ("batch", "v1", "CronJob", "cronjobs", Scope::Namespaced),
    (
        "networking.k8s.io",
        "v1",
        "Ingress",
        "ingresses",
        Scope::Namespaced,
    ),
    (
        "networking.k8s.io",
        "v1",
        "IngressClass",
        "ingressclasses",
        Scope::Cluster,
    ),
    (
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        Scope::Namespaced,
    ),
    (
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        Scope::Namespaced,
    ),
    (
        "storage.k8s.io",
        "v1",
        "StorageClass",
        "storageclasses",
        Scope::Cluster,
    ),
];

/// The built-in resources. The singular is the kind in lower case.
pub(super) fn resources() -> Resources {
    let resources = BUILTIN
        .iter()
        .map(|(group, version, kind, plural, scope)| Resource {
            name: GroupResource::new(group, plural),
            version: (*version).to_owned(),
            kind: (*kind).to_owned(),
            singular: kind.to_lowercase(),
            scope: *scope,
        })
        .collect();
    Resources::new(resources)
}

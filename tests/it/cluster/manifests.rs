//! The manifests as the API server takes them: by server-side apply, with unknown fields refused.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::manifests::rendered::{COMPONENTS, Rendered};
use crate::support::cluster::Cluster;

/// The kinds of operators that components use, which a bare cluster lacks. Their fields are not checked.
const FOREIGN: [(&str, &str, &str, &str); 4] = [
    ("cert-manager.io", "v1", "Certificate", "certificates"),
    ("cert-manager.io", "v1", "Issuer", "issuers"),
    ("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules"),
    ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
];

pub(crate) async fn apply(cluster: &Cluster, objects: &[Value]) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    fs::write(file.path(), list.to_string()).unwrap();
    let path = file.path().to_str().unwrap();
    cluster
        .kubectl(&["apply", "--server-side", "--validate=strict", "--filename", path])
        .await;
}

pub(crate) async fn define_foreign_kinds(cluster: &Cluster) {
    let definitions = FOREIGN.map(|(group, version, kind, plural)| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural},
                "versions": [{
                    "name": version, "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        })
    });
    apply(cluster, &definitions).await;
    cluster
        .kubectl(&[
            "wait",
            "--for=condition=Established",
            "customresourcedefinitions",
            "--all",
        ])
        .await;
}

/// Whether the adapter's service account may do this.
async fn may(cluster: &Cluster, what: &str) -> bool {
    let account = "--as=system:serviceaccount:promql-adapter:promql-adapter";
    let mut arguments = vec!["auth", "can-i", account];
    arguments.extend(what.split(' '));
    let output = cluster.kubectl_as(&cluster.ready().kubeconfig, &arguments).await;
    output.status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn base_and_components_are_taken_as_they_stand_and_give_the_rights_they_say() {
    let cluster = Cluster::start().await;
    define_foreign_kinds(&cluster).await;
    apply(&cluster, &Rendered::with(&[]).0).await;
    for component in COMPONENTS {
        apply(&cluster, &Rendered::with(&[component]).0).await;
    }

    // The controller joins the roles of objects a moment later.
    for _ in 0..100 {
        if may(&cluster, "watch services --all-namespaces").await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for allowed in [
        "watch services --all-namespaces",
        "list nodes",
        "create subjectaccessreviews.authorization.k8s.io",
        "watch configmaps/extension-apiserver-authentication -n kube-system",
        "update secrets/promql-adapter-ca -n promql-adapter",
        "patch apiservices/v1beta2.custom.metrics.k8s.io",
    ] {
        assert!(may(&cluster, allowed).await, "{allowed}");
    }
    for refused in [
        "list secrets -n promql-adapter",
        "create secrets -n kube-system",
        "get configmaps/another -n kube-system",
        "patch apiservices/v1.apps",
        "list deployments.apps --all-namespaces",
    ] {
        assert!(!may(&cluster, refused).await, "{refused}");
    }
}

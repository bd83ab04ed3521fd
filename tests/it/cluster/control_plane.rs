//! The control plane that the other tests stand on.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use crate::support::cluster::{Cluster, Kubelet};

#[tokio::test]
async fn version_is_that_of_the_linked_kubernetes() {
    let cluster = Cluster::shared().await;
    // Another version can be given, and is not in this file.
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        let module = std::fs::read_to_string("tests/cluster/go.mod").unwrap();
        let mut lines = module.lines().map(str::trim);
        let linked = lines.find_map(|line| line.strip_prefix("k8s.io/kubernetes "));
        assert_eq!(Some(cluster.ready().version.as_str()), linked);
    }
    let version = cluster.kubectl(&["version"]).await;
    assert!(
        version.contains(&format!("Server Version: {}", cluster.ready().version)),
        "{version}"
    );
}

#[tokio::test]
async fn its_authority_makes_users() {
    let cluster = Cluster::shared().await;
    let user = cluster.authority("client-ca").client("jane", &["team"]);
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = user.write(directory.path(), "jane");
    let who = cluster
        .kubectl(&[
            "auth",
            "whoami",
            "--output=json",
            &format!("--client-certificate={}", certificate.display()),
            &format!("--client-key={}", key.display()),
        ])
        .await;
    let who: serde_json::Value = serde_json::from_str(&who).unwrap();
    let user = &who["status"]["userInfo"];
    assert_eq!(
        (&user["username"], &user["groups"]),
        (&json!("jane"), &json!(["team", "system:authenticated"]))
    );
}

#[tokio::test]
async fn user_without_roles_is_refused() {
    let cluster = Cluster::shared().await;
    let output = cluster
        .kubectl_as(&cluster.ready().user_kubeconfig, &["get", "pods"])
        .await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("User \"user\" cannot list resource \"pods\""),
        "{said}"
    );
}

#[tokio::test]
async fn pods_of_a_deployment_run_and_go() {
    let cluster = Cluster::shared().await;
    let namespace = cluster.namespace("pods").await;
    let _kubelet = Kubelet::start(cluster.client().await, &namespace).await;
    let deployments: Api<Deployment> = Api::namespaced(cluster.client().await, &namespace);
    let web = serde_json::from_value(deployment("web", 3)).unwrap();
    deployments.create(&PostParams::default(), &web).await.unwrap();

    ready(&deployments, "web", 3).await;
    let fewer = Patch::Merge(json!({"spec": {"replicas": 1}}));
    deployments
        .patch("web", &PatchParams::default(), &fewer)
        .await
        .unwrap();
    ready(&deployments, "web", 1).await;
    let pods = cluster
        .kubectl(&["get", "pods", "--no-headers", "-n", &namespace])
        .await;
    assert!(pods.lines().count() == 1 && pods.contains("Running"), "{pods}");

    cluster
        .kubectl(&["delete", "namespace", &namespace, "--timeout=60s"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_server_can_be_killed_and_started_again() {
    let cluster = Cluster::start().await;
    let namespace = cluster.namespace("kept").await;
    cluster.order("kill kube-apiserver").await;
    assert!(cluster.client().await.apiserver_version().await.is_err());
    cluster.order("start kube-apiserver").await;
    cluster.kubectl(&["get", "namespace", &namespace]).await;
}

#[tokio::test]
async fn it_leaves_nothing_behind() {
    let cluster = Cluster::start().await;
    let kubeconfig = cluster.ready().kubeconfig.clone();
    let client = cluster.client().await;
    client.apiserver_version().await.unwrap();
    drop(cluster);
    assert!(!kubeconfig.parent().unwrap().exists());
    assert!(client.apiserver_version().await.is_err());
}

/// Waits until a Deployment has precisely so many ready replicas.
async fn ready(deployments: &Api<Deployment>, name: &str, replicas: i32) {
    let mut status = None;
    for _ in 0..600 {
        status = deployments.get(name).await.unwrap().status;
        let is = status.clone().unwrap_or_default();
        if (is.replicas, is.ready_replicas) == (Some(replicas), Some(replicas)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{name} does not have {replicas} ready replicas: {status:?}");
}

fn deployment(name: &str, replicas: u32) -> serde_json::Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [{"name": "main", "image": "none"}],
                    // Nothing has to be waited for.
                    "terminationGracePeriodSeconds": 0,
                },
            },
        },
    })
}

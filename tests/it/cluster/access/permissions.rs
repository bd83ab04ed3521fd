//! What somebody who is known may do.

use super::scene::{Scene, metric_in};
use crate::cluster::manifests::apply;
use crate::support::adapter::Setup;
use crate::support::cluster::Cluster;
use crate::support::server::eventually;
use serde_json::json;

#[tokio::test]
async fn who_may_read_one_metric_in_one_namespace_reads_that_and_nothing_else() {
    let scene = Scene::set("one-namespace").await;
    let namespace = scene.cluster.namespace("shop").await;
    let refused = scene.ask_for("kim", &metric_in(&namespace)).await;
    assert_eq!(refused.0, 403, "{}", refused.1);
    scene.permit("user=kim", &namespace).await;
    eventually("the refusal is forgotten", async || {
        scene.ask_for("kim", &metric_in(&namespace)).await.0 == 200
    })
    .await;

    let others = [
        metric_in("default"),
        metric_in(&namespace).replace("queue", "other"),
        metric_in("*"),
        format!("/explain{}", metric_in("default")),
        "/metrics".to_owned(),
        "/livez/ping".to_owned(),
    ];
    for path in others {
        let (status, message) = scene.ask_for("kim", &path).await;
        assert_eq!(status, 403, "{path}: {message}");
    }
    let explained = format!("/explain{}", metric_in(&namespace));
    assert_eq!(scene.ask_for("kim", &explained).await.0, 200);
}

#[tokio::test]
async fn whoever_is_known_reads_what_there_is_and_everybody_whether_it_lives() {
    let scene = Scene::set("discovery").await;
    for path in [
        "/apis",
        "/apis/external.metrics.k8s.io/v1beta1",
        "/openapi/v2",
        "/openapi/v3",
        "/version",
    ] {
        // kube-apiserver names a user and no group when it reads these.
        let (status, message) = scene.ask_for("system:aggregator", path).await;
        assert_eq!(status, 200, "{path}: {message}");
    }
    let (status, message) = scene.ask(scene.client(), &[], "/apis").await;
    assert_eq!(
        (status, message.as_str()),
        (
            403,
            "forbidden: User \"system:anonymous\" cannot get path \"/apis\""
        )
    );
    for path in ["/livez", "/readyz", "/healthz"] {
        assert_eq!(scene.ask(scene.client(), &[], path).await, (200, "ok".to_owned()));
    }
}

#[tokio::test]
async fn one_review_is_enough_for_all_that_the_autoscaler_asks() {
    let setup = Setup::new(super::scene::RULES).argument("--authorization-webhook-cache-authorized-ttl=10m");
    let scene = Scene::set_with(setup, "one-review").await;
    // The role that kube-controller-manager binds to its account.
    let autoscaler = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "one-review"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:controller:horizontal-pod-autoscaler",
        },
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": autoscaler}],
    });
    apply(scene.cluster, &[role]).await;
    let before = scene.permission_reviews().await;
    for namespace in ["a", "b", "c"] {
        for metric in ["queue_length", "other_length"] {
            let path = metric_in(namespace).replace("queue_length", metric);
            let (status, message) = scene.ask_for(autoscaler, &path).await;
            assert_eq!(status, 200, "{path}: {message}");
        }
    }
    assert_eq!(scene.permission_reviews().await, before + 1);
}

#[tokio::test]
async fn adapter_without_rights_is_not_ready_and_names_what_it_lacks() {
    let cluster = Cluster::shared().await;
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = cluster.kubeconfig_of("nobody", directory.path());
    let setup = Setup::new("rules: []").argument(&format!("--lister-kubeconfig={}", kubeconfig.display()));
    let adapter = setup.start().await;
    adapter
        .logged(
            "cannot watch ConfigMap kube-system/extension-apiserver-authentication, which says whom to trust: not permitted",
        )
        .await;
    let ready = adapter.get("/readyz").await;
    assert_eq!(ready.status(), 500);
    assert!(ready.text().await.unwrap().contains("[-]authentication failed"));
    let refused = adapter.get("/apis").await;
    assert_eq!(refused.status(), 500, "it is not known what anybody may do");
    adapter
        .logged("{apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create]}")
        .await;
}

#[tokio::test]
async fn cluster_that_is_named_for_one_question_is_asked_both() {
    let cluster = Cluster::shared().await;
    let kubeconfig = cluster.ready().kubeconfig.display();
    for flag in ["authentication", "authorization"] {
        let setup = Setup::new("rules: []")
            .objects("objects: []")
            .argument(&format!("--{flag}-kubeconfig={kubeconfig}"));
        let refused = setup.start().await.get("/apis").await;
        assert_eq!(refused.status(), 403, "{flag}");
    }
}

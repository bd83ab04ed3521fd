//! The adapter behind the aggregation layer of the API server.

use serde_json::Value;

use crate::support::adapter::{Adapter, Setup};
use crate::support::cluster::{Cluster, Registration};
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::servers::free_port;

const CUSTOM: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];
const EXTERNAL: &str = "v1beta1.external.metrics.k8s.io";

const RULES: &str = "
rules:
  - metric: requests_per_second
    rate: {counter: requests_total, window: 2m}
externalRules:
  - metric: queue_length
    objects: {}
    gauge: {series: queue_length, aggregate: sum}
";

async fn adapter(cluster: &Cluster, registration: &Registration<'_>, prometheus: &str) -> Adapter {
    let kubeconfig = cluster.ready().kubeconfig.display();
    let setup = Setup::new(RULES)
        .backend(prometheus)
        .argument(&format!("--lister-kubeconfig={kubeconfig}"));
    registration.serve(setup).start().await
}

#[tokio::test]
async fn external_metric_is_served_through_the_aggregator() {
    let (cluster, fake) = (Cluster::shared().await, FakePrometheus::start().await);
    fake.on("sum(queue_length)", Reply::vector(&[(&[], "7")]));
    let mut registration = cluster.registration().await;
    let adapter = adapter(cluster, &registration, &fake.url()).await;
    registration.register(adapter.https_port(), &[EXTERNAL]).await;

    let namespace = cluster.namespace("shop").await;
    let path = format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/queue_length");
    let answer = cluster.kubectl(&["get", "--raw", &path]).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["items"][0]["value"], "7", "{answer} {:?}", fake.requests());
}

#[tokio::test]
async fn both_groups_are_among_the_resources_that_kubectl_lists() {
    let (cluster, fake) = (Cluster::shared().await, FakePrometheus::start().await);
    let mut registration = cluster.registration().await;
    let adapter = adapter(cluster, &registration, &fake.url()).await;
    registration
        .register(adapter.https_port(), &[CUSTOM[0], CUSTOM[1], EXTERNAL])
        .await;

    let listed = async |group: &str| {
        let group = format!("--api-group={group}");
        cluster.kubectl(&["api-resources", "--output=name", &group]).await
    };
    // One entry stands for all: each name would be a resource type of the cluster.
    let external = listed("external.metrics.k8s.io").await;
    assert_eq!(external, "externalmetrics.external.metrics.k8s.io\n");
    let custom = listed("custom.metrics.k8s.io").await;
    assert_eq!(custom, "custommetrics.custom.metrics.k8s.io\n");
}

#[tokio::test]
async fn namespaces_are_deleted_while_the_adapter_is_registered() {
    let (cluster, fake) = (Cluster::shared().await, FakePrometheus::start().await);
    let mut registration = cluster.registration().await;
    let adapter = adapter(cluster, &registration, &fake.url()).await;
    registration
        .register(adapter.https_port(), &[CUSTOM[0], CUSTOM[1], EXTERNAL])
        .await;

    a_namespace_is_deleted(cluster).await;
}

#[tokio::test]
async fn namespaces_are_deleted_while_prometheus_is_down() {
    let cluster = Cluster::shared().await;
    let mut registration = cluster.registration().await;
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let adapter = adapter(cluster, &registration, &nobody).await;
    registration
        .register(adapter.https_port(), &[CUSTOM[0], CUSTOM[1], EXTERNAL])
        .await;

    let path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue_length";
    let refused = cluster
        .kubectl_as(&cluster.ready().kubeconfig, &["get", "--raw", path])
        .await;
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("queue_length") && said.contains("ServiceUnavailable"),
        "{said}"
    );
    a_namespace_is_deleted(cluster).await;
}

/// The namespace controller asks every group for what it has to delete before a namespace may go.
async fn a_namespace_is_deleted(cluster: &Cluster) {
    let namespace = cluster.namespace("goes").await;
    cluster
        .kubectl(&["create", "configmap", "in-it", "-n", &namespace])
        .await;
    cluster
        .kubectl(&["delete", "namespace", &namespace, "--timeout=60s"])
        .await;
}

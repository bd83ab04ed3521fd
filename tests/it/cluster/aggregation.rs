//! The adapter behind the aggregation layer of the API server.

use serde_json::Value;

use crate::support::adapter::{Adapter, Setup};
use crate::support::cluster::{Cluster, Registration};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

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
    let client_ca = cluster.authority_file("request-header-ca");
    let setup = Setup::new(RULES)
        .objects("objects: []")
        .backend(prometheus)
        .argument(&format!("--client-ca-file={}", client_ca.display()));
    registration.serve(setup).start().await
}

#[tokio::test]
async fn external_metric_is_served_through_the_aggregator() {
    let (cluster, fake) = (Cluster::shared().await, FakePrometheus::start().await);
    fake.on("sum(queue_length)", Reply::vector(&[(&[], "7")]));
    let mut registration = cluster.registration().await;
    let adapter = adapter(cluster, &registration, &fake.url()).await;
    registration.register(&adapter, &[EXTERNAL]).await;

    let namespace = cluster.namespace("shop").await;
    let path = format!("/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/queue_length");
    let answer = cluster.kubectl(&["get", "--raw", &path]).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["items"][0]["value"], "7", "{answer} {:?}", fake.requests());
}

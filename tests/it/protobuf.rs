//! Lists in protobuf, read as the autoscaler's controller reads them.

use serde_json::Value;

use crate::support::adapter::{Adapter, Setup};
use crate::support::cluster::decoded;
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::servers::http_client;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

const RULES: &str = "
freshFor: 0s
rules:
  - metric: qps
    rate: {counter: requests_total, window: 2m}
  - metric: load
    objects: {nodes: node}
    gauge: {series: load}
externalRules:
  - metric: depth
    query: {promql: 'sum by (queue) (depth)'}
";

const OBJECTS: &str = "
objects:
  - {resource: pods, namespace: shop, name: p1}
  - {resource: pods, namespace: shop, name: p2}
  - {resource: nodes, name: n1}
";

/// With and without namespaces, windows, selectors and labels; with fractions, and numbers that are negative and large.
#[tokio::test]
async fn controller_reads_of_protobuf_what_json_says() {
    let fake = FakePrometheus::start().await;
    let pods = [
        ([("pod", "p1")].as_slice(), "0.3335"),
        (&[("pod", "p2")], "9000000000000"),
    ];
    let pods = || Reply::vector(&pods);
    let of_pods = r#"namespace="shop",pod=~"p1|p2""#;
    fake.on(
        &format!("sum by (pod) (rate(requests_total{{{of_pods}}}[2m]))"),
        pods(),
    );
    let selected = r#"code="200",method=~"GET|POST",namespace="shop",path!="",pod=~"p1|p2""#;
    fake.on(
        &format!("sum by (pod) (rate(requests_total{{{selected}}}[2m]))"),
        pods(),
    );
    fake.on(
        r#"sum by (node) (load{node="n1"})"#,
        Reply::vector(&[(&[("node", "n1")], "-12.5")]),
    );
    let depths = Reply::vector(&[(&[("queue", "a"), ("team", "x")], "1"), (&[("queue", "b")], "0")]);
    fake.on(r#"sum by (queue) (depth{namespace="shop"})"#, depths);
    let adapter = Setup::new(RULES)
        .objects(OBJECTS)
        .backend(&fake.url())
        .start()
        .await;
    let qps = "namespaces/shop/pods/*/qps";
    let selector = "metricLabelSelector=code%3D200,method+in+(GET,POST),path";
    for path in [
        &format!("custom.metrics.k8s.io/v1beta1/{qps}"),
        &format!("custom.metrics.k8s.io/v1beta2/{qps}"),
        &format!("custom.metrics.k8s.io/v1beta1/{qps}?{selector}"),
        &format!("custom.metrics.k8s.io/v1beta2/{qps}?{selector}"),
        "custom.metrics.k8s.io/v1beta2/nodes/n1/load",
        "external.metrics.k8s.io/v1beta1/namespaces/shop/depth",
    ] {
        let (json, protobuf) = (
            body(&adapter, path, "application/json").await,
            body(&adapter, path, PROTOBUF).await,
        );
        let json: Value = serde_json::from_slice(&json).unwrap();
        assert_ne!(json["items"].as_array().unwrap().len(), 0, "{json}");
        assert_eq!(decoded(&protobuf, 1), json, "{path}");
        assert!(protobuf.len() * 4 < json.to_string().len() * 3, "{path}");
    }
}

/// Of an answer in the form that was asked for.
async fn body(adapter: &Adapter, path: &str, accept: &str) -> Vec<u8> {
    let request = http_client().get(format!("{}/apis/{path}", adapter.url));
    let response = request.header("Accept", accept).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()["content-type"], accept, "{path}");
    response.bytes().await.unwrap().to_vec()
}

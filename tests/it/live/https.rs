//! The way in that kube-apiserver takes: HTTPS, HTTP/2, a client certificate.

use reqwest::Version;
use serde_json::{Value, json};

use super::{OBJECTS, custom};
use crate::support::adapter::Setup;
use crate::support::certificates::Authority;
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::server::Home;
use crate::support::servers::free_port;

const QUERY: &str = r#"sum by (pod) (rate(requests_total{namespace="shop",pod="cart-0"}[2m]))"#;

#[tokio::test]
async fn metric_is_served_over_http_2_to_who_shows_a_certificate() {
    let (home, clients, fake) = (Home::new(), Authority::new(), FakePrometheus::start().await);
    fake.on(QUERY, Reply::vector(&[(&[("pod", "cart-0")], "1.5")]));
    std::fs::write(home.path().join("clients.crt"), clients.pem()).unwrap();
    let file = |name: &str| home.path().join(name).display().to_string();
    let port = free_port();
    let rules = "rules:\n  - metric: qps\n    rate: {counter: requests_total, window: 2m}\n";
    let _adapter = Setup::new(rules)
        .objects(OBJECTS)
        .backend(&fake.url())
        .argument(&format!("--secure-port={port}"))
        .argument(&format!("--tls-cert-file={}", file("tls.crt")))
        .argument(&format!("--tls-private-key-file={}", file("tls.key")))
        .argument(&format!("--client-ca-file={}", file("clients.crt")))
        .argument("--bind-address=127.0.0.1")
        .start()
        .await;
    let url = format!("https://127.0.0.1:{port}{}", custom("pods/cart-0/qps"));

    let client = home.client_showing(&clients.client("system:kube-aggregator", &[]));
    let response = client.get(&url).send().await.unwrap();
    assert_eq!(
        (response.version(), response.status().as_u16()),
        (Version::HTTP_2, 200)
    );
    let list: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(list["kind"], "MetricValueList");
    let item = &list["items"][0];
    assert_eq!(
        (&item["value"], &item["windowSeconds"]),
        (&json!("1500m"), &json!(120))
    );

    let stranger = home.client().get(&url).send().await.unwrap();
    assert_eq!(stranger.status().as_u16(), 401);
    assert_eq!(fake.requests().len(), 1, "who is not let in asks nothing");
}

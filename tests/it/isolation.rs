//! The real program: what goes wrong for one backend, one caller or one rule stays there.

use crate::support::adapter::{Adapter, Setup};
use crate::support::fake_prometheus::{FakePrometheus, Reply};
use crate::support::server::eventually;

const CUSTOM: &str = "/apis/custom.metrics.k8s.io/v1beta2";

/// An upstream-form rule that must look for series whose names begin so.
fn pattern_rule(beginning: &str, backend: &str) -> String {
    format!(
        "  - seriesQuery: '{{__name__=~\"^{beginning}_.*\"}}'\n    backend: {backend}\n    \
         resources: {{template: '<<.Resource>>'}}\n    metricsQuery: 'sum(<<.Series>>{{<<.LabelMatchers>>}}) by (<<.GroupBy>>)'\n"
    )
}

fn backends(default: &FakePrometheus, other: &FakePrometheus) -> String {
    format!(
        "backends:\n  default: {{url: '{}'}}\n  other: {{url: '{}'}}\n",
        default.url(),
        other.url()
    )
}

#[tokio::test]
async fn a_backend_that_hangs_does_not_hold_up_the_discovery_of_another() {
    let (hanging, other) = (FakePrometheus::start().await, FakePrometheus::start().await);
    let mut config = backends(&hanging, &other) + "rules:\n";
    for beginning in ["a", "b", "c", "d", "e", "f"] {
        config += &pattern_rule(beginning, "default");
        hanging.on(&format!("{{__name__=~\"^{beginning}_.*\"}}"), Reply::hang());
    }
    config += &pattern_rule("jobs", "other");
    let series = r#"{"status":"success","data":[{"__name__":"jobs_waiting","namespace":"shop","pod":"a"}]}"#;
    other.on("{__name__=~\"^jobs_.*\"}", Reply::json(series));
    let adapter = Setup::new(&config).start().await;
    eventually("the metric of the other backend is listed", async || {
        let (_, listed) = adapter.json(CUSTOM).await;
        listed.to_string().contains("pods/jobs_waiting")
    })
    .await;
}

#[tokio::test]
async fn words_about_a_query_are_for_who_asked_and_for_the_log() {
    let fake = FakePrometheus::start().await;
    let query = r#"sum by (pod) (load{namespace="shop",pod="cart-0"})"#;
    fake.on(
        query,
        Reply::error(422, "execution", "label `tenant-7` is missing"),
    );
    let adapter = Setup::new("rules:\n  - metric: load\n    gauge: {series: load}\n")
        .backend(&fake.url())
        .start()
        .await;
    let (status, told) = adapter
        .json(&format!("{CUSTOM}/namespaces/shop/pods/cart-0/load"))
        .await;
    assert_eq!(status, 500, "{told}");
    assert!(told.to_string().contains("tenant-7"), "{told}");
    let shown = adapter.get("/readyz?verbose").await.text().await.unwrap();
    assert!(
        shown.contains("backend default: the backend rejected the query\n"),
        "{shown}"
    );
    adapter.logged("backend default: a query failed").await;
    assert!(
        adapter.log().contains("label `tenant-7` is missing"),
        "{}",
        adapter.log()
    );
}

#[tokio::test]
async fn the_log_says_why_a_backend_is_unreachable_and_keeps_its_password() {
    let adapter = Setup::new("rules:\n  - metric: load\n    gauge: {series: load}\n")
        .backend("http://adapter:hunter2@127.0.0.1:1")
        .start()
        .await;
    let (status, told) = adapter
        .json(&format!("{CUSTOM}/namespaces/shop/pods/cart-0/load"))
        .await;
    assert_eq!(status, 503, "{told}");
    adapter.logged("Connection refused").await;
    let everything = adapter.log() + &adapter.metrics().await + &told.to_string();
    assert!(!everything.contains("hunter2"), "{everything}");
}

#[tokio::test]
async fn the_last_value_of_a_service_is_not_served_for_another_kind_of_service() {
    let fake = FakePrometheus::start().await;
    let query = r#"sum by (service) (load{namespace="shop",service="web"})"#;
    fake.on(query, Reply::vector(&[(&[("service", "web")], "5")]));
    let adapter = Setup::new(
        "rules:\n  - metric: load\n    objects: {namespace: namespace, services: service, services.example.com: other}\n    \
         gauge: {series: load}\n    onEmpty: {answer: last, within: 36500d}\n",
    )
    .objects("objects: []\nresources:\n  - {group: example.com, version: v1, kind: Service, plural: services}\n")
    .backend(&fake.url())
    .start()
    .await;
    assert_eq!(load_of(&adapter, "services/web").await, "200 5");
    assert_eq!(load_of(&adapter, "services.example.com/web").await, "404 ");
    // Another metric selector is another query, which brings nothing, of the service that is known.
    let narrowed = "services/web/load?metricLabelSelector=code%3D500";
    let (status, _) = adapter
        .json(&format!("{CUSTOM}/namespaces/shop/{narrowed}"))
        .await;
    assert_eq!(status, 404);
}

/// Status and value.
async fn load_of(adapter: &Adapter, object: &str) -> String {
    let (status, answer) = adapter
        .json(&format!("{CUSTOM}/namespaces/shop/{object}/load"))
        .await;
    format!(
        "{status} {}",
        answer["items"][0]["value"].as_str().unwrap_or_default()
    )
}

//! Fixed targets: what is answered of them, and what not.

use promql_adapter::api::Explanation;

use super::{AT_ONCE, CUSTOM, EXTERNAL, answer, answers, expose};
use crate::support::adapter::{Adapter, Setup};
use crate::support::fake_prometheus::{FakePrometheus, Reply};

const OBJECTS: &str = "\
objects:
  - {resource: pods, namespace: shop, name: cart-0}
  - {resource: pods, namespace: shop, name: cart-1}
";

/// The rules of each kind that is answered, and some that are not.
const RULES: &str = r#"
rules:
  - metric: busy
    gauge: {series: busy}
  - metric: qps
    rate: {counter: requests_total, window: 2s}
  - seriesQuery: '{__name__=~"^requests_.*",namespace!="",pod!=""}'
    resources: {template: <<.Resource>>}
    metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
  - metric: described
    query: {promql: 'sum by (pod) (info(busy))'}
  - metric: ambiguous
    query: {promql: 'sum by (pod) (busy + on () busy)'}
externalRules:
  - metric: queue
    gauge: {series: queue_depth, aggregate: sum}
"#;

/// A service of two pods, and what each exposes.
struct Scene {
    service: FakePrometheus,
}

impl Scene {
    async fn start() -> Scene {
        let service = FakePrometheus::start().await;
        expose(
            &service,
            "/0",
            "busy 3\nrequests_total 100\nqueue_depth 4\nunread 1\n",
        );
        expose(
            &service,
            "/1",
            "busy 5\nrequests_total 200\nqueue_depth 6\nunread 1\n",
        );
        Scene { service }
    }

    fn setup(&self) -> Setup {
        self.setup_with("")
    }

    /// With another key of `embedded`.
    fn setup_with(&self, key: &str) -> Setup {
        let target = |pod: usize| {
            let url = self.service.url();
            format!("        - {{url: '{url}/{pod}', labels: {{namespace: shop, pod: cart-{pod}}}}}\n")
        };
        let targets = target(0) + &target(1);
        let backends = format!(
            "backends:\n  default:\n    embedded:\n      scrapeInterval: 200ms\n{key}      targets:\n{targets}"
        );
        Setup::new(&format!("{AT_ONCE}{backends}{RULES}")).objects(OBJECTS)
    }

    async fn adapter(&self) -> Adapter {
        self.setup().start().await
    }
}

fn of_pods(metric: &str) -> String {
    format!("{CUSTOM}/namespaces/shop/pods/*/{metric}")
}

fn queue() -> String {
    format!("{EXTERNAL}/namespaces/shop/queue")
}

#[tokio::test]
async fn custom_and_external_metrics_are_answered_from_what_was_scraped() {
    let scene = Scene::start().await;
    let adapter = scene.adapter().await;
    answers(&adapter, &of_pods("busy"), "cart-0=3 cart-1=5").await;
    answers(&adapter, &queue(), "10").await;
    // Found by the pattern of its rule.
    answers(&adapter, &of_pods("requests_total"), "cart-0=100 cart-1=200").await;
    // A counter that stands still has a rate, once the window of the rate is full.
    answers(&adapter, &of_pods("qps"), "cart-0=0 cart-1=0").await;

    let (_, body) = adapter.json(&format!("/explain{}", of_pods("busy"))).await;
    let explanation: Explanation = serde_json::from_value(body).unwrap();
    let ages = &explanation.way.sample_ages;
    assert_eq!(ages.len(), 2, "{ages:?}");
    assert!(ages.iter().all(|age| age.seconds < 5.0), "{ages:?}");

    let ready = adapter.get("/readyz?verbose").await.text().await.unwrap();
    assert!(ready.contains("[i]backend default: answered"), "{ready}");
    let metrics = adapter.metrics().await;
    let kept = "promql_adapter_window_series{backend=\"default\"} 6";
    assert!(metrics.contains(kept), "{metrics}");
    let asked =
        r#"promql_adapter_backend_requests_total{backend="default",endpoint="query",outcome="success"}"#;
    assert!(metrics.contains(asked), "{metrics}");
}

#[tokio::test]
async fn target_that_is_gone_has_no_value_and_comes_back() {
    let scene = Scene::start().await;
    let adapter = scene.adapter().await;
    answers(&adapter, &of_pods("busy"), "cart-0=3 cart-1=5").await;
    scene.service.on("/1", Reply::status(500, "no"));
    answers(&adapter, &of_pods("busy"), "cart-0=3").await;
    let alone = format!("{CUSTOM}/namespaces/shop/pods/cart-1/busy");
    answers(
        &adapter,
        &alone,
        "404 the server could not find the metric busy for pods cart-1: …",
    )
    .await;
    expose(&scene.service, "/1", "busy 7\n");
    answers(&adapter, &of_pods("busy"), "cart-0=3 cart-1=7").await;
}

#[tokio::test]
async fn after_a_start_nothing_is_answered_of_a_window_that_is_not_full() {
    let scene = Scene::start().await;
    let adapter = scene.adapter().await;
    answers(&adapter, &of_pods("qps"), "cart-0=0 cart-1=0").await;
    adapter.terminate().await;

    let adapter = scene.adapter().await;
    let (code, body) = adapter.json(&of_pods("qps")).await;
    let message = body["message"].as_str().unwrap();
    assert_eq!(code, 503, "{message}");
    assert!(
        message.ends_with(
            "(rules[1]): the embedded backend has scraped for 0 s, and the query looks back for 2 s"
        ),
        "{message}"
    );
    answers(&adapter, &of_pods("qps"), "cart-0=0 cart-1=0").await;
    assert!(!adapter.log().contains("a query failed"), "{}", adapter.log());
}

#[tokio::test]
async fn numbers_are_not_served_while_series_are_missing_for_want_of_memory() {
    let scene = Scene::start().await;
    let adapter = scene.setup_with("      memoryLimitBytes: 20000\n").start().await;
    answers(&adapter, &queue(), "10").await;
    let many: String = (0..100)
        .map(|job| format!("queue_depth{{job=\"{job}\"}} 1\n"))
        .collect();
    expose(&scene.service, "/1", &many);
    let incomplete =
        "500 unable to fetch metric queue (externalRules[0]): the backend's answer is incomplete";
    answers(&adapter, &queue(), incomplete).await;
    adapter.logged("backend default has no memory left").await;
    expose(&scene.service, "/1", "queue_depth 8\n");
    answers(&adapter, &queue(), "12").await;
}

#[tokio::test]
async fn rule_that_is_not_computed_is_disabled_by_name_and_the_others_go_on() {
    let scene = Scene::start().await;
    let adapter = scene.adapter().await;
    let named = "the embedded backend does not compute `info()`";
    adapter
        .logged(&format!(
            "disabled: config.yaml:22: rules[3].query.promql: {named}"
        ))
        .await;
    let refused = answer(&adapter, &of_pods("described")).await;
    assert!(
        refused.starts_with("404 ") && refused.ends_with(named),
        "{refused}"
    );
    answers(&adapter, &of_pods("busy"), "cart-0=3 cart-1=5").await;
    // The labels that collide have addresses in them, so only the log says which.
    let rejected = "500 unable to fetch metric ambiguous (rules[4]): the backend rejected the query";
    answers(&adapter, &of_pods("ambiguous"), rejected).await;
    adapter.logged("several samples on the").await;
    let ready = adapter.get("/readyz?verbose").await.text().await.unwrap();
    assert!(ready.contains("[i]rules[3]: disabled, see the log"), "{ready}");
}

#[tokio::test]
async fn explanation_without_a_server_says_where_the_samples_are() {
    let scene = Scene::start().await;
    let path = of_pods("busy");
    let ended = scene
        .setup()
        .run(&[
            "explain",
            &path,
            "--config=config.yaml",
            "--objects-file=objects.yaml",
        ])
        .await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains(
            "backend default has samples only where it scrapes: ask an adapter that serves, by --server"
        ),
        "{}",
        ended.stderr
    );
}

//! The real servers start, scrape the workload, and tell the same as the workload itself.

use std::time::Duration;

use promql_adapter::workload::{Load, Options, Truth};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::support::servers::{Backend, Kind, Shop, http_client, start_shop};

/// A range that the tests need not wait long for, and the scrape interval of the backends.
const WINDOW_SECONDS: f64 = 6.0;
const SCRAPE_SECONDS: f64 = 1.0;

const CLASSIC_P95: &str =
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[6s])))";
const NATIVE_P95: &str = "histogram_quantile(0.95, sum(rate(http_request_duration_seconds[6s])))";

#[tokio::test]
async fn prometheus_2_agrees_with_the_workload() {
    check(Kind::Prometheus2).await;
}

#[tokio::test]
async fn prometheus_3_agrees_with_the_workload_and_has_native_histograms() {
    check(Kind::Prometheus3).await;
}

#[tokio::test]
async fn old_victoria_metrics_agrees_with_the_workload() {
    check(Kind::VictoriaMetricsOld).await;
}

#[tokio::test]
async fn new_victoria_metrics_agrees_with_the_workload() {
    check(Kind::VictoriaMetricsNew).await;
}

#[tokio::test]
async fn truth_is_served_beside_the_metrics() {
    let shop = start_shop(Options::default());
    let address = shop.workload.targets()[0].address;
    let url = format!("http://{address}/truth?seconds=30");
    let text = http_client().get(url).send().await.unwrap().text().await.unwrap();
    let truth: Truth = serde_json::from_str(&text).unwrap();
    assert_eq!(truth.window_seconds, 30.0);
    shop.workload.stop().await;
}

#[tokio::test]
async fn stopped_workload_listens_no_more() {
    let shop = start_shop(Options::default());
    let address = shop.workload.targets()[2].address;
    assert!(TcpStream::connect(address).await.is_ok());
    shop.workload.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

async fn check(kind: Kind) {
    // An even load: the error then is that of the window's edges alone.
    let load = Load {
        lowest: 60.0,
        highest: 60.0,
        period: Duration::from_secs(60),
    };
    let shop = start_shop(Options {
        load,
        ..Options::default()
    });
    let backend = Backend::start(kind, &shop.targets_file).await;
    let whole_window = "min(count_over_time(http_request_duration_seconds_count[6s])) >= 6";
    backend.wait_for(whole_window).await;

    let end = rates_agree(&backend, &shop).await;
    p95_agrees(&backend, &shop, end).await;
    if kind == Kind::Prometheus3 {
        native_p95_agrees_with_classic(&backend, end).await;
    }
    queues_carry_the_labels_of_a_cluster(&backend).await;
    shop.workload.stop().await;
}

/// Returns the time at which the backend evaluated.
async fn rates_agree(backend: &Backend, shop: &Shop) -> f64 {
    let rates = backend
        .wait_for("sum by (pod) (rate(http_requests_total[6s]))")
        .await;
    let end = rates[0]["value"][0].as_f64().unwrap();
    let truth = shop.workload.truth(end, WINDOW_SECONDS);
    assert_eq!(rates.len(), truth.pods.len(), "{rates:?}");
    for rate in &rates {
        let pod = rate["metric"]["pod"].as_str().unwrap();
        let served = truth.pods[pod].requests_in_window as f64 / WINDOW_SECONDS;
        // The window may lie one scrape beside the truth's, at both ends.
        let error = served * 2.0 * SCRAPE_SECONDS / WINDOW_SECONDS;
        let rate = value(rate);
        assert!(
            (rate - served).abs() <= error,
            "{pod}: {rate} a second, truth {served}"
        );
    }
    end
}

async fn p95_agrees(backend: &Backend, shop: &Shop, end: f64) {
    let truth = shop.workload.truth(end, WINDOW_SECONDS);
    let exact = truth.durations.unwrap().p95;
    let p95 = value(&backend.query(CLASSIC_P95, Some(end)).await[0]);
    // The bucket that holds the value ends at 30 or 50 ms.
    assert!((p95 - exact).abs() < 0.020, "p95 is {p95}, truth {exact}");
}

async fn native_p95_agrees_with_classic(backend: &Backend, end: f64) {
    let classic = value(&backend.query(CLASSIC_P95, Some(end)).await[0]);
    let native = value(&backend.query(NATIVE_P95, Some(end)).await[0]);
    assert!(
        (native - classic).abs() < 1e-6,
        "native {native}, classic {classic}"
    );
}

async fn queues_carry_the_labels_of_a_cluster(backend: &Backend) {
    let depths = backend.query(r#"queue_depth{queue="orders"}"#, None).await;
    assert_eq!(depths.len(), 3, "{depths:?}");
    for (label, expected) in [("namespace", "shop"), ("service", "cart")] {
        assert_eq!(depths[0]["metric"][label], expected);
    }
}

fn value(sample: &Value) -> f64 {
    sample["value"][1].as_str().unwrap().parse().unwrap()
}

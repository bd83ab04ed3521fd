//! The closed loop: the stock controller asks the adapter, sets replicas, and the replicas change what is measured.
//!
//! All scenarios share one control plane and one adapter, each has its own namespace, and they run at the same time.

mod holding;
mod manifests;
mod outages;
mod scaling;
mod service;
mod stage;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::support::cluster::Cluster;
use stage::Stage;

type Scenario<'a> = (&'static str, Pin<Box<dyn Future<Output = ()> + 'a>>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stock_autoscaler_follows_the_load_and_holds_without_values() {
    let cluster = Cluster::start().await;
    let stage = Stage::set(&cluster).await;
    together(vec![
        (
            "scales on requests by pod",
            Box::pin(scaling::on_requests_by_pod(&stage)),
        ),
        (
            "scales on an external metric",
            Box::pin(scaling::on_an_external_metric(&stage)),
        ),
        (
            "scales on the latency of a service",
            Box::pin(scaling::on_the_latency_of_a_service(&stage)),
        ),
        ("scales on CPU", Box::pin(scaling::on_cpu(&stage))),
        (
            "scales on all of the guide",
            Box::pin(scaling::on_all_of_the_guide(&stage)),
        ),
        (
            "holds while Prometheus is dead",
            Box::pin(holding::while_prometheus_is_dead(&stage)),
        ),
        (
            "holds while Prometheus hangs",
            Box::pin(holding::while_prometheus_hangs(&stage)),
        ),
        (
            "holds while a metric is not a number",
            Box::pin(holding::while_a_metric_is_not_a_number(&stage)),
        ),
        (
            "holds while a metric is missing",
            Box::pin(holding::while_a_metric_is_missing(&stage)),
        ),
        (
            "never falls while one metric of two is missing",
            Box::pin(holding::while_one_metric_of_two_is_missing(&stage)),
        ),
    ])
    .await;
    outages::one_after_the_other(&stage).await;
}

/// Plays scenarios at the same time, each to its end, and then tells which did not pass.
async fn together(scenarios: Vec<Scenario<'_>>) {
    let played = scenarios.into_iter().map(async |(name, scenario)| {
        let outcome = AssertUnwindSafe(scenario).catch_unwind().await;
        outcome.err().map(|_| name)
    });
    let failed: Vec<&str> = join_all(played).await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "see above what failed: {failed:?}");
}

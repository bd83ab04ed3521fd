//! The replicas follow the load, up and down.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::json;

use super::manifests::{cpu, external, of_service, of_the_guide, on, pods, slow_growth};
use super::service::Service;
use super::stage::{Scraper, Stage};
use crate::support::load::Demand;

/// A load that the least number of replicas can bear.
const LOW: Demand = Demand {
    rate: 8.0,
    busy: Duration::ZERO,
    wait_per_rate: Duration::ZERO,
};

/// One replica more comes at times, as rates of some seconds shake on a busy machine.
const SHAKEN: i32 = 1;

/// `maxReplicas`.
const MOST: i32 = 6;

/// 38 requests a second at 10 for each pod are 4 pods.
pub(super) async fn on_requests_by_pod(stage: &Stage<'_>) {
    let autoscaler = on([pods("http_requests_per_second", "10")]);
    let service = Service::start(stage, "pods", Scraper::Steady, autoscaler).await;
    follows(&service, Demand::rate(38.0), 4..=4, 4 + SHAKEN).await;
}

/// 38 requests a second at 10 for each pod are 4 pods, counted at once for the whole namespace.
pub(super) async fn on_an_external_metric(stage: &Stage<'_>) {
    let autoscaler = on([external("http_requests_per_second_in_all", "10")]);
    let service = Service::start(stage, "external", Scraper::Steady, autoscaler).await;
    follows(&service, Demand::rate(38.0), 4..=4, 4 + SHAKEN).await;
}

/// A replica that gets 15 requests a second takes 255 ms for each, one that gets 7.5 takes 127 ms.
pub(super) async fn on_the_latency_of_a_service(stage: &Stage<'_>) {
    let mut autoscaler = on([of_service("http_request_duration_p95_seconds", "150m")]);
    autoscaler["behavior"] = slow_growth();
    let service = Service::start(stage, "latency", Scraper::Steady, autoscaler).await;
    let crowded = Demand {
        rate: 30.0,
        wait_per_rate: Duration::from_millis(17),
        ..Demand::default()
    };
    // It stays high while pods start, which on a busy machine takes until it may grow again.
    follows(&service, crowded, 4..=4, MOST).await;
}

/// 20 requests a second of 10 ms processor time need 200m, and half of what a pod requests is 50m.
pub(super) async fn on_cpu(stage: &Stage<'_>) {
    let service = Service::start(stage, "cpu", Scraper::Steady, on([cpu(50)])).await;
    let busy = Demand {
        rate: 20.0,
        busy: Duration::from_millis(10),
        ..Demand::default()
    };
    // What a machine that is busy otherwise gives a process in 10 ms is less, and scrapes cost some too.
    service.demand(busy);
    service.scales_to(3..=5).await;
    let top = stage
        .cluster
        .kubectl(&["top", "pods", "-n", &service.namespace])
        .await;
    let rows: Vec<Vec<&str>> = top
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let plausible =
        |row: &Vec<&str>| row[0].starts_with("prices-") && row[1].ends_with('m') && row[2].ends_with("Mi");
    assert!(rows.len() >= 2 && rows.iter().all(plausible), "{top}");
    follows(&service, busy, 3..=5, 5 + SHAKEN).await;
}

/// The largest proposal wins: first the requests', then the latency's.
pub(super) async fn on_all_of_the_guide(stage: &Stage<'_>) {
    let mut autoscaler = of_the_guide();
    autoscaler["maxReplicas"] = json!(6);
    let service = Service::start(stage, "combined", Scraper::Steady, autoscaler).await;
    service.demand(LOW);
    service.scales_to(2..=2).await;
    service.demand(Demand::rate(38.0));
    service.scales_to(4..=4).await;
    let slow = Demand {
        rate: 38.0,
        wait_per_rate: Duration::from_millis(37),
        ..Demand::default()
    };
    service.demand(slow);
    service.scales_to(5..=6).await;
    service.demand(Demand::default());
    service.scales_to(2..=2).await;
    service.lost_no_request().await;
}

/// Low load, high load, low load.
async fn follows(service: &Service, high: Demand, wanted: RangeInclusive<i32>, at_most: i32) {
    service.demand(LOW);
    service.scales_to(2..=2).await;
    let start = service.mark();
    service.demand(high);
    service.scales_to(wanted.clone()).await;
    service.demand(LOW);
    service.scales_to(2..=2).await;
    service.had(2..=at_most, start).await;
    service.lost_no_request().await;
}

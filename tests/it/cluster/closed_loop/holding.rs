//! Without a value the replicas stay as they are, whatever the load does, and the autoscaler says why.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::manifests::{external, of_service, on, pods, slow_growth};
use super::service::Service;
use super::stage::{Scraper, Stage};
use crate::support::load::Demand;

/// What 4 replicas are wanted for at 10 requests a second each.
pub(super) const FOUR: f64 = 38.0;

/// What comes of it at times, as rates of some seconds shake on a busy machine; both less and more would be seen.
const ABOUT_FOUR: RangeInclusive<i32> = 3..=5;

/// How many looks of the controller have to change nothing.
///
/// More would not be told: the controller sends 25 events of one object in a row and then one every five minutes.
const LOOKS: i32 = 3;

/// A load between.
const LOW: f64 = 6.0;

/// A service at 4 replicas on a metric of its pods.
pub(super) async fn at_four(stage: &Stage<'_>, name: &str, scraper: Scraper, metric: &str) -> Service {
    let service = Service::start(stage, name, scraper, on([pods(metric, "10")])).await;
    service.demand(Demand::rate(FOUR));
    service.scales_to(4..=4).await;
    service
}

/// Nothing moves while the load rises and falls and the autoscaler fails for this reason.
pub(super) async fn holds(service: &Service, reason: &str, message: &str) {
    let before = service.mark();
    service.is_blind(reason, message).await;
    let (held, start) = (service.wanted(), service.mark());
    for rate in [2.0 * FOUR, LOW] {
        service.demand(Demand::rate(rate));
        service.fails_times(LOOKS, reason, message).await;
    }
    service.had(held..=held, start).await;
    service.had(ABOUT_FOUR, before).await;
}

pub(super) async fn while_prometheus_is_dead(stage: &Stage<'_>) {
    let service = at_four(stage, "dead", Scraper::Mortal, "mortal_requests_per_second").await;
    stage.prometheus(Scraper::Mortal).await.stop();
    service.note("Prometheus is killed");
    holds(&service, "FailedGetPodsMetric", "the backend is unreachable").await;
    stage.prometheus(Scraper::Mortal).await.start_again().await;
    service.note("Prometheus runs again");
    service.sees_again().await;
    service.scales_to(2..=2).await;
}

pub(super) async fn while_prometheus_hangs(stage: &Stage<'_>) {
    let service = at_four(stage, "frozen", Scraper::Frozen, "frozen_requests_per_second").await;
    stage.prometheus(Scraper::Frozen).await.freeze();
    service.note("Prometheus hangs");
    holds(
        &service,
        "FailedGetPodsMetric",
        "the backend did not answer in time",
    )
    .await;
    stage.prometheus(Scraper::Frozen).await.thaw();
    service.note("Prometheus goes on");
    service.sees_again().await;
    service.scales_to(2..=2).await;
}

/// The latency of no request is not a number.
pub(super) async fn while_a_metric_is_not_a_number(stage: &Stage<'_>) {
    let mut autoscaler = on([of_service("strict_p95_seconds", "150m")]);
    autoscaler["behavior"] = slow_growth();
    let service = Service::start(stage, "nan", Scraper::Steady, autoscaler).await;
    let crowded = Demand {
        rate: 30.0,
        wait_per_rate: Duration::from_millis(17),
        ..Demand::default()
    };
    service.demand(crowded);
    service.scales_to(4..=4).await;
    let before = service.mark();
    service.demand(Demand::default());
    let message = "is not a number, as a ratio or quantile without traffic is";
    service.is_blind("FailedGetObjectMetric", message).await;
    let (held, start) = (service.wanted(), service.mark());
    service.fails_times(LOOKS, "FailedGetObjectMetric", message).await;
    service.had(held..=held, start).await;
    service.demand(crowded);
    service.sees_again().await;
    service.had(ABOUT_FOUR, before).await;
}

/// Nobody scrapes the service any more.
pub(super) async fn while_a_metric_is_missing(stage: &Stage<'_>) {
    let service = at_four(stage, "missing", Scraper::Steady, "http_requests_per_second").await;
    service.replicas.scraped(false);
    service.note("nobody scrapes it");
    holds(&service, "FailedGetPodsMetric", "has no samples").await;
    service.replicas.scraped(true);
    service.note("it is scraped again");
    service.sees_again().await;
    service.scales_to(2..=2).await;
}

/// Of two metrics one is missing: the other may still ask for more, but nobody for less.
pub(super) async fn while_one_metric_of_two_is_missing(stage: &Stage<'_>) {
    let metrics = [
        pods("http_requests_per_second", "10"),
        external("length_of_no_queue", "10"),
    ];
    let service = Service::start(stage, "half", Scraper::Steady, on(metrics)).await;
    service.demand(Demand::rate(FOUR));
    service.scales_to(4..=4).await;
    let start = service.mark();
    service.demand(Demand::rate(LOW));
    let message = "has no samples";
    service.is_blind("FailedGetExternalMetric", message).await;
    service
        .fails_times(LOOKS, "FailedGetExternalMetric", message)
        .await;
    service.had(4..=5, start).await;
}

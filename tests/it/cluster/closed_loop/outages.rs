//! What stands between the autoscaler and its values goes away and comes back.
//!
//! These scenarios touch everybody, so that they are played alone, one after the other.

use super::holding::{FOUR, at_four, holds};
use super::service::Service;
use super::stage::{Scraper, Stage};
use crate::support::load::Demand;
use crate::support::server::eventually;

pub(super) async fn one_after_the_other(stage: &Stage<'_>) {
    let service = at_four(stage, "outages", Scraper::Steady, "http_requests_per_second").await;
    holds_while_the_adapter_is_away(stage, &service).await;
    service.demand(Demand::rate(FOUR));
    service.scales_to(4..=4).await;
    goes_on_after_the_api_server_was_away(stage, &service).await;
}

async fn holds_while_the_adapter_is_away(stage: &Stage<'_>, service: &Service) {
    stage.kill_adapter().await;
    service.note("the adapter is killed");
    // What follows differs: first that the server cannot be reached, then that no version is available.
    let message = "unable to fetch metrics from custom metrics API: ";
    holds(service, "FailedGetPodsMetric", message).await;
    stage.start_adapter().await;
    service.note("the adapter runs again");
    service.sees_again().await;
    service.scales_to(2..=2).await;
}

async fn goes_on_after_the_api_server_was_away(stage: &Stage<'_>, service: &Service) {
    let (start, pods) = (service.mark(), service.wanted());
    stage.cluster.order("kill kube-apiserver").await;
    service.note("kube-apiserver is killed");
    still_answers(stage, service, pods as usize).await;
    service.demand(Demand::rate(1.5 * FOUR));
    stage.cluster.order("start kube-apiserver").await;
    service.note("kube-apiserver runs again");
    service.scales_to(6..=6).await;
    service.had(pods..=6, start).await;
    service.lost_no_request().await;
}

/// Waits until the adapter has values of this many pods, old ones and those that have just come.
async fn still_answers(stage: &Stage<'_>, service: &Service, pods: usize) {
    let path = format!(
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/*/http_requests_per_second?labelSelector=app%3Dprices",
        service.namespace
    );
    let what = format!("values of {pods} pods at {path}");
    eventually(&what, async || {
        let values = stage.ask_as_front_proxy(&path).await;
        values["items"].as_array().unwrap().len() == pods
    })
    .await;
}

//! An adapter with a backend of its own answers as one over Prometheus, by the same rules and of the same targets.

use std::fmt::Write as _;

use serde_json::Value;

use super::{OBJECTS, Scene, custom, even_load, external, listed, milli, until};
use crate::support::adapter::{Adapter, Setup};
use crate::support::servers::{Backend, Kind, Shop};

/// As fresh as the scrapes, of which there is one a second.
const FRESH: &str = "freshFor: 0s\nevaluationGrid: 1s\nfailureHold: 0s\nmetricsRelistInterval: 1s\n";

const RULES: &str = r#"
rules:
  - metric: qps
    objects: {namespace: namespace, pods: pod, services: service}
    rate: {counter: http_requests_total, window: 6s}
  - metric: p95
    objects: {namespace: namespace, services: service}
    quantile: {histogram: http_request_duration_seconds, q: 0.95, window: 6s, buckets: classic}
  - metric: error_ratio
    objects: {namespace: namespace, services: service}
    ratio: {of: 'http_requests_total{code=~"5.."}', to: http_requests_total, window: 6s}
  - metric: up
    query: {promql: 'sum by (pod) (up)'}
  - metric: mean_duration
    query:
      promql: >-
        sum by (pod) (rate(http_request_duration_seconds_sum[6s]))
        / sum by (pod) (rate(http_request_duration_seconds_count[6s]))
  - seriesQuery: '{__name__=~"^http_requests_.*",namespace!="",pod!=""}'
    resources: {template: <<.Resource>>}
    name: {matches: '^(.*)_total$', as: '${1}_per_second'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
  - metric: none
    gauge: {series: no_such_series}
externalRules:
  - metric: queue_depth
    gauge: {series: queue_depth, aggregate: sum}
  - metric: queue_depth_by_queue
    query: {promql: 'sum by (queue) (queue_depth)'}
resourceRules:
  cpu:
    containerQuery: 'sum(rate(http_request_duration_seconds_sum{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
    nodeQuery: 'sum(rate(nothing{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}, node: {resource: node}}}
    containerLabel: container
"#;

#[tokio::test]
async fn the_same_rules_are_answered_as_over_prometheus() {
    let shop = even_load();
    let prometheus = Scene::start(Kind::Prometheus3, &shop).await;
    let theirs = prometheus.adapter(&format!("{FRESH}{RULES}"), OBJECTS).await;
    let ours = adapter(&shop).await;
    for (path, tolerance) in [
        (custom("pods/*/qps"), 0.1),
        (custom("services/cart/qps"), 0.1),
        (custom("services/cart/p95"), 0.2),
        (custom("services/cart/error_ratio"), 0.3),
        (custom("pods/*/up"), 0.0),
        (custom("pods/*/mean_duration"), 0.2),
        (custom("pods/*/http_requests_per_second"), 0.1),
        (custom("pods/*/none"), 0.0),
        (external("queue_depth?labelSelector=queue%3Dorders"), 0.0),
        (external("queue_depth_by_queue"), 0.0),
        (
            "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods".to_owned(),
            0.2,
        ),
    ] {
        until(&format!("the same answer to {path}"), async || {
            let (ours, theirs) = (answer(&ours, &path).await, answer(&theirs, &path).await);
            let is_same =
                ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|pair| alike(pair, tolerance));
            is_same
                .then_some(())
                .ok_or(format!("{ours:?} and over Prometheus {theirs:?}"))
        })
        .await;
    }
    for group in ["custom.metrics.k8s.io/v1beta2", "external.metrics.k8s.io/v1beta1"] {
        let path = format!("/apis/{group}");
        assert_eq!(listed(&ours, &path).await, listed(&theirs, &path).await);
    }
    shop.workload.stop().await;
}

#[tokio::test]
async fn the_quickstart_asks_the_prometheus_that_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let targets_file = directory.path().join("targets.json");
    let prometheus = Backend::start(Kind::Prometheus3, &targets_file).await;
    let arguments = [
        "quickstart".to_owned(),
        "--once".to_owned(),
        format!("--targets-file={}", targets_file.display()),
        format!("--prometheus-url={}", prometheus.url),
    ];
    let ended = Setup::new("")
        .run(&arguments.each_ref().map(String::as_str))
        .await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let from = format!("The adapter asks Prometheus at {}", prometheus.url);
    assert!(ended.stdout.contains(&from), "{}", ended.stdout);
    let answers = ended.stdout.lines().filter(|line| line.contains("→ "));
    assert_eq!(answers.count(), 5, "{}", ended.stdout);
}

/// Over the targets of the workload, each named in the settings.
async fn adapter(shop: &Shop) -> Adapter {
    let mut config =
        FRESH.to_owned() + "backends:\n  default:\n    embedded:\n      scrapeInterval: 1s\n      targets:\n";
    for target in shop.workload.targets() {
        writeln!(
            config,
            "      - {{url: 'http://{}/metrics', labels: {{job: shop, namespace: {}, service: {}, pod: {}}}}}",
            target.address, target.namespace, target.service, target.pod
        )
        .unwrap();
    }
    Setup::new(&(config + RULES)).objects(OBJECTS).start().await
}

/// What is answered: of what, and how much in thousandths. An error is one entry.
async fn answer(adapter: &Adapter, path: &str) -> Vec<(String, i64)> {
    let (code, body) = adapter.json(path).await;
    if code != 200 {
        let message = body["message"].as_str().unwrap_or_default();
        return vec![(format!("{code} {message}"), 0)];
    }
    let mut values: Vec<(String, i64)> = body["items"].as_array().unwrap().iter().map(value).collect();
    values.sort();
    values
}

fn value(item: &Value) -> (String, i64) {
    if let Some(container) = item["containers"].get(0) {
        let cpu = container["usage"]["cpu"].as_str().unwrap();
        return (item["metadata"]["name"].to_string(), milli(cpu));
    }
    let of = [&item["describedObject"]["name"], &item["metricLabels"]];
    (
        of.map(Value::to_string).join(" "),
        milli(item["value"].as_str().unwrap()),
    )
}

fn alike(((of, ours), (of_theirs, theirs)): (&(String, i64), &(String, i64)), tolerance: f64) -> bool {
    let difference = (ours - theirs).abs() as f64;
    of == of_theirs && difference <= tolerance * theirs.abs() as f64
}

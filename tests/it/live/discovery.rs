//! Series that rules in prometheus-adapter's form look for: found, refused, gone.

use futures_util::future::join_all;

use super::{
    CUSTOM, EXTERNAL, OBJECTS, Scene, custom, even_load, explained, external, failure, listed, until,
    with_each,
};
use crate::support::adapter::Adapter;

/// One rule whose series have a name, one with a pattern, one that every backend refuses.
const RULES: &str = r#"
freshFor: 0s
serveStaleFor: 0s
rules:
  - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
    resources: {template: '<<.Resource>>'}
    name: {matches: '^(.*)_total$', as: '${1}_per_second'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
  - seriesQuery: '{__name__=~"^http_.*_count$",namespace!=""}'
    resources: {template: '<<.Resource>>'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
  - seriesQuery: 'http_requests_total{pod=~"("}'
    resources: {template: '<<.Resource>>'}
    name: {as: refused}
    metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)'
externalRules:
  - seriesQuery: 'queue_depth{queue!=""}'
    resources: {overrides: {namespace: {resource: namespace}, service: {resource: service}}}
    name: {as: jobs_waiting}
    metricsQuery: 'sum(<<.Series>>{<<.LabelMatchers>>}) by (queue)'
"#;

/// The scrape adds `job`, which the template takes for the resource of that name, as prometheus-adapter does.
const FOUND: [&str; 8] = [
    "jobs.batch/http_request_duration_seconds_count",
    "jobs.batch/http_requests_per_second",
    "namespaces/http_request_duration_seconds_count",
    "namespaces/http_requests_per_second",
    "pods/http_request_duration_seconds_count",
    "pods/http_requests_per_second",
    "services/http_request_duration_seconds_count",
    "services/http_requests_per_second",
];

/// Adapters over one backend: one asks `/labels` where a rule names its series, one is told an age and asks `/series`.
struct Pair {
    by_labels: Adapter,
    by_age: Adapter,
}

#[tokio::test]
async fn series_are_found_and_missed_when_they_are_gone() {
    let shop = even_load();
    let scenes = Scene::start_all(&shop).await;
    let pairs: Vec<Pair> = join_all(scenes.iter().map(start)).await;
    let pair_of = |scene: &Scene| &pairs[scenes.iter().position(|other| other.kind == scene.kind).unwrap()];
    with_each(&scenes, async |scene| {
        let Pair { by_labels, by_age } = pair_of(scene);
        for adapter in [by_labels, by_age] {
            found(adapter).await;
            refused_rule_is_alone(adapter).await;
        }
        assert_eq!(endpoints(by_labels).await, ["labels", "query", "series"]);
        assert_eq!(endpoints(by_age).await, ["query", "series"]);
    })
    .await;

    shop.workload.stop().await;
    with_each(&scenes, async |scene| {
        let Pair { by_labels, by_age } = pair_of(scene);
        no_samples_any_more(by_labels).await;
        // Labels of a name are known by the block, which is hours.
        let names = listed(by_labels, CUSTOM).await;
        assert!(
            names.contains(&"pods/http_requests_per_second".to_owned()),
            "{names:?}"
        );
        if scene.is_prometheus() {
            gone(by_age).await;
        } else {
            // VictoriaMetrics knows by the day which series there were.
            no_samples_any_more(by_age).await;
            assert_eq!(listed(by_age, CUSTOM).await, FOUND);
        }
    })
    .await;
}

async fn start(scene: &Scene) -> Pair {
    let with = async |settings: &str| scene.adapter(&format!("{settings}\n{RULES}"), OBJECTS).await;
    Pair {
        by_labels: with("metricsRelistInterval: 4s").await,
        by_age: with("metricsRelistInterval: 1s\nmetricsMaxAge: 4s").await,
    }
}

/// What of the backend was asked with success, by the adapter's own metrics.
async fn endpoints(adapter: &Adapter) -> Vec<&'static str> {
    let metrics = adapter.metrics().await;
    let asked = |endpoint: &&str| metrics.contains(&format!("endpoint=\"{endpoint}\",outcome=\"success\""));
    ["labels", "query", "series"].into_iter().filter(asked).collect()
}

async fn found(adapter: &Adapter) {
    until("all metrics are listed", async || {
        let names = listed(adapter, CUSTOM).await;
        if names == FOUND {
            Ok(())
        } else {
            Err(names.join(" "))
        }
    })
    .await;
    until("the external metric is listed", async || {
        let names = listed(adapter, EXTERNAL).await;
        if names == ["jobs_waiting"] {
            Ok(())
        } else {
            Err(names.join(" "))
        }
    })
    .await;
    for path in [
        custom("pods/*/http_requests_per_second"),
        custom("pods/*/http_request_duration_seconds_count"),
        external("jobs_waiting"),
    ] {
        let items = if path.contains("pods") { 3 } else { 2 };
        until(&format!("{items} values"), async || {
            let (_, list) = adapter.json(&path).await;
            let count = list["items"].as_array().map(Vec::len);
            if count == Some(items) {
                Ok(())
            } else {
                Err(list.to_string())
            }
        })
        .await;
    }
}

async fn refused_rule_is_alone(adapter: &Adapter) {
    adapter.logged("rules[2]: cannot look for series").await;
    assert!(!adapter.log().contains("rules[0]: cannot look for series"));
    let explanation = explained(adapter, &custom("pods/*/refused")).await;
    let (code, _, message) = failure(&explanation).unwrap();
    assert!(code == 503 && message.contains("rules[2]"), "{code}: {message}");
    assert_eq!(adapter.get("/readyz").await.status(), 200);
}

/// The metric is known, and its query finds nothing: the cause is told, and no number.
async fn no_samples_any_more(adapter: &Adapter) {
    for path in [
        custom("pods/*/http_requests_per_second"),
        custom("pods/cart-0/http_requests_per_second"),
    ] {
        until("404 for want of samples", async || {
            let explanation = explained(adapter, &path).await;
            match failure(&explanation) {
                Some((404, "NoSamples", message)) if message.contains("rules[0]") => Ok(()),
                _ => Err(format!("{:?}", explanation.answer)),
            }
        })
        .await;
    }
}

/// Not even the metric is known any more, and it is told since when.
async fn gone(adapter: &Adapter) {
    until("nothing is listed", async || {
        let names = listed(adapter, CUSTOM).await;
        if names.iter().any(|name| name.starts_with("pods/")) {
            return Err(names.join(" "));
        }
        Ok(())
    })
    .await;
    let explanation = explained(adapter, &custom("pods/*/http_requests_per_second")).await;
    let (code, reason, message) = failure(&explanation).unwrap();
    assert_eq!((code, reason), (404, "NoSeries"));
    assert!(
        message.contains("rules[0] has found no series of it since"),
        "{message}"
    );
}

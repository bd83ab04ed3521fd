//! What is served agrees with what the backend stores, exactly, and with what the workload did, nearly.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use promql_adapter::api::{Answer, Explanation};
use promql_adapter::model::Timestamp;
use promql_adapter::workload::Workload;

use super::{
    OBJECTS, SCRAPE_SECONDS, Scene, custom, even_load, explained, external, failure, milli, until, with_each,
};
use crate::support::adapter::Adapter;
use crate::support::servers::Kind;

const WINDOW_SECONDS: f64 = 6.0;

/// Nothing is kept, so that every explanation comes of a query of its own, about a time that may lie some seconds back.
const RULES: &str = r#"
freshFor: 0s
evaluationGrid: 5s
rules:
  - metric: qps
    objects: {namespace: namespace, pods: pod, services: service}
    rate: {counter: http_requests_total, window: 6s}
  - metric: p95
    objects: {namespace: namespace, services: service}
    quantile: {histogram: http_request_duration_seconds, q: 0.95, window: 6s, buckets: classic}
  - metric: native_p95
    objects: {namespace: namespace, services: service}
    quantile: {histogram: http_request_duration_seconds, q: 0.95, window: 6s, buckets: native}
  - metric: error_ratio
    objects: {namespace: namespace, services: service}
    ratio: {of: 'http_requests_total{code=~"5.."}', to: http_requests_total, window: 6s}
  - metric: orders
    gauge: {series: 'queue_depth{queue="orders"}', aggregate: max}
  - metric: mean_duration
    query:
      promql: >-
        sum by (pod) (rate(http_request_duration_seconds_sum[6s]))
        / sum by (pod) (rate(http_request_duration_seconds_count[6s]))
  - seriesQuery: 'http_requests_total{namespace!="",pod!=""}'
    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
    name: {matches: '^(.*)_total$', as: '${1}_per_second'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[6s])) by (<<.GroupBy>>)'
  - metric: longest
    query: {promql: 'topk(1, http_requests_total)'}
externalRules:
  - metric: queue_depth
    gauge: {series: queue_depth, aggregate: sum}
  - metric: queue_depth_by_queue
    query: {promql: 'sum by (queue) (queue_depth)'}
  - metric: warned
    query: {promql: 'clamp_max(quantile(2, queue_depth), 7)'}
"#;

#[tokio::test]
async fn values_are_served_as_stored_and_true() {
    let shop = even_load();
    let scenes = Scene::start_all(&shop).await;
    with_each(&scenes, async |scene| {
        let adapter = scene.adapter(RULES, OBJECTS).await;
        let whole_window = "min(count_over_time(http_request_duration_seconds_count[6s])) >= 6";
        scene.backend.wait_for(whole_window).await;
        let asker = Asker {
            scene,
            workload: &shop.workload,
            adapter: &adapter,
            scraped_since: scene.backend.now().await,
        };
        asker.requests_per_second().await;
        asker.durations().await;
        asker.errors().await;
        asker.queues().await;
        asker.warnings().await;
    })
    .await;
    shop.workload.stop().await;
}

/// Their names take 130 KB, and VictoriaMetrics takes queries of 16 KiB.
#[tokio::test]
async fn autoscaler_of_five_thousand_pods_is_answered_and_kept_fresh() {
    let shop = even_load();
    let scenes = Scene::start_all(&shop).await;
    let mut objects = OBJECTS.to_owned();
    for (pod, suffix) in suffixes().take(5000).enumerate() {
        let part = if pod < MOST_NAMED { "first" } else { "rest" };
        writeln!(
            objects,
            "  - {{resource: pods, namespace: shop, name: checkout-7d9f8b6c5d-{suffix}, labels: {{part: {part}}}}}"
        )
        .unwrap();
    }
    let refreshed = RULES.replace(
        "freshFor: 0s\nevaluationGrid: 5s",
        "freshFor: 2s\nevaluationGrid: 1s",
    );
    with_each(&scenes, async |scene| {
        let adapter = scene.adapter(RULES, &objects).await;
        let first = all_pods_are_answered_for(&adapter).await;
        assert_eq!(
            first.way.query.as_deref(),
            Some(r#"sum by (pod, namespace) (rate(http_requests_total{namespace="shop"}[6s]))"#)
        );
        let adapter = scene.adapter(&refreshed, &objects).await;
        until("a refreshed answer", async || {
            let explanation = all_pods_are_answered_for(&adapter).await;
            let notes = explanation.way.notes.join("\n");
            let is_refreshed = notes.contains("refreshed while it is asked for");
            is_refreshed.then_some(()).ok_or(notes)
        })
        .await;
        // A query that cannot be about all pods names them, to where the backend stops reading.
        named(&adapter, "part!%3Drest").await.unwrap();
        match (scene.is_prometheus(), named(&adapter, "").await) {
            (true, answer) => answer.unwrap(),
            (false, answer) => {
                let message = answer.unwrap_err();
                assert!(message.contains("-search.maxQueryLen"), "{message}");
            }
        }
    })
    .await;
    shop.workload.stop().await;
}

async fn all_pods_are_answered_for(adapter: &Adapter) -> Explanation {
    let explanation = until("values of the pods that have samples", async || {
        let explanation = explained(adapter, &custom("pods/*/qps")).await;
        match failure(&explanation) {
            // They get their second sample one after the other.
            None if !served(&explanation).contains_key("cart-0") => Err("cart-0 has no value yet".to_owned()),
            None => Ok(explanation),
            Some(failure) => Err(format!("{failure:?}")),
        }
    })
    .await;
    assert_eq!(explanation.way.objects.as_ref().unwrap().len(), 5003);
    let served = served(&explanation);
    assert!(served.len() <= 3, "{served:?}");
    explanation
}

/// So many names of pods of one Deployment fit in 16 KiB, where what they have in common stands once.
const MOST_NAMED: usize = 2800;

/// Different ones, of the characters that Kubernetes gives to pods.
fn suffixes() -> impl Iterator<Item = String> {
    const CHARACTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // The step has no divisor in common with the number of all suffixes, so that none comes twice.
    (0_usize..).map(|number| {
        let mut rest = number * 6_700_417 % CHARACTERS.len().pow(5);
        let mut next = || {
            let character = CHARACTERS[rest % CHARACTERS.len()];
            rest /= CHARACTERS.len();
            char::from(character)
        };
        (0..5).map(|_| next()).collect()
    })
}

/// Asks for the metric whose query names every pod: that of the busiest has its value.
async fn named(adapter: &Adapter, selector: &str) -> Result<(), String> {
    let path = format!("pods/*/longest?labelSelector={selector}");
    let explanation = explained(adapter, &custom(&path)).await;
    match failure(&explanation) {
        None => {
            let served = served(&explanation);
            assert!(served.keys().eq(["cart-2"]), "{served:?}");
            Ok(())
        }
        Some((_, _, message)) => Err(message.to_owned()),
    }
}

struct Asker<'a> {
    scene: &'a Scene,
    workload: &'a Workload,
    adapter: &'a Adapter,
    /// From this Unix time on every window is whole.
    scraped_since: f64,
}

impl Asker<'_> {
    async fn requests_per_second(&self) {
        let by_pod = self.settled(&custom("pods/*/qps?labelSelector=app%3Dcart")).await;
        let served = self.served_as_stored(&by_pod).await;
        self.ages_are_those_of_the_last_samples(&by_pod).await;
        let truth = self.workload.truth(evaluated(&by_pod), WINDOW_SECONDS);
        assert_eq!(served.len(), 3, "{served:?}");
        for (pod, milli) in &served {
            let true_rate = truth.pods[pod].requests_in_window as f64 / WINDOW_SECONDS;
            let rate = *milli as f64 / 1000.0;
            // Half a scrape interval at each edge of the window lies between two scrapes, and one request is cut.
            let error = true_rate * SCRAPE_SECONDS / WINDOW_SECONDS + 1.0 / WINDOW_SECONDS;
            assert!(
                (rate - true_rate).abs() <= error,
                "{pod}: {rate} a second, truth {true_rate}"
            );
        }
        let upstream = self.settled(&custom("pods/*/http_requests_per_second")).await;
        assert_eq!(self.served_as_stored(&upstream).await.len(), 3);
        let service = self.settled(&custom("services/cart/qps")).await;
        let served = self.served_as_stored(&service).await;
        // 60 a second, as the workload is told to serve; see above for the error.
        assert!((served["cart"] - 60_000).abs() <= 10_500, "{served:?}");
    }

    async fn durations(&self) {
        let p95 = self.settled(&custom("services/cart/p95")).await;
        self.p95_is_in_the_bucket_of_the_truth(&p95).await;
        let native = self.settled(&custom("services/cart/native_p95")).await;
        if self.scene.kind == Kind::Prometheus3 {
            self.p95_is_in_the_bucket_of_the_truth(&native).await;
        } else {
            let (code, reason, _) = failure(&native).unwrap();
            assert_eq!((code, reason), (404, "NoSamples"));
        }
        let mean = self.settled(&custom("pods/*/mean_duration")).await;
        let served = self.served_as_stored(&mean).await;
        let truth = self.workload.truth(evaluated(&mean), 2.0 * WINDOW_SECONDS);
        let longest = (truth.durations.unwrap().max * 1000.0).ceil() as i64;
        for (pod, milliseconds) in served {
            // The workload never takes less than 10 ms.
            assert!((10..=longest).contains(&milliseconds), "{pod}: {milliseconds} ms");
        }
    }

    async fn p95_is_in_the_bucket_of_the_truth(&self, explanation: &Explanation) {
        let served = self.served_as_stored(explanation).await;
        let truth = self.workload.truth(evaluated(explanation), WINDOW_SECONDS);
        let exact = truth.durations.unwrap().p95;
        let (lower, upper) = bucket_of(exact);
        let p95 = served["cart"] as f64 / 1000.0;
        // A tenth more at both ends: near a bound, requests at the window's edges move the rank into the next bucket.
        assert!(
            (lower * 0.9..=upper * 1.1).contains(&p95),
            "p95 is {p95}, truth {exact} in the bucket from {lower} to {upper}"
        );
    }

    async fn errors(&self) {
        let ratio = self.settled(&custom("services/cart/error_ratio")).await;
        let served = self.served_as_stored(&ratio).await;
        // One request in twenty fails; of about 300, each pod's window holds one more or one less.
        assert!((served["cart"] - 50).abs() <= 15, "{served:?}");
    }

    async fn queues(&self) {
        // The queue `orders` holds four seconds of each pod's load, `mail` holds one.
        let by_pod = self.settled(&custom("pods/*/orders")).await;
        let expected = [("cart-0", 40_000), ("cart-1", 80_000), ("cart-2", 120_000)];
        assert_eq!(self.served_as_stored(&by_pod).await, map(&expected));
        let orders = self
            .settled(&external("queue_depth?labelSelector=queue%3Dorders"))
            .await;
        assert_eq!(self.served_as_stored(&orders).await, map(&[("", 240_000)]));
        let by_queue = self.settled(&external("queue_depth_by_queue")).await;
        let expected = [("mail", 60_000), ("orders", 240_000)];
        assert_eq!(self.served_as_stored(&by_queue).await, map(&expected));
    }

    /// A warning that is PromQL's own does not make an answer partial, and is told.
    async fn warnings(&self) {
        let warned = self.settled(&external("warned")).await;
        assert_eq!(self.served_as_stored(&warned).await, map(&[("", 7_000)]));
        let told = warned
            .way
            .notes
            .iter()
            .any(|note| note.contains("PromQL warning"));
        assert_eq!(
            told,
            self.scene.kind == Kind::Prometheus3,
            "{:?}",
            warned.way.notes
        );
    }

    /// Explains once the evaluation time lies so far back that the same query brings the same again.
    ///
    /// A sample becomes visible only after its scrape, and in VictoriaMetrics up to two seconds later, more on a busy machine.
    async fn settled(&self, path: &str) -> Explanation {
        const SETTLED_SECONDS: f64 = 3.5;
        until("an evaluation time in the past", async || {
            let now = self.scene.backend.now().await;
            let explanation = explained(self.adapter, path).await;
            let at = evaluated(&explanation);
            let is_settled = at <= now - SETTLED_SECONDS && at >= self.scraped_since;
            is_settled
                .then_some(explanation)
                .ok_or(format!("{path} at {at}, asked at {now}"))
        })
        .await
    }

    /// Thousandths by object or labels, held against what the backend says to the same query at the same time.
    async fn served_as_stored(&self, explanation: &Explanation) -> BTreeMap<String, i64> {
        let query = explanation.way.query.as_deref().unwrap();
        let samples = self
            .scene
            .backend
            .query(query, Some(evaluated(explanation)))
            .await;
        let stored: BTreeMap<String, i64> = samples
            .iter()
            .map(|sample| {
                let labels = sample["metric"].as_object().unwrap();
                let name = labels.values().map(|value| value.as_str().unwrap()).collect();
                let value: f64 = sample["value"][1].as_str().unwrap().parse().unwrap();
                (name, (value * 1000.0).round_ties_even() as i64)
            })
            .collect();
        let served = served(explanation);
        assert!(!served.is_empty());
        assert_eq!(served, stored, "{query}");
        served
    }

    /// The ages that `explain` measures, held against the samples themselves.
    async fn ages_are_those_of_the_last_samples(&self, explanation: &Explanation) {
        let at = evaluated(explanation);
        let raw = r#"http_requests_total{namespace="shop"}[6s]"#;
        let series = self.scene.backend.query(raw, Some(at)).await;
        let mut last: Vec<i64> = series
            .iter()
            .map(|series| {
                let point = series["values"].as_array().unwrap().last().unwrap();
                (point[0].as_f64().unwrap() * 1000.0).round() as i64
            })
            .collect();
        last.sort_unstable();
        let ages = &explanation.way.sample_ages;
        let mut explained: Vec<i64> = ages.iter().map(|age| unix_ms(&age.at)).collect();
        explained.sort_unstable();
        assert_eq!(explained, last);
        for age in ages {
            let seconds = at - unix_ms(&age.at) as f64 / 1000.0;
            assert!((age.seconds - seconds).abs() < 0.002, "{age:?} at {at}");
        }
    }
}

fn served(explanation: &Explanation) -> BTreeMap<String, i64> {
    let Answer::Values(values) = &explanation.answer else {
        panic!("{:?}", explanation.answer);
    };
    let named = values.iter().map(|value| {
        let name = match (&value.object, &value.labels) {
            (Some(object), _) => object.name.clone(),
            (None, Some(labels)) => labels.values().cloned().collect(),
            (None, None) => String::new(),
        };
        (name, milli(&value.value))
    });
    named.collect()
}

/// The bounds between which the workload's buckets tell no difference.
fn bucket_of(seconds: f64) -> (f64, f64) {
    let bounds = [0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0];
    let above = bounds.iter().position(|bound| *bound >= seconds).unwrap();
    (bounds[above - 1], bounds[above])
}

fn map(pairs: &[(&str, i64)]) -> BTreeMap<String, i64> {
    pairs
        .iter()
        .map(|(name, milli)| ((*name).to_owned(), *milli))
        .collect()
}

fn evaluated(explanation: &Explanation) -> f64 {
    unix_ms(explanation.way.evaluated_at.as_deref().unwrap()) as f64 / 1000.0
}

fn unix_ms(time: &str) -> i64 {
    time.parse::<Timestamp>().unwrap().as_millisecond()
}

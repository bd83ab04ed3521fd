//! Wide answers hold the narrow ones: queries and series are made up, and both answers asked for at the same time.
//!
//! Some hundred pairs are compared, or as many as `SHARING_PAIRS` says; `SHARING_SEED` makes other queries.

mod generated;
mod series;
mod warm_up;

use std::collections::BTreeMap;

use promql_adapter::promql::{MatchOp, Matcher, NamespaceLabel, Narrowing, Query};
use serde_json::Value;

use super::{CUSTOM, Scene, until, with_each};
use crate::support::adapter::Adapter;
use crate::support::servers::{Backend, Kind};

use generated::Generator;
use series::{NAMESPACES, PODS, start_exporter, start_exporter_of};

/// Pairs of answers for each backend.
const PAIRS: usize = 150;

/// Of each namespace one pod.
const ONE_POD_EACH: &str = "\
objects:
  - {resource: pods, namespace: mail, name: cart-1}
  - {resource: pods, namespace: orders, name: cart-1}
  - {resource: pods, namespace: shop, name: cart-1}
";

/// So often two answers are asked for anew, until they are the same.
const ATTEMPTS: usize = 20;

#[tokio::test]
async fn any_query_that_is_widened_holds_the_answers_of_the_narrow_ones() {
    let exporter = start_exporter().await;
    let mut scenes = Vec::new();
    for kind in [
        Kind::Prometheus2,
        Kind::Prometheus3,
        Kind::VictoriaMetricsOld,
        Kind::VictoriaMetricsNew,
    ] {
        let backend = Backend::start(kind, &exporter.targets_file).await;
        scenes.push(Scene { kind, backend });
    }
    let (pairs, seed) = (number("SHARING_PAIRS", PAIRS), number("SHARING_SEED", 1));
    with_each(&scenes, async |scene| {
        scene
            .backend
            .wait_for("min(count_over_time(depth[8s])) >= 8")
            .await;
        let at = scene.backend.now().await - 3.5;
        let mut comparison = Comparison {
            scene,
            at,
            generator: Generator::new(seed as u64),
            compared: 0,
            with_samples: 0,
            failed: 0,
        };
        while comparison.compared < pairs {
            comparison.next().await;
        }
        let Comparison {
            compared,
            with_samples,
            failed,
            ..
        } = comparison;
        println!(
            "{:?}: {compared} pairs, {with_samples} with samples; {failed} wide queries failed",
            scene.kind
        );
        assert!(with_samples * 4 > compared, "most answers are empty");
    })
    .await;
}

/// In `mail` one pod has two capacities, so that its query fails wherever it is part of the question.
#[tokio::test]
async fn bad_data_of_one_namespace_leaves_the_answers_of_the_others_right() {
    const RULES: &str = "\
evaluationGrid: 1s
freshFor: 2s
failureHold: 1s
rules:
  - metric: share
    query: {promql: '4 * sum by (pod) (capacity) / on (pod) sum by (pod, zone) (capacity)'}
";
    let exporter = start_exporter().await;
    let mut scenes = Vec::new();
    for kind in [Kind::Prometheus3, Kind::VictoriaMetricsNew] {
        let backend = Backend::start(kind, &exporter.targets_file).await;
        scenes.push(Scene { kind, backend });
    }
    with_each(&scenes, async |scene| {
        scene.backend.wait_for("count_over_time(capacity[8s]) >= 4").await;
        let adapter = scene.adapter(RULES, ONE_POD_EACH).await;
        let path = |namespace: &str| format!("{CUSTOM}/namespaces/{namespace}/pods/*/share");
        until("answers beside a question that is refused", async || {
            let (bad, _) = adapter.json(&path("mail")).await;
            assert_eq!(bad, 500);
            for namespace in ["orders", "shop"] {
                gives_four(&adapter, &path(namespace)).await;
            }
            refused_and_answered(&adapter).await
        })
        .await;
    })
    .await;
}

/// `mail` has more series than a query may load, so that no question about all of them has an answer.
#[tokio::test]
async fn too_many_samples_of_one_namespace_leave_the_answers_of_the_others_right() {
    const RULES: &str = "\
evaluationGrid: 1s
freshFor: 2s
failureHold: 1s
rules:
  - metric: jobs
    gauge: {series: jobs}
";
    let crowded = |_| {
        let few = NAMESPACES.map(|namespace| (namespace, "cart-1".to_owned()));
        let crowd = (0..2000).map(|number| ("mail", format!("crowd-{number}")));
        let series = few.into_iter().chain(crowd);
        let lines =
            series.map(|(namespace, pod)| format!("jobs{{namespace=\"{namespace}\",pod=\"{pod}\"}} 4\n"));
        lines.collect()
    };
    let exporter = start_exporter_of(crowded).await;
    let mut scenes = Vec::new();
    for kind in [Kind::Prometheus3, Kind::VictoriaMetricsNew] {
        // VictoriaMetrics counts all that lie in the lookback: after a minute some 300 of the few, and 120,000 of the crowd.
        let backend = Backend::start_limited(kind, &exporter.targets_file, 1000).await;
        scenes.push(Scene { kind, backend });
    }
    with_each(&scenes, async |scene| {
        scene
            .backend
            .wait_for("count_over_time(jobs{namespace=\"shop\"}[8s]) >= 4")
            .await;
        let all = scene
            .backend
            .try_query("sum(jobs)", scene.backend.now().await)
            .await;
        assert!(all.is_err(), "{all:?}");
        let adapter = scene.adapter(RULES, ONE_POD_EACH).await;
        until("answers beside a question that is refused", async || {
            for namespace in NAMESPACES {
                gives_four(&adapter, &format!("{CUSTOM}/namespaces/{namespace}/pods/*/jobs")).await;
            }
            refused_and_answered(&adapter).await
        })
        .await;
    })
    .await;
}

/// What a namespace with good data is to answer.
async fn gives_four(adapter: &Adapter, path: &str) {
    let (status, list) = adapter.json(path).await;
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["items"][0]["value"], "4", "{list}");
}

/// Whether the backend has refused a shared question and answered others; if not, what is counted.
///
/// The bad namespace is asked about with the good ones or by itself, as they come to be due.
async fn refused_and_answered(adapter: &Adapter) -> Result<(), String> {
    let metrics = adapter.metrics().await;
    let is_counted = |form: &str, outcome: &str| {
        metrics.contains(&format!(
            "refreshes_total{{form=\"{form}\",outcome=\"{outcome}\"}}"
        ))
    };
    let is_answered = is_counted("narrow", "success") || is_counted("shared", "success");
    let is_done = is_counted("shared", "rejected") && is_answered;
    is_done.then_some(()).ok_or(metrics)
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

struct Comparison<'a> {
    scene: &'a Scene,
    at: f64,
    generator: Generator,
    compared: usize,
    with_samples: usize,
    /// A wide query that fails is no answer, so that there is nothing to compare.
    failed: usize,
}

/// Samples by labels.
type Samples = BTreeMap<BTreeMap<String, String>, String>;

impl Comparison<'_> {
    /// One query, about some namespaces at once and about each.
    async fn next(&mut self) {
        let has_objects = self.generator.chance(2, 3);
        let text = self.generator.query(has_objects);
        // About some and about all in turn.
        let wide = match (self.compared / NAMESPACES.len()).is_multiple_of(2) {
            true => Matcher::one_of("namespace", &NAMESPACES),
            false => Matcher::new("namespace", MatchOp::NotEqual, ""),
        };
        let wide = wide.unwrap();
        let pods = Matcher::one_of("pod", &PODS[..2]).unwrap();
        let mut held: Option<(Samples, NamespaceLabel)> = None;
        for namespace in NAMESPACES {
            let ours = Matcher::one_of("namespace", &[namespace]).unwrap();
            let matchers = match has_objects {
                true => format!("{ours},{pods}"),
                false => ours.to_string(),
            };
            let narrow = Query::parse(&text.replace("LM", &matchers))
                .unwrap_or_else(|error| panic!("{error}: {text}"));
            let narrowing = Narrowing {
                namespace: Some((&ours, &wide)),
                object: has_objects.then_some(&pods),
            };
            let Some((widened, label)) = narrow.widened(narrowing) else {
                return;
            };
            if held.is_none() {
                match self.ask(&widened).await {
                    Ok(samples) => held = Some((samples, label)),
                    Err(_) => {
                        self.failed += 1;
                        return;
                    }
                }
            }
            let (samples, label) = held.as_ref().unwrap();
            let cut = |samples: &Samples| part(samples, namespace, has_objects, *label);
            let queries = format!("\n  narrow {narrow}\n  wide   {widened}");
            let expected = self
                .ask(&narrow)
                .await
                .unwrap_or_else(|error| panic!("{error}{queries}"));
            self.compared += 1;
            self.with_samples += usize::from(!expected.is_empty());
            // VictoriaMetrics adds up in no fixed order, and Prometheus what comes of a subquery.
            let is_exact = self.scene.is_prometheus() && !narrow.text().contains(':');
            let mut difference = difference_of(&cut(samples), &expected, is_exact);
            // What is added up in another order may differ much where sums are compared.
            for _ in 0..ATTEMPTS {
                if difference.is_some() {
                    let (wide, narrow) = (self.ask(&widened).await, self.ask(&narrow).await);
                    difference = difference_of(&cut(&wide.unwrap()), &narrow.unwrap(), is_exact);
                }
            }
            assert_eq!(difference, None, "{queries}");
        }
    }

    async fn ask(&self, query: &Query) -> Result<Samples, String> {
        let vector = self.scene.backend.try_query(query.text(), self.at).await?;
        let samples = vector.iter().map(|sample| {
            let labels = sample["metric"].as_object().unwrap().iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            (labels.collect(), text(&sample["value"][1]))
        });
        Ok(samples.collect())
    }
}

fn difference_of(found: &Samples, expected: &Samples, is_exact: bool) -> Option<String> {
    let is_same = |(labels, value): (&BTreeMap<String, String>, &String)| {
        found
            .get(labels)
            .is_some_and(|found| found == value || !is_exact && is_near(found, value))
    };
    let same = found.len() == expected.len() && expected.iter().all(is_same);
    (!same).then(|| format!("wide {found:?}, narrow {expected:?}"))
}

/// What is added up in no fixed order. What differences leave is measured by what went in.
fn is_near(one: &str, other: &str) -> bool {
    const WENT_IN: f64 = 1e3;
    let (one, other): (f64, f64) = (one.parse().unwrap(), other.parse().unwrap());
    (one - other).abs() <= 1e-12 * one.abs().max(other.abs()).max(WENT_IN)
}

/// What the wide answer has of a namespace and the pods asked for, as the narrow one would have it.
fn part(samples: &Samples, namespace: &str, has_objects: bool, label: NamespaceLabel) -> Samples {
    let is_asked = |labels: &BTreeMap<String, String>| {
        let pod = labels.get("pod").map(String::as_str);
        labels["namespace"] == namespace && (!has_objects || pod.is_some_and(|pod| PODS[..2].contains(&pod)))
    };
    let asked = samples.iter().filter(|(labels, _)| is_asked(labels));
    asked
        .map(|(labels, value)| {
            let mut labels = labels.clone();
            if label == NamespaceLabel::Added {
                labels.remove("namespace");
            }
            (labels, value.clone())
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

//! More than a thousand questions that begin at once are few queries, by the count of Prometheus itself.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::series::start_exporter_of;
use super::{CUSTOM, Scene};
use crate::live::milli;
use crate::support::adapter::Adapter;
use crate::support::servers::{Backend, Kind};

const RULES: usize = 20;
const NAMESPACES: usize = 40;
const WORKLOADS: usize = 2;

/// How often an autoscaler asks; everything else is as it is by default.
const PERIOD: Duration = Duration::from_secs(15);

/// Most queries in any window of a period, however many ask.
const MOST: u64 = 200;

/// Requests under way at once.
const CONNECTIONS: usize = 8;

#[tokio::test]
async fn autoscalers_that_begin_at_once_make_few_queries() {
    let exporter = start_exporter_of(|_| page()).await;
    let backend = Backend::start(Kind::Prometheus3, &exporter.targets_file).await;
    let scene = Scene {
        kind: Kind::Prometheus3,
        backend,
    };
    // What is asked is up to a grid of 5 s in the past.
    let last = format!("m{} offset 5s", RULES - 1);
    scene.backend.wait_for(&last).await;
    let adapter = scene.adapter(&rules(), &objects()).await;
    let counting = async {
        let (started, mut counts) = (Instant::now(), Vec::new());
        while started.elapsed() < 2 * PERIOD {
            counts.push((Instant::now(), scene.backend.queries_answered().await));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        counts
    };
    let (counts, ()) = futures_util::join!(counting, async {
        for _ in 0..2 {
            poll(&adapter).await;
        }
    });
    let most = counts.iter().map(|(from, before)| {
        let within = counts.iter().filter(|(at, _)| *at - *from <= PERIOD);
        within
            .map(|(_, count)| count.saturating_sub(*before))
            .max()
            .unwrap()
    });
    let most = most.max().unwrap();
    println!("at most {most} queries in any {PERIOD:?}");
    assert!(most > 0 && most <= MOST, "{most} queries in {PERIOD:?}");
}

/// Every workload once, spread over a period; one namespace after the other, so that all of them begin in the first.
async fn poll(adapter: &Adapter) {
    let count = NAMESPACES * RULES * WORKLOADS;
    let started = Instant::now();
    let requests = (0..count).map(async |number| {
        let due = PERIOD.mul_f64(number as f64 / count as f64);
        tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
        let (namespace, of_namespace) = (number / (RULES * WORKLOADS), number % (RULES * WORKLOADS));
        let (workload, rule) = (of_namespace / RULES, of_namespace % RULES);
        let path = format!("{CUSTOM}/namespaces/n{namespace}/pods/*/m{rule}?labelSelector=app%3Dw{workload}");
        let (status, list) = adapter.json(&path).await;
        assert_eq!(status, 200, "{list}");
        let served = milli(list["items"][0]["value"].as_str().unwrap());
        assert_eq!(served, 1000 * value(rule, namespace, workload) as i64, "{list}");
    });
    stream::iter(requests)
        .buffer_unordered(CONNECTIONS)
        .collect::<()>()
        .await;
}

fn rules() -> String {
    let mut rules = "rules:\n".to_owned();
    for rule in 0..RULES {
        let _ = writeln!(rules, "  - {{metric: m{rule}, gauge: {{series: m{rule}}}}}");
    }
    rules
}

fn objects() -> String {
    let mut objects = "objects:\n".to_owned();
    for (namespace, workload) in everyone() {
        let _ = writeln!(
            objects,
            "  - {{resource: pods, namespace: n{namespace}, name: w{workload}-0, labels: {{app: w{workload}}}}}"
        );
    }
    objects
}

fn page() -> String {
    let mut page = String::new();
    for rule in 0..RULES {
        for (namespace, workload) in everyone() {
            let value = value(rule, namespace, workload);
            let _ = writeln!(
                page,
                "m{rule}{{namespace=\"n{namespace}\",pod=\"w{workload}-0\"}} {value}"
            );
        }
    }
    page
}

fn everyone() -> impl Iterator<Item = (usize, usize)> {
    (0..NAMESPACES).flat_map(|namespace| (0..WORKLOADS).map(move |workload| (namespace, workload)))
}

/// Another one for each.
fn value(rule: usize, namespace: usize, workload: usize) -> usize {
    (rule * NAMESPACES + namespace) * WORKLOADS + workload + 1
}

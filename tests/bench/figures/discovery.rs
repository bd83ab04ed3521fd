//! One look for the series of a rule.

use std::thread;
use std::time::Duration;

use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::scene::Scene;
use crate::servers::Adapter;
use crate::shop::Shop;

/// How many there are to be found.
pub(super) const SERIES: usize = 50_000;

/// How often Prometheus scrapes. Rules are looked for every 15 s and as far back, so that there always is a sample.
pub(super) const SCRAPED: Duration = Duration::from_secs(10);

/// How long a run is: two looks, three scrapes.
const RUN: Duration = Duration::from_secs(30);

/// A rule that names its series, in prometheus-adapter's form, which looks for it every 15 s.
///
/// It does not name the labels: `{namespace!="",pod!=""}` would say all there is to find, and the adapter never look.
pub(super) const NAMED: &str = "\
metricsRelistInterval: 15s
rules:
  - seriesQuery: 'requests_00_total'
    resources: {overrides: {namespace: {resource: namespaces}, pod: {resource: pods}}}
    name: {matches: '^(.*)_total$', as: '${1}_per_second'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)'
";

/// The same with a pattern.
pub(super) const PATTERN: &str = "\
metricsRelistInterval: 15s
rules:
  - seriesQuery: '{__name__=~\"^requests_.*_total$\",namespace!=\"\",pod!=\"\"}'
    resources: {overrides: {namespace: {resource: namespaces}, pod: {resource: pods}}}
    name: {matches: '^(.*)_total$', as: '${1}_per_second'}
    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)'
";

/// So many series of one metric.
pub(super) fn shop(series: usize) -> Shop {
    Shop {
        namespaces: 200.min(series / 10),
        workloads: series / 10,
        pods: 10,
        metrics: 1,
        metrics_each: 1,
    }
}

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let scene = Scene::set(shop(SERIES), SCRAPED);
    scene.empty();
    let idle = scene.prometheus.idle_cpu(RUN, 2);
    let named = looks(&scene, NAMED, idle, extent.runs);
    let pattern = looks(&scene, PATTERN, idle, extent.runs);
    let mut rows = rows("by name", "at most 1/20 of the peer's", &named);
    rows.extend(self::rows("by a pattern", "", &pattern));
    Figure {
        how: HOW.to_owned(),
        rows,
        machine,
    }
}

const HOW: &str = "\
Prometheus has 50,000 series of one metric; what it takes to scrape them every 10 s is measured before and taken off.
A rule of prometheus-adapter's form looks for them every 15 s, and what it takes is divided by the looks that Prometheus counts.
The rule by name gives no matchers; with `{namespace!=\"\",pod!=\"\"}` the adapter has nothing to look for and asks nothing.
Bytes are those on the wire, as Prometheus counts them (`prometheus_http_response_size_bytes`), compressed if the client lets it.
";

/// What one look takes, run by run.
#[derive(Default)]
struct Look {
    bytes: Vec<f64>,
    adapter_cpu_ms: Vec<f64>,
    prometheus_cpu_ms: Vec<f64>,
}

/// `idle` is what Prometheus takes in a run while nobody asks.
fn looks(scene: &Scene, config: &str, idle: Duration, runs: usize) -> Look {
    scene.configure(config);
    let adapter = scene.adapter();
    // The first looks find connections and memory still to be made.
    thread::sleep(Duration::from_secs(3));
    let mut look = Look::default();
    for _ in 0..runs {
        let before = Reading::of(scene, &adapter);
        thread::sleep(RUN);
        let now = Reading::of(scene, &adapter);
        let looks = now.looks - before.looks;
        look.bytes.push((now.bytes - before.bytes) / looks);
        let ms = |now: Duration, before: Duration| now.saturating_sub(before).as_secs_f64() * 1000.0 / looks;
        look.adapter_cpu_ms.push(ms(now.adapter, before.adapter));
        look.prometheus_cpu_ms
            .push(ms(now.prometheus.saturating_sub(idle), before.prometheus));
    }
    look
}

/// What was taken since the start.
struct Reading {
    looks: f64,
    bytes: f64,
    adapter: Duration,
    prometheus: Duration,
}

impl Reading {
    fn of(scene: &Scene, adapter: &Adapter) -> Reading {
        let of_both = |name: &str| {
            let handlers = ["/api/v1/series", "/api/v1/labels"];
            let counters = handlers.map(|handler| {
                let label = format!("handler=\"{handler}\"");
                scene.prometheus.counter(name, &label)
            });
            counters.iter().sum()
        };
        Reading {
            looks: of_both("prometheus_http_requests_total"),
            bytes: of_both("prometheus_http_response_size_bytes_sum"),
            adapter: adapter.process.cpu(),
            prometheus: scene.prometheus.process.cpu(),
        }
    }
}

fn rows(way: &str, must: &str, look: &Look) -> Vec<Row> {
    let row = |what: &str, runs: &[f64], unit: &str| Row {
        what: format!("{what} of one discovery of 50,000 series {way}"),
        must: must.to_owned(),
        measured: Cell::new(runs, unit),
        peer: Cell::NotGiven,
        verdict: if must.is_empty() {
            Verdict::Told
        } else {
            Verdict::Open
        },
        ..Row::told()
    };
    let both = look.adapter_cpu_ms.iter().zip(&look.prometheus_cpu_ms);
    let both: Vec<f64> = both.map(|(adapter, prometheus)| adapter + prometheus).collect();
    vec![
        row("bytes", &look.bytes, "bytes"),
        row("CPU of adapter and Prometheus", &both, "ms"),
    ]
}

//! Ten thousand autoscalers with two metrics each: what Prometheus and the adapter do for them.

use std::thread;
use std::time::{Duration, Instant};

use super::runs::age_s;
use crate::Extent;
use crate::load::{Load, Outcome, Pace, Protocol, Request, Target};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::servers::{Adapter, ControlPlane, Floor, Prometheus};
use crate::shop::Shop;

/// How often an autoscaler asks, and how often its pods are scraped.
pub(super) const PERIOD: Duration = Duration::from_secs(15);

const KEEP_ALIVE: Protocol = Protocol::KeepAlive { connections: 16 };

/// Rounds before anything is measured.
const WARM_UP: u32 = 2;

/// Of so many narrow questions one is asked, to spare a machine that all of them would fill.
const NARROW_PART: usize = 10;

/// Autoscalers and what they scale.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) shop: Shop,
    /// That ask about each workload.
    pub(crate) autoscalers_each: usize,
}

impl Size {
    /// Each autoscaler has a workload of its own.
    pub(crate) fn disjoint(autoscalers: usize) -> Size {
        Size {
            shop: Shop {
                namespaces: 200.min(autoscalers / 10),
                workloads: autoscalers,
                pods: 10,
                metrics: 20,
                metrics_each: 2,
            },
            autoscalers_each: 1,
        }
    }

    /// Ten autoscalers ask about each workload.
    fn shared(autoscalers: usize) -> Size {
        let Size { shop, .. } = Size::disjoint(autoscalers);
        let shop = Shop {
            workloads: autoscalers / 10,
            ..shop
        };
        Size {
            shop,
            autoscalers_each: 10,
        }
    }

    fn requests_in_a_period(&self) -> usize {
        self.shop.workloads * self.shop.metrics_each * self.autoscalers_each
    }

    fn rate(&self) -> f64 {
        self.requests_in_a_period() as f64 / PERIOD.as_secs_f64()
    }
}

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let autoscalers = if extent.is_quick { 1_000 } else { 10_000 };
    let disjoint = at(Size::disjoint(autoscalers), extent);
    let shared = at(Size::shared(autoscalers), extent);
    let clustered = in_cluster(Size::disjoint(autoscalers), extent);
    let mut rows = vec![];
    rows.extend(rows_of(
        &disjoint,
        autoscalers,
        "disjoint objects",
        1.0 / 3.0,
        "1/3",
    ));
    rows.extend(rows_of(
        &shared,
        autoscalers,
        "ten share their objects",
        1.0 / 20.0,
        "1/20",
    ));
    rows.push(adapter_cpu_row(&disjoint, autoscalers));
    rows.extend(memory_rows(&clustered, autoscalers));
    Figure {
        how: HOW.to_owned(),
        rows,
        machine,
    }
}

const HOW: &str = "\
Every autoscaler asks for two of 20 metrics, each of a rule of its own, every 15 s, in 200 namespaces; requests are spread evenly over the 15 s and come on 16 connections.
Every workload has ten pods, whose two counters Prometheus scrapes every 15 s.
Queries are those that Prometheus counts itself, `prometheus_http_requests_total{handler=\"/api/v1/query\"}`, in windows of 15 s after two rounds to warm up.
Its processor time is that of the process less what it took in windows without any queries, which is what scraping takes.
The narrow queries, `sum by (pod) (rate(COUNTER{namespace=\"…\",pod=~\"…\"}[1m]))` for the ten pods of one workload, are asked of Prometheus directly: every tenth of them, and what they took is multiplied by ten.
Where ten autoscalers share their objects, the narrow queries are as many as the autoscalers', for prometheus-adapter asks for each anew.
The static handler is asked as often, and answers each request with the same ten pods: nothing that serves this over this TLS on this machine takes less.
Memory is measured with disjoint objects that are pods of 4 KB in a control plane, which the adapter watches; what shares the processors with it there takes none of its memory.
The most since the start (`VmHWM`) is that while the pods were listed and all autoscalers began to ask.
The adapter lists pods from the first request on that asks about them; who asks meanwhile waits for `requestTimeout`, 3 s, and gets 503 if the list is not whole by then.
";

/// What it took for one size, an entry a window.
#[derive(Default)]
pub(crate) struct Took {
    pub(crate) requests: f64,
    /// Most queries in any window while it warmed up.
    pub(crate) most_queries: f64,
    pub(crate) queries: Vec<f64>,
    /// Processor time of Prometheus in a window, in seconds, without scraping.
    pub(crate) prometheus_cpu_s: Vec<f64>,
    /// Samples that its queries read.
    pub(crate) samples: Vec<f64>,
    /// Of one processor.
    pub(crate) adapter_cpu: Vec<f64>,
    pub(crate) floor_cpu: Vec<f64>,
    pub(crate) adapter_mib: Vec<f64>,
    /// The most since the adapter started.
    adapter_peak_mib: f64,
    /// Of the rounds while it warmed up.
    pub(crate) beginning: Outcome,
    /// Of all that came then.
    pub(crate) outcome: Outcome,
    pub(crate) narrow_cpu_s: Vec<f64>,
    narrow_samples: Vec<f64>,
}

/// Measures one size.
pub(crate) fn at(size: Size, extent: &Extent) -> Took {
    let scene = Scene::with_rates(size.shop, PERIOD);
    let windows = extent.runs;
    let idle_cpu_s = scene.prometheus.idle_cpu(PERIOD, 2).as_secs_f64();
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let mut took = polled(&scene, (&adapter, &target), size, windows, idle_cpu_s);
    let body = target.body(&size.shop.paths()[0]);
    drop(adapter);
    took.floor_cpu = floor_cpu(&scene, &body, size, windows.min(3));
    narrow(&scene, size, windows.min(3), idle_cpu_s, &mut took);
    took
}

/// What of a processor the static handler takes for as many requests.
fn floor_cpu(scene: &Scene, body: &[u8], size: Size, windows: usize) -> Vec<f64> {
    let floor = Floor::start(scene.path(), body);
    let target = scene.tls.target(floor.address);
    let requests = scene.requests(&target);
    let load = paced(&target, &requests, size.rate(), PERIOD);
    let window = |_| {
        let before = floor.process.cpu();
        let took = load.run().complete().took;
        (floor.process.cpu() - before).as_secs_f64() / took.as_secs_f64()
    };
    (0..windows).map(window).collect()
}

/// The same with pods that are watched, of which only memory is of use: the control plane shares the processors.
fn in_cluster(size: Size, extent: &Extent) -> Took {
    let control_plane = ControlPlane::start();
    control_plane.fill(&size.shop);
    let scene = Scene::with_rates(size.shop, PERIOD);
    let adapter = Adapter::start_in(&control_plane, scene.path(), &scene.prometheus.url);
    let target = control_plane.front_proxy(adapter.address, scene.tls.authority());
    polled(&scene, (&adapter, &target), size, extent.runs, 0.0)
}

/// What is read at the ends of a window.
struct Reading {
    queries: f64,
    samples: f64,
    prometheus_cpu: Duration,
}

impl Reading {
    fn of(prometheus: &Prometheus) -> Reading {
        Reading {
            queries: prometheus.queries(),
            samples: prometheus.counter("prometheus_engine_query_samples_total", ""),
            prometheus_cpu: prometheus.process.cpu(),
        }
    }
}

/// All autoscalers ask the adapter: two rounds to warm up, then the windows.
fn polled(
    scene: &Scene,
    (adapter, target): (&Adapter, &Target),
    size: Size,
    windows: usize,
    idle_cpu_s: f64,
) -> Took {
    let requests = scene.requests(target);
    let load = |rounds| paced(target, &requests, size.rate(), PERIOD * rounds);
    let (warm_up, rounds) = (load(WARM_UP), load(u32::try_from(windows).unwrap()));
    thread::scope(|scope| {
        let asking = scope.spawn(|| warm_up.run());
        let mut took = Took {
            requests: size.requests_in_a_period() as f64,
            most_queries: most_queries(&scene.prometheus, PERIOD * WARM_UP),
            ..Took::default()
        };
        let laid_on =
            |asking: thread::ScopedJoinHandle<'_, Outcome>| asking.join().expect("it is laid on to its end");
        took.beginning = laid_on(asking);
        let asking = scope.spawn(|| rounds.run());
        let (mut before, mut adapter_before) = (Reading::of(&scene.prometheus), adapter.process.cpu());
        for window in 0..windows {
            // The last ends a moment before the load does.
            let moment = if window + 1 == windows {
                PERIOD / 50
            } else {
                Duration::ZERO
            };
            thread::sleep(PERIOD - moment);
            let (now, adapter_now) = (Reading::of(&scene.prometheus), adapter.process.cpu());
            took.note(&before, &now, idle_cpu_s);
            let cpu_s = (adapter_now - adapter_before).as_secs_f64();
            took.adapter_cpu.push(cpu_s / PERIOD.as_secs_f64());
            took.adapter_mib.push(adapter.process.resident_mib());
            (before, adapter_before) = (now, adapter_now);
        }
        took.adapter_peak_mib = adapter.process.peak_mib();
        took.outcome = laid_on(asking);
        took
    })
}

/// Most queries in any window of the time that begins now.
pub(super) fn most_queries(prometheus: &Prometheus, time: Duration) -> f64 {
    let (started, mut counts) = (Instant::now(), Vec::new());
    while started.elapsed() < time {
        counts.push((Instant::now(), prometheus.queries()));
        thread::sleep(PERIOD / 60);
    }
    let within = counts.iter().enumerate().map(|(from, (begin, before))| {
        let window = counts[from..].iter().take_while(|(at, _)| *at - *begin <= PERIOD);
        window.last().map_or(0.0, |(_, count)| count - before)
    });
    within.fold(0.0, f64::max)
}

/// A part of the narrow questions, asked of Prometheus itself.
fn narrow(scene: &Scene, size: Size, windows: usize, idle_cpu_s: f64, took: &mut Took) {
    let (target, requests) = scene.narrow();
    let load = paced(&target, &requests, size.rate() / NARROW_PART as f64, PERIOD);
    for _ in 0..windows {
        let before = Reading::of(&scene.prometheus);
        drop(load.run().complete());
        let now = Reading::of(&scene.prometheus);
        let cpu_s = (now.prometheus_cpu - before.prometheus_cpu).as_secs_f64() - idle_cpu_s;
        took.narrow_cpu_s.push(cpu_s.max(0.0) * NARROW_PART as f64);
        took.narrow_samples
            .push((now.samples - before.samples) * NARROW_PART as f64);
    }
}

impl Took {
    fn note(&mut self, before: &Reading, now: &Reading, idle_cpu_s: f64) {
        self.queries.push(now.queries - before.queries);
        self.samples.push(now.samples - before.samples);
        let cpu_s = (now.prometheus_cpu - before.prometheus_cpu).as_secs_f64() - idle_cpu_s;
        self.prometheus_cpu_s.push(cpu_s.max(0.0));
    }
}

pub(super) fn paced<'a>(
    target: &'a Target,
    requests: &'a [Request],
    rate: f64,
    length: Duration,
) -> Load<'a> {
    Load {
        target,
        requests,
        protocol: KEEP_ALIVE,
        pace: Pace::Rate(rate),
        length,
    }
}

fn rows_of(took: &Took, autoscalers: usize, objects: &str, part: f64, must: &str) -> Vec<Row> {
    let load = format!("{autoscalers} HPAs × 2 metrics in 15 s, {objects}");
    let beginning = beginning();
    let queries = Spread::of(&took.queries);
    let (wide, narrow) = (Spread::of(&took.prometheus_cpu_s), Spread::of(&took.narrow_cpu_s));
    let ratio = wide.median / narrow.median;
    let failed: usize = took.outcome.failed.values().sum();
    let latency = |what: &str, outcome: &Outcome| Row {
        what: format!("{what}, p99; {}", answers(outcome)),
        measured: Cell::new(&[quantile(&outcome.latencies_ms, 0.99)], "ms"),
        ..Row::told()
    };
    vec![
        Row {
            what: format!("queries at Prometheus for {load}"),
            must: "at most 200".to_owned(),
            measured: Cell::of(queries, ""),
            peer: Cell::Measured {
                spread: Spread::of(&[took.requests]),
                unit: "by its design".to_owned(),
            },
            verdict: Verdict::reached_if(queries.median <= 200.0 && failed == 0),
            age_s: age_s(&took.outcome.ages_s),
            ..Row::told()
        },
        Row {
            what: format!("most queries in any 15 s of the {beginning} for {load}"),
            must: "at most 200".to_owned(),
            measured: Cell::new(&[took.most_queries], ""),
            verdict: Verdict::reached_if(took.most_queries <= 200.0),
            ..Row::told()
        },
        Row {
            what: format!(
                "CPU of Prometheus for {load}: {ratio:.3} of the narrow queries' {:.2} s",
                narrow.median
            ),
            must: format!("at most {must} of the narrow queries'"),
            measured: Cell::of(wide, "s"),
            verdict: Verdict::reached_if(ratio <= part),
            ..Row::told()
        },
        Row {
            what: format!(
                "samples that Prometheus read for it; the narrow queries read {:.0}",
                Spread::of(&took.narrow_samples).median
            ),
            measured: Cell::new(&took.samples, ""),
            ..Row::told()
        },
        latency("latency for it", &took.outcome),
        latency(
            &format!("latency in its {beginning}, when all begin to ask"),
            &took.beginning,
        ),
    ]
}

/// The time in which it warms up.
fn beginning() -> String {
    format!("first {} s", (PERIOD * WARM_UP).as_secs())
}

/// How many requests were answered, and how many were not and why.
pub(super) fn answers(outcome: &Outcome) -> String {
    let reasons = outcome.failed.iter();
    let reasons: Vec<String> = reasons.map(|(why, count)| format!("{count} {why}")).collect();
    let others = match reasons.is_empty() {
        true => "none not".to_owned(),
        false => reasons.join(", "),
    };
    format!("{} answered with 200, {others}", outcome.answered)
}

fn adapter_cpu_row(took: &Took, autoscalers: usize) -> Row {
    let cpu = Spread::of(&took.adapter_cpu);
    Row {
        what: format!("adapter CPU for {autoscalers} HPAs × 2 metrics every 15 s"),
        must: "below 0.2 processors".to_owned(),
        measured: Cell::of(cpu, "processors"),
        floor: Cell::new(&took.floor_cpu, "processors"),
        verdict: Verdict::reached_if(cpu.median < 0.2),
        age_s: age_s(&took.outcome.ages_s),
        ..Row::told()
    }
}

fn memory_rows(took: &Took, autoscalers: usize) -> [Row; 2] {
    let memory = Spread::of(&took.adapter_mib);
    let pods = autoscalers * 10;
    [
        Row {
            what: format!("resident memory with {autoscalers} HPAs and {pods} pods that are watched"),
            must: "at most 120 MiB".to_owned(),
            measured: Cell::of(memory, "MiB"),
            verdict: Verdict::reached_if(memory.median <= 120.0),
            ..Row::told()
        },
        Row {
            what: format!(
                "the most of it since the start; in the {} {}",
                beginning(),
                answers(&took.beginning)
            ),
            measured: Cell::new(&[took.adapter_peak_mib], "MiB"),
            ..Row::told()
        },
    ]
}

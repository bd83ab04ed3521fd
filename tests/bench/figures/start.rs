//! From the start of the program to the first metric served.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use crate::Extent;
use crate::load::{Load, Pace, Protocol, Request, Target, once};
use crate::machine::Machine;
use crate::process::Process;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::servers::{Adapter, ControlPlane, Peer, peer};
use crate::shop::{Shop, counter_name, upstream_rule};

const RULES: usize = 100;

const SHOP: Shop = Shop {
    namespaces: 1,
    workloads: 1,
    pods: 10,
    metrics: 1,
    metrics_each: 1,
};

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let scene = scene();
    let backend_ms = backend_ms(&scene);
    let lookups_ms = lookups_ms(&scene);
    let starts = at(RULES, &scene, extent.runs);
    let of_peer = starts_of_peer(&scene, extent.runs);
    let of_peer = of_peer.map_or(Cell::NotGiven, |of_peer| Cell::new(&of_peer, "ms"));
    Figure {
        how: HOW.to_owned(),
        rows: vec![
            row("typed rules", &starts.typed_ms, backend_ms),
            Row {
                peer: of_peer,
                ..row(
                    "rules of prometheus-adapter's form, which look for series first",
                    &starts.upstream_ms,
                    backend_ms + lookups_ms,
                )
            },
        ],
        machine,
    }
}

const HOW: &str = "\
Time from starting the process until a client that tries once a millisecond, each time over a new TLS connection, has had a metric of ten pods; without a cluster.
The peer cannot do without one: it is asked by the front proxy of a control plane that has the ten pods.
The backend's own time is the median of the same query asked of Prometheus directly.
Where rules look for series first, it is also that of all these lookups, four at a time as the adapter asks them: what Prometheus takes for one when it is asked nothing else, as often.
The metric that is asked for is that of the rule whose series are looked for last.
";

/// Everything but what is started.
pub(super) fn scene() -> Scene {
    Scene::with_rates(SHOP, Duration::from_secs(1))
}

/// How long the adapter takes to start, run by run.
pub(super) struct Starts {
    pub(super) typed_ms: Vec<f64>,
    /// With rules that look for series first.
    pub(super) upstream_ms: Vec<f64>,
}

/// With so many rules.
pub(super) fn at(rules: usize, scene: &Scene, runs: usize) -> Starts {
    Starts {
        typed_ms: starts_of_adapter(scene, &typed_rules(rules), runs),
        upstream_ms: starts_of_adapter(scene, &upstream_rules(rules), runs),
    }
}

/// Lookups under way at once, as in the adapter.
const LOOKUPS_AT_ONCE: usize = 4;

fn starts_of_adapter(scene: &Scene, config: &str, runs: usize) -> Vec<f64> {
    scene.configure(config);
    starts(runs, || {
        let adapter = Adapter::spawn_alone(scene.path(), &scene.prometheus.url);
        let target = scene.tls.target(adapter.address);
        (adapter.process, target)
    })
}

/// With the rules in prometheus-adapter's form; `None` if it is not given.
fn starts_of_peer(scene: &Scene, runs: usize) -> Option<Vec<f64>> {
    if !peer::is_given() {
        return None;
    }
    let control_plane = ControlPlane::start();
    control_plane.fill(&SHOP);
    let config = upstream_rules(RULES);
    Some(starts(runs, || {
        let peer = Peer::spawn(scene.path(), &config, &scene.prometheus.url, &control_plane);
        let peer = peer.expect("it is given");
        let target = control_plane.front_proxy(peer.address, scene.tls.authority());
        (peer.process, target)
    }))
}

/// How long each start took, in milliseconds.
fn starts(runs: usize, spawn: impl Fn() -> (Process, Target)) -> Vec<f64> {
    let path = &SHOP.paths()[0];
    let start = |_| {
        let began = Instant::now();
        let (process, target) = spawn();
        let request = Request::get(&target, path);
        while !once(&target, &request).is_ok_and(|status| status == 200) {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", process.log());
            thread::sleep(Duration::from_millis(1));
        }
        began.elapsed().as_secs_f64() * 1000.0
    };
    (0..runs).map(start).collect()
}

/// How long Prometheus takes for the query.
fn backend_ms(scene: &Scene) -> f64 {
    let (target, requests) = scene.narrow();
    let load = Load {
        target: &target,
        requests: &requests,
        protocol: Protocol::KeepAlive { connections: 1 },
        pace: Pace::Rate(20.0),
        length: Duration::from_secs(2),
    };
    quantile(&load.run().complete().latencies_ms, 0.5)
}

/// How long Prometheus takes to say which labels the series of each rule have.
fn lookups_ms(scene: &Scene) -> f64 {
    let target = Target::plain(scene.prometheus.address());
    let counters = others(RULES).chain([counter_name(0)]);
    let paths = counters.map(|counter| format!("/api/v1/labels?match%5B%5D={counter}"));
    let requests: Vec<Request> = paths.map(|path| Request::get(&target, &path)).collect();
    let load = Load {
        target: &target,
        requests: &requests,
        protocol: Protocol::KeepAlive {
            connections: LOOKUPS_AT_ONCE,
        },
        pace: Pace::Closed,
        length: Duration::from_secs(2),
    };
    let outcome = load.run().complete();
    outcome.took.as_secs_f64() * 1000.0 * requests.len() as f64 / outcome.answered as f64
}

/// Counters that no pod has, for all but one of so many rules.
fn others(rules: usize) -> impl Iterator<Item = String> {
    (1..rules).map(|rule| format!("other_{rule}_total"))
}

/// The shop's rule and others beside it.
fn typed_rules(rules: usize) -> String {
    let mut text = SHOP.rules();
    for counter in others(rules) {
        writeln!(
            text,
            "  - {{metric: {counter}, objects: {{namespace: namespace, pods: pod}}, \
             rate: {{counter: {counter}, window: 1m}}}}"
        )
        .unwrap();
    }
    text
}

/// The same in prometheus-adapter's form.
fn upstream_rules(rules: usize) -> String {
    let others = others(rules).map(|counter| upstream_rule(&counter));
    SHOP.upstream_rules() + &others.collect::<String>()
}

fn row(rules: &str, took_ms: &[f64], backend_ms: f64) -> Row {
    let spread = Spread::of(took_ms);
    Row {
        what: format!(
            "start to first metric served, {RULES} {rules}; Prometheus takes {backend_ms:.2} ms of it"
        ),
        must: "below 200 ms plus the backend's own time".to_owned(),
        measured: Cell::of(spread, "ms"),
        verdict: Verdict::reached_if(spread.median < 200.0 + backend_ms),
        ..Row::told()
    }
}

//! A warm GET in a cluster, beside prometheus-adapter: both ask the same kube-apiserver for pods and permissions.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::many::PERIOD;
use super::runs::{Runs, laid_on};
use crate::Extent;
use crate::load::{Pace, Protocol, Request, Target};
use crate::machine::Machine;
use crate::process::Process;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::scene::Scene;
use crate::servers::{Adapter, ControlPlane, Floor, Peer};
use crate::shop::HUNDRED;

/// Requests a second while processor time is measured.
const ADAPTER_RATE: f64 = 500.0;
/// The peer cannot answer many more.
const PEER_RATE: f64 = 20.0;

/// How long a permission is kept.
const REVIEW_LASTS: Duration = Duration::from_secs(10);

const PROTOCOL: Protocol = Protocol::Multiplexed {
    connections: 4,
    streams: 8,
};

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let control_plane = ControlPlane::start();
    let scene = Scene::with_rates(HUNDRED, PERIOD);
    control_plane.fill(&HUNDRED);
    scene.configure(&HUNDRED.upstream_rules());
    let adapter = Adapter::start_in(&control_plane, scene.path(), &scene.prometheus.url);
    let peer = Peer::start(
        scene.path(),
        &HUNDRED.upstream_rules(),
        &scene.prometheus.url,
        &control_plane,
    );
    let stand = Stand {
        control_plane: &control_plane,
        scene: &scene,
        extent,
    };
    let proxied = stand.proxied(adapter.address);
    let body = proxied.body(&HUNDRED.paths()[0]);
    let found = stand.measure(&adapter.process, proxied, ADAPTER_RATE);
    let floor = Floor::start(scene.path(), &body);
    let floor = stand.measure(&floor.process, scene.tls.target(floor.address), ADAPTER_RATE);
    let peer = peer.map(|peer| stand.measure(&peer.process, stand.proxied(peer.address), PEER_RATE));
    Figure {
        how: HOW.to_owned(),
        rows: rows(&found, &floor.loaded, peer.as_ref()),
        machine,
    }
}

const HOW: &str = "\
The same 100 workloads of ten pods as above, now pods of 4 KB in a control plane of etcd, kube-apiserver and kube-controller-manager.
Adapter and peer read the same rules in prometheus-adapter's form, and are asked over HTTP/2 by the front proxy in the name of the autoscaler's controller.
The peer's limit for its own requests to kube-apiserver is lifted, or it could not answer what is asked here.
Full load is 32 requests at a time, on processors that all programs share; there processor time and throughput are measured.
Processor time is measured at 500 requests a second for the adapter and 20 for the peer as well: a program that mostly waits takes more for each request, since it has to be woken.
The static handler is asked as the adapter is, with a client certificate of its own.
Requests to kube-apiserver are those that it counts itself while processor time is measured.
";

/// Where both are measured.
struct Stand<'a> {
    control_plane: &'a ControlPlane,
    scene: &'a Scene,
    extent: &'a Extent,
}

/// What one program does under load.
#[derive(Default)]
struct Loaded {
    calm: Runs,
    closed: Runs,
}

/// What one program does, and what it has kube-apiserver do.
struct Found {
    loaded: Loaded,
    /// Requests at kube-apiserver for each request, run by run.
    lists: Vec<f64>,
    reviews: Vec<f64>,
    /// Reviews from the first request to the last, and how long that was.
    all_reviews: f64,
    took: Duration,
}

impl Stand<'_> {
    /// A program that the front proxy asks.
    fn proxied(&self, address: SocketAddr) -> Target {
        self.control_plane
            .front_proxy(address, self.scene.tls.authority())
    }

    fn measure(&self, process: &Process, target: Target, rate: f64) -> Found {
        let requests = self.scene.requests(&target);
        let at = (target, requests);
        self.wait_until_served(&at);
        let mut found = Found {
            loaded: Loaded::default(),
            lists: Vec::new(),
            reviews: Vec::new(),
            all_reviews: 0.0,
            took: Duration::ZERO,
        };
        let (began, (_, reviews_before)) = (Instant::now(), self.control_plane.asked());
        for run in 0..=self.extent.runs {
            let (lists, reviews) = self.control_plane.asked();
            let calm = laid_on(process, &at, PROTOCOL, Pace::Rate(rate), self.extent);
            let (lists_now, reviews_now) = self.control_plane.asked();
            let closed = laid_on(process, &at, PROTOCOL, Pace::Closed, self.extent);
            // The first is to warm up.
            if run > 0 {
                let answered = calm.0.answered as f64;
                found.lists.push((lists_now - lists) / answered);
                found.reviews.push((reviews_now - reviews) / answered);
                found.loaded.calm.take(&calm);
                found.loaded.closed.take(&closed);
            }
        }
        found.took = began.elapsed();
        found.all_reviews = self.control_plane.asked().1 - reviews_before;
        found
    }

    /// Until the program has its objects, its metrics and its permissions.
    fn wait_until_served(&self, (target, requests): &(Target, Vec<Request>)) {
        let served = |request| crate::load::once(target, request).is_ok_and(|status| status == 200);
        for _ in 0..600 {
            if requests.iter().all(served) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{} does not serve all metrics", target.address);
    }
}

fn rows(adapter: &Found, floor: &Loaded, peer: Option<&Found>) -> Vec<Row> {
    let of_loads =
        |what: &str, must: &str, runs: fn(&Loaded) -> &Vec<f64>, unit: &str, reached: fn(f64) -> bool| {
            let loaded = [&adapter.loaded, floor].map(|loaded| Cell::new(runs(loaded), unit));
            let [measured, floor] = loaded;
            let median = |found: &Found| Spread::of(runs(&found.loaded)).median;
            Row {
                what: what.to_owned(),
                must: must.to_owned(),
                measured,
                floor,
                peer: peer.map_or(Cell::NotGiven, |peer| Cell::new(runs(&peer.loaded), unit)),
                verdict: peer.map_or(Verdict::Open, |peer| {
                    Verdict::reached_if(reached(median(adapter) / median(peer)))
                }),
                age_s: adapter.loaded.calm.age_s(),
            }
        };
    let of_requests = |what: &str, must: &str, runs: fn(&Found) -> &Vec<f64>, is_reached: bool| Row {
        what: what.to_owned(),
        must: must.to_owned(),
        measured: Cell::new(runs(adapter), ""),
        peer: peer.map_or(Cell::NotGiven, |peer| Cell::new(runs(peer), "")),
        verdict: Verdict::reached_if(is_reached),
        age_s: adapter.loaded.calm.age_s(),
        ..Row::told()
    };
    let took_s = adapter.took.as_secs_f64();
    let lifetimes = (took_s / REVIEW_LASTS.as_secs_f64()).ceil();
    vec![
        of_loads(
            "CPU for a warm GET of ten pods, in a cluster, at full load",
            "at most 1/100 of the peer's",
            |loaded| &loaded.closed.cpu_us,
            "µs",
            |ratio| ratio <= 0.01,
        ),
        of_loads(
            &format!("the same at {ADAPTER_RATE} requests a second, of the peer at {PEER_RATE}"),
            "at most 1/100 of the peer's",
            |loaded| &loaded.calm.cpu_us,
            "µs",
            |ratio| ratio <= 0.01,
        ),
        of_loads(
            "throughput in a cluster",
            "at least 100 times the peer's",
            |loaded| &loaded.closed.rate,
            "req/s",
            |ratio| ratio >= 100.0,
        ),
        of_requests(
            "LISTs of pods at kube-apiserver for a metric request",
            "none",
            |found| &found.lists,
            adapter.lists.iter().all(|lists| *lists == 0.0),
        ),
        of_requests(
            &format!(
                "reviews at kube-apiserver for a metric request; the adapter's are {} in {took_s:.0} s",
                adapter.all_reviews,
            ),
            "at most one per group and verb per cache lifetime, 10 s",
            |found| &found.reviews,
            adapter.all_reviews <= lifetimes,
        ),
    ]
}

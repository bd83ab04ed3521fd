//! Five thousand autoscalers that ask through kube-apiserver, as they do in a cluster.

use std::fs;

use super::many::PERIOD;
use super::runs::age_s;
use crate::Extent;
use crate::http_client::runtime;
use crate::load::{Load, Outcome, Pace, Protocol};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::servers::{Adapter, ControlPlane, Floor};
use crate::shop::Shop;

/// One connection, as the controller has, and more requests at a time than its five workers.
const PROTOCOL: Protocol = Protocol::Multiplexed {
    connections: 1,
    streams: 32,
};

const SERVED: [&str; 2] = ["v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io"];

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let autoscalers = if extent.is_quick { 100 } else { 5_000 };
    let polled = at(autoscalers, extent);
    let rate = autoscalers as f64 / PERIOD.as_secs_f64();
    let answered: usize = polled.adapter.iter().map(|run| run.answered).sum();
    let failed: usize = polled.adapter.iter().flat_map(|run| run.failed.values()).sum();
    let ages: Vec<f64> = polled.adapter.iter().flat_map(|run| run.ages_s.clone()).collect();
    let spread = Spread::of(&p99_ms(&polled.adapter));
    Figure {
        how: HOW.to_owned(),
        rows: vec![Row {
            what: format!(
                "{autoscalers} HPAs polled every 15 s ({rate:.0}/s) through kube-apiserver, p99; {answered} answered, \
                 {failed} not"
            ),
            must: "all answered, p99 below 10 ms".to_owned(),
            measured: Cell::of(spread, "ms"),
            floor: Cell::new(&p99_ms(&polled.floor), "ms"),
            verdict: Verdict::reached_if(failed == 0 && spread.median < 10.0),
            age_s: age_s(&ages),
            ..Row::told()
        }],
        machine,
    }
}

const HOW: &str = "\
Every autoscaler has ten pods of 4 KB and asks for one of ten metrics, in 100 namespaces.
The adapter is registered in a control plane of etcd, kube-apiserver and kube-controller-manager, which share the machine with it, Prometheus and the client.
The client asks kube-apiserver with the name and groups of the controller's account, over one HTTP/2 connection; its clock is fine to a millisecond, which counts as latency.
A run is one round of all autoscalers, after two to warm up.
The static handler is registered in the place of the adapter, and nobody asks Prometheus then: what is left is kube-apiserver's time and that of the machine.
";

/// What came of it through kube-apiserver, run by run.
pub(super) struct Polled {
    pub(super) adapter: Vec<Outcome>,
    pub(super) floor: Vec<Outcome>,
    /// LISTs of pods and reviews at kube-apiserver for all the adapter's runs together.
    pub(super) asked: (f64, f64),
}

pub(super) fn p99_ms(runs: &[Outcome]) -> Vec<f64> {
    runs.iter().map(|run| quantile(&run.latencies_ms, 0.99)).collect()
}

/// With so many autoscalers.
pub(super) fn at(autoscalers: usize, extent: &Extent) -> Polled {
    let shop = Shop {
        namespaces: 100.min(autoscalers / 10),
        workloads: autoscalers,
        pods: 10,
        metrics: 10,
        metrics_each: 1,
    };
    let control_plane = ControlPlane::start();
    control_plane.fill(&shop);
    let scene = Scene::with_rates(shop, PERIOD);
    let mut registration = runtime().block_on(control_plane.cluster.registration());
    registration.certificate().write(scene.path(), "tls");
    let adapter = Adapter::start_in(&control_plane, scene.path(), &scene.prometheus.url);
    runtime().block_on(registration.register(adapter.address.port(), &SERVED));

    let target = control_plane.api_server();
    let requests = scene.requests(&target);
    let rate = requests.len() as f64 / PERIOD.as_secs_f64();
    let load = |rounds| Load {
        target: &target,
        requests: &requests,
        protocol: PROTOCOL,
        pace: Pace::Rate(rate),
        length: PERIOD * rounds,
    };
    load(2).run();
    let before = control_plane.asked();
    let of_adapter = (0..extent.runs).map(|_| load(1).run()).collect();
    let now = control_plane.asked();

    let body = target.body(&scene.shop.paths()[0]);
    // kube-apiserver is its client.
    let proxies = control_plane.cluster.authority_file("request-header-ca");
    fs::copy(proxies, scene.path().join("ca.crt")).unwrap();
    let floor = Floor::start(scene.path(), &body);
    runtime().block_on(registration.register(floor.address.port(), &SERVED));
    load(1).run();
    drop(adapter);
    Polled {
        adapter: of_adapter,
        asked: (now.0 - before.0, now.1 - before.1),
        floor: (0..extent.runs).map(|_| load(1).run().complete()).collect(),
    }
}

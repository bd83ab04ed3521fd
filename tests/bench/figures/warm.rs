//! A GET that the cache answers: ten pods of one workload, as the autoscaler's controller asks.

use super::many::PERIOD;
use super::runs::{Runs, laid_on};
use crate::Extent;
use crate::load::{Pace, Protocol, Request, Target};
use crate::machine::Machine;
use crate::process::Parted;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::scene::Scene;
use crate::servers::{Adapter, Floor};
use crate::shop::{HUNDRED, Shop};

/// Requests a second while processor time is measured: far from busy, so that nothing is saved by doing much at once.
const CALM: f64 = 500.0;
/// Requests a second at which latencies are measured.
const BRISK: f64 = 2000.0;

const KEEP_ALIVE: Protocol = Protocol::KeepAlive { connections: 16 };
const MULTIPLEXED: Protocol = Protocol::Multiplexed {
    connections: 4,
    streams: 8,
};

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let pair = Pair::start(HUNDRED);
    let cost = pair.both(extent, KEEP_ALIVE, Pace::Rate(CALM));
    let latency = pair.both(extent, KEEP_ALIVE, Pace::Rate(BRISK));
    let keep_alive = pair.at_full_load(extent, KEEP_ALIVE);
    let multiplexed = pair.at_full_load(extent, MULTIPLEXED);
    Figure {
        how: HOW.to_owned(),
        rows: vec![
            cost_row(&cost),
            throughput_row("HTTP/1.1", &keep_alive),
            throughput_row("HTTP/2", &multiplexed),
            busy_row("HTTP/1.1", &keep_alive),
            busy_row("HTTP/2", &multiplexed),
            latency_row(&latency),
            median_row(&latency),
        ],
        machine,
    }
}

const HOW: &str = "\
100 workloads of ten pods in ten namespaces are asked for in turn, over TLS 1.3 with a client certificate and with the headers of the autoscaler's controller.
All answers are in the cache, and each is asked of Prometheus again before it is `freshFor` old, as always; there is no cluster, so that nobody else runs.
Prometheus scrapes the pods every 15 s: every second, it is busy for some 40 ms of it, and those would be the 99th percentile.
At these rates most requests repeat one whose answer still stands, and get the body that was written for it; what one takes that is written anew is told by `anew` beside `again` in `tests/bench/instructions.txt`.
Adapter and static handler are measured in turn in every run; a ratio is taken within a run.
Processor time is that of the process, user and system, while 500 requests a second come in on 16 connections.
Latency is measured at 2,000 requests a second on 16 connections, from the moment a request was due.
For the throughput the server has one processor to itself and the client the others; HTTP/1.1 has 16 connections and HTTP/2 4 with 8 requests at a time, and the next request is sent when an answer has come.
Where the server was not busy all the time, the client was the limit and the ratio of processor times tells more; that is in the lines below.
";

/// At full load over HTTP/1.1, with so many workloads.
pub(super) fn at(workloads: usize, extent: &Extent) -> Both {
    let shop = Shop { workloads, ..HUNDRED };
    Pair::start(shop).at_full_load(extent, KEEP_ALIVE)
}

/// The adapter and the floor, both warm.
struct Pair {
    adapter: Adapter,
    floor: Floor,
    at_adapter: (Target, Vec<Request>),
    at_floor: (Target, Vec<Request>),
    _scene: Scene,
}

impl Pair {
    fn start(shop: Shop) -> Pair {
        let scene = Scene::with_rates(shop, PERIOD);
        let adapter = scene.adapter();
        let target = scene.tls.target(adapter.address);
        let body = target.body(&shop.paths()[0]);
        let at_adapter = (target.clone(), scene.requests(&target));
        let floor = Floor::start(scene.path(), &body);
        let target = scene.tls.target(floor.address);
        let at_floor = (target.clone(), scene.requests(&target));
        Pair {
            adapter,
            floor,
            at_adapter,
            at_floor,
            _scene: scene,
        }
    }

    /// A processor for the servers, and the others for the client.
    fn at_full_load(&self, extent: &Extent, protocol: Protocol) -> Both {
        let _parted = Parted::now(&[&self.adapter.process, &self.floor.process]);
        self.both(extent, protocol, Pace::Closed)
    }

    /// What the adapter and the floor do under the same load, in turn.
    fn both(&self, extent: &Extent, protocol: Protocol, pace: Pace) -> Both {
        let mut both = Both::default();
        // The first run is to warm up.
        for run in 0..=extent.runs {
            let adapter = laid_on(&self.adapter.process, &self.at_adapter, protocol, pace, extent);
            let floor = laid_on(&self.floor.process, &self.at_floor, protocol, pace, extent);
            if run > 0 {
                both.adapter.take(&adapter);
                both.floor.take(&floor);
            }
        }
        both
    }
}

/// What several runs gave of both programs.
#[derive(Default)]
pub(super) struct Both {
    pub(super) adapter: Runs,
    pub(super) floor: Runs,
}

fn cost_row(Both { adapter, floor }: &Both) -> Row {
    Row {
        what: "adapter CPU for a warm GET of ten pods over TLS, without a cluster".to_owned(),
        measured: Cell::new(&adapter.cpu_us, "µs"),
        floor: Cell::new(&floor.cpu_us, "µs"),
        age_s: adapter.age_s(),
        ..Row::told()
    }
}

fn throughput_row(protocol: &str, Both { adapter, floor }: &Both) -> Row {
    let ratio = Spread::of_ratios(&adapter.rate, &floor.rate);
    Row {
        what: format!("throughput on one processor, {protocol}: {}", percent(ratio)),
        must: "at least 0.7 of the static handler".to_owned(),
        measured: Cell::new(&adapter.rate, "req/s"),
        floor: Cell::new(&floor.rate, "req/s"),
        peer: Cell::Nothing,
        verdict: Verdict::reached_if(ratio.median >= 0.7),
        age_s: adapter.age_s(),
    }
}

fn busy_row(protocol: &str, Both { adapter, floor }: &Both) -> Row {
    let busy = |runs: &Runs| Spread::of(&runs.busy).median * 100.0;
    Row {
        what: format!(
            "CPU of a request at that throughput, {protocol}; its processor was busy for {:.0} and {:.0} %",
            busy(adapter),
            busy(floor)
        ),
        measured: Cell::new(&adapter.cpu_us, "µs"),
        floor: Cell::new(&floor.cpu_us, "µs"),
        ..Row::told()
    }
}

fn latency_row(Both { adapter, floor }: &Both) -> Row {
    let (adapter_p99, floor_p99) = (Spread::of(&adapter.p99_ms), Spread::of(&floor.p99_ms));
    Row {
        what: "p99 at 2,000 requests a second".to_owned(),
        must: "below 1 ms, and below twice the static handler's".to_owned(),
        measured: Cell::of(adapter_p99, "ms"),
        floor: Cell::of(floor_p99, "ms"),
        peer: Cell::Nothing,
        verdict: Verdict::reached_if(adapter_p99.median < 1.0 && adapter_p99.median < 2.0 * floor_p99.median),
        age_s: adapter.age_s(),
    }
}

fn median_row(Both { adapter, floor }: &Both) -> Row {
    Row {
        what: "p50 at 2,000 requests a second".to_owned(),
        measured: Cell::new(&adapter.p50_ms, "ms"),
        floor: Cell::new(&floor.p50_ms, "ms"),
        ..Row::told()
    }
}

/// A ratio to the static handler, in words.
fn percent(ratio: Spread) -> String {
    format!(
        "{:.2} [{:.2}–{:.2}] of the static handler's",
        ratio.median, ratio.least, ratio.most
    )
}

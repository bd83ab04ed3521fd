//! The discovery document, with many metrics.

use std::fmt::Write as _;
use std::time::Duration;

use crate::Extent;
use crate::load::{Load, Pace, Protocol, Request};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::shop::Shop;

const METRICS: usize = 5_000;

const PATH: &str = "/apis/custom.metrics.k8s.io/v1beta2";

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let document = at(METRICS, extent);
    let Document {
        listed,
        bytes,
        is_stable,
        ref p99_ms,
    } = document;
    let spread = Spread::of(p99_ms);
    let order = if is_stable {
        "same order each time"
    } else {
        "**order differs**"
    };
    Figure {
        how: HOW.to_owned(),
        rows: vec![Row {
            what: format!(
                "discovery document with {METRICS} metrics, p99; {listed} resources, {bytes} bytes, {order}"
            ),
            must: "below 5 ms, never empty, same order each time".to_owned(),
            measured: Cell::of(spread, "ms"),
            verdict: Verdict::reached_if(spread.median < 5.0 && is_stable && listed >= METRICS),
            ..Row::told()
        }],
        machine,
    }
}

const HOW: &str = "\
One client asks for the list of resources of `custom.metrics.k8s.io/v1beta2` 20 times a second, compressed as the controllers ask for it, at once after the start.
Its bytes are compared with those of the first answer.
";

/// What is served.
pub(super) struct Document {
    /// Resources in it.
    listed: usize,
    bytes: usize,
    /// Whether it has the same bytes each time.
    is_stable: bool,
    /// Run by run.
    pub(super) p99_ms: Vec<f64>,
}

/// With so many metrics.
pub(super) fn at(metrics: usize, extent: &Extent) -> Document {
    let shop = Shop {
        namespaces: 1,
        workloads: 1,
        pods: 1,
        metrics: 1,
        metrics_each: 1,
    };
    let scene = Scene::set(shop, Duration::from_secs(15));
    scene.configure(&rules(metrics));
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let first = target.body(PATH);
    let listed: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let listed = listed["resources"].as_array().map_or(0, Vec::len);
    let is_stable = (0..20).all(|_| target.body(PATH) == first);
    let requests = [Request::get(&target, PATH)];
    let load = Load {
        target: &target,
        requests: &requests,
        protocol: Protocol::KeepAlive { connections: 1 },
        pace: Pace::Rate(20.0),
        length: extent.length,
    };
    let p99_ms = |_| quantile(&load.run().complete().latencies_ms, 0.99);
    Document {
        listed,
        bytes: first.len(),
        is_stable,
        p99_ms: (0..extent.runs).map(p99_ms).collect(),
    }
}

fn rules(metrics: usize) -> String {
    let mut text = "rules:\n".to_owned();
    for rule in 0..metrics {
        writeln!(
            text,
            "  - {{metric: requests_{rule}_per_second, objects: {{namespace: namespace, pods: pod}}, \
             rate: {{counter: requests_{rule}_total, window: 1m}}}}"
        )
        .unwrap();
    }
    text
}

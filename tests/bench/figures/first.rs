//! The first request of an autoscaler that nobody asked for before.

use std::time::Duration;

use crate::Extent;
use crate::load::{Load, Pace, Protocol, Request, Target};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::shop::Shop;

/// Requests a second.
const RATE: f64 = 20.0;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let each_run = (extent.length.as_secs_f64() * RATE) as usize;
    let shop = Shop {
        namespaces: 10,
        workloads: (each_run + 1) * extent.runs,
        pods: 10,
        metrics: 1,
        metrics_each: 1,
    };
    let scene = Scene::with_rates(shop, Duration::from_secs(5));
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let requests = scene.requests(&target);
    let (prometheus, narrow) = scene.narrow();
    let (mut through, mut direct) = (Vec::new(), Vec::new());
    for run in 0..extent.runs {
        let part = run * each_run..(run + 1) * each_run;
        through.push(median_ms(&target, &requests[part.clone()], extent));
        direct.push(median_ms(&prometheus, &narrow[part], extent));
    }
    let above: Vec<f64> = through
        .iter()
        .zip(&direct)
        .map(|(through, direct)| through - direct)
        .collect();
    let spread = Spread::of(&above);
    Figure {
        how: HOW.to_owned(),
        rows: vec![
            Row {
                what: "first request of an autoscaler, above the backend's own time".to_owned(),
                must: "at most 1 ms".to_owned(),
                measured: Cell::of(spread, "ms"),
                verdict: Verdict::reached_if(spread.median <= 1.0),
                ..Row::told()
            },
            Row {
                what: format!(
                    "the whole of it; Prometheus alone takes {:.2} ms",
                    Spread::of(&direct).median
                ),
                measured: Cell::new(&through, "ms"),
                ..Row::told()
            },
        ],
        machine,
    }
}

const HOW: &str = "\
One client asks the adapter 20 times a second, each time for another workload of ten pods, on a TLS connection that is kept.
Then it asks Prometheus for the same ten pods itself, over plain HTTP.
The difference of the medians is what the adapter adds, its own TLS among it.
It is below zero where workloads of a namespace follow each other: the question about the first ones brings all of them.
";

fn median_ms(target: &Target, requests: &[Request], extent: &Extent) -> f64 {
    let load = Load {
        target,
        requests,
        protocol: Protocol::KeepAlive { connections: 1 },
        pace: Pace::Rate(RATE),
        length: extent.length,
    };
    quantile(&load.run().complete().latencies_ms, 0.5)
}

//! A list in JSON and in protobuf: what the autoscaler's controller takes to read it.

use std::time::{Duration, Instant};

use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::scene::Scene;
use crate::shop::HUNDRED;
use crate::support::cluster::decoded;

/// How often a list is read in a run.
const TIMES: usize = 20_000;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let scene = Scene::with_rates(HUNDRED, Duration::from_secs(1));
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let path = &HUNDRED.paths()[0];
    let protobuf = target.body(path);
    let json = target.try_json(&target.client(), path).unwrap();
    let (mut of_protobuf, mut of_json) = (Vec::new(), Vec::new());
    for _ in 0..extent.runs {
        of_protobuf.push(reading_us(&protobuf));
        of_json.push(reading_us(&json));
    }
    let (measured, beside) = (Spread::of(&of_protobuf), Spread::of(&of_json));
    Figure {
        how: HOW.to_owned(),
        rows: vec![Row {
            what: format!(
                "time of the controller to read ten pods in {} bytes of protobuf; {} bytes of JSON take {:.1} µs \
                 [{:.1}–{:.1}]",
                protobuf.len(),
                json.len(),
                beside.median,
                beside.least,
                beside.most
            ),
            must: "less than JSON".to_owned(),
            measured: Cell::of(measured, "µs"),
            verdict: Verdict::reached_if(measured.median < beside.median),
            ..Row::told()
        }],
        machine,
    }
}

const HOW: &str = "\
The same answer about ten pods is fetched in both forms, and read 20,000 times by the code that the autoscaler's controller has for it, in one thread.
The start of that program, measured with one reading, is taken off.
What the adapter takes to write either form is told by `warm` and `json` in `tests/bench/instructions.txt`.
";

fn reading_us(body: &[u8]) -> f64 {
    let took = |times| {
        let began = Instant::now();
        decoded(body, times);
        began.elapsed()
    };
    let (once, often) = (took(1), took(TIMES));
    often.saturating_sub(once).as_secs_f64() * 1e6 / (TIMES - 1) as f64
}

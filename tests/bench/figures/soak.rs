//! A long time under load, while all around the adapter changes.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::runs::age_s;
use crate::Extent;
use crate::curve;
use crate::load::{Load, Outcome, Pace, Protocol};
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::{Spread, quantile};
use crate::scene::Scene;
use crate::servers::Adapter;
use crate::shop::HUNDRED;

/// Requests a second.
const RATE: f64 = 2000.0;

const PROTOCOL: Protocol = Protocol::KeepAlive { connections: 16 };

/// How often memory is read and pods come and go.
const STEP: Duration = Duration::from_secs(2);
/// Steps between two new certificates.
const CERTIFICATE_EVERY: usize = 15;
/// Steps between two stops of the backend, and how many it is down: more than the last answers are served for.
const STOP_EVERY: usize = 60;
const DOWN_FOR: usize = 10;

/// What the last part of the time may take more than the second: measuring noise, and what the allocator keeps.
const GROWTH_MIB: f64 = 2.0;

/// Statuses that are the backend's fault, while it is down.
const OF_THE_BACKEND: [&str; 2] = ["503", "504"];

const PICTURE: &str = "docs/performance-memory.svg";

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let mut scene = Scene::with_rates(HUNDRED, Duration::from_secs(1));
    let adapter = scene.adapter();
    let target = scene.tls.target(adapter.address);
    let requests = scene.requests(&target);
    let load = Load {
        target: &target,
        requests: &requests,
        protocol: PROTOCOL,
        pace: Pace::Rate(RATE),
        length: extent.soak,
    };
    let (outcome, memory) = thread::scope(|scope| {
        let asking = scope.spawn(|| load.run());
        let memory = disturb(&mut scene, &adapter, extent.soak);
        (asking.join().expect("the load is laid on to its end"), memory)
    });
    let picture = if extent.is_quick {
        "target/bench/performance-memory.svg"
    } else {
        PICTURE
    };
    let title = format!(
        "Resident memory of the adapter in MiB, over {} minutes",
        extent.soak.as_secs() / 60
    );
    fs::write(Path::new(picture), curve::svg(&title, &memory)).unwrap();
    Figure {
        how: HOW.to_owned(),
        rows: rows(&outcome, &memory, extent.soak),
        machine,
    }
}

const HOW: &str = "\
2,000 requests a second on 16 connections, for 100 workloads of ten pods.
Every two seconds a pod goes and another comes, by a new objects file; every half minute there is a new certificate; every two minutes Prometheus is killed and started again with its data 20 seconds later, longer than the last answers are served for.
Errors are the backend's if they are 503 or 504; memory is read every two seconds, and it has not grown if the mean of the last quarter is at most 2 MiB above that of the second.

![memory over time](performance-memory.svg)
";

/// Changes pods, certificates and the backend until the time is over; gives the memory in MiB, step by step.
fn disturb(scene: &mut Scene, adapter: &Adapter, length: Duration) -> Vec<f64> {
    let began = Instant::now();
    let mut memory = Vec::new();
    for step in 1.. {
        thread::sleep((STEP * u32::try_from(step).unwrap()).saturating_sub(began.elapsed()));
        if began.elapsed() + STEP > length {
            break;
        }
        memory.push(adapter.process.resident_mib());
        scene.churn(step);
        if step % CERTIFICATE_EVERY == 0 {
            scene.tls.write(scene.path());
        }
        match step % STOP_EVERY {
            phase if phase == STOP_EVERY / 2 => scene.prometheus.stop(),
            phase if phase == STOP_EVERY / 2 + DOWN_FOR => scene.prometheus.start_again(),
            _ => {}
        }
    }
    memory
}

fn rows(outcome: &Outcome, memory: &[f64], length: Duration) -> Vec<Row> {
    let is_of_the_backend = |why: &str| OF_THE_BACKEND.contains(&why);
    let (of_the_backend, others): (Vec<_>, Vec<_>) =
        outcome.failed.iter().partition(|(why, _)| is_of_the_backend(why));
    let count = |failures: &[(&String, &usize)]| failures.iter().map(|(_, count)| **count).sum::<usize>();
    let minutes = length.as_secs() / 60;
    let quarter = (memory.len() / 4).max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let second = mean(&memory[quarter..(2 * quarter).min(memory.len())]);
    let last = mean(&memory[memory.len() - quarter..]);
    vec![
        Row {
            what: format!(
                "errors in {minutes} minutes at 2,000 requests a second that are not the backend's {others:?}; \
                 {} answered, {} not because of the backend",
                outcome.answered,
                count(&of_the_backend)
            ),
            must: "none".to_owned(),
            measured: Cell::new(&[count(&others) as f64], ""),
            verdict: Verdict::reached_if(others.is_empty()),
            age_s: age_s(&outcome.ages_s),
            ..Row::told()
        },
        Row {
            what: "growth of memory after warm-up".to_owned(),
            must: "none".to_owned(),
            measured: Cell::new(&[last - second], "MiB"),
            verdict: Verdict::reached_if(last - second <= GROWTH_MIB),
            ..Row::told()
        },
        Row {
            what: "resident memory in that time".to_owned(),
            measured: Cell::of(Spread::of(memory), "MiB"),
            ..Row::told()
        },
        Row {
            what: "latency in that time, p99".to_owned(),
            measured: Cell::new(&[quantile(&outcome.latencies_ms, 0.99)], "ms"),
            ..Row::told()
        },
    ]
}

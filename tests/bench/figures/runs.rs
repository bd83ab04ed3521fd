//! Several runs of one program under the same load.

use std::time::Duration;

use crate::Extent;
use crate::load::{Load, Outcome, Pace, Protocol, Request, Target};
use crate::process::Process;
use crate::samples::quantile;

/// What several runs gave of one program, an entry a run.
#[derive(Default)]
pub(super) struct Runs {
    /// Processor time of a request.
    pub(super) cpu_us: Vec<f64>,
    /// Part of one processor that was used.
    pub(super) busy: Vec<f64>,
    /// Answers a second.
    pub(super) rate: Vec<f64>,
    pub(super) p50_ms: Vec<f64>,
    pub(super) p99_ms: Vec<f64>,
    /// Of all runs together.
    pub(super) ages_s: Vec<f64>,
}

impl Runs {
    pub(super) fn take(&mut self, (outcome, cpu): &(Outcome, Duration)) {
        let cpu_s = cpu.as_secs_f64();
        self.cpu_us.push(cpu_s * 1e6 / outcome.answered as f64);
        self.busy.push(cpu_s / outcome.took.as_secs_f64());
        self.rate.push(outcome.rate());
        self.p50_ms.push(quantile(&outcome.latencies_ms, 0.5));
        self.p99_ms.push(quantile(&outcome.latencies_ms, 0.99));
        self.ages_s.extend(&outcome.ages_s);
    }

    /// Ages of what was served, p50 and p99 in seconds.
    pub(super) fn age_s(&self) -> Option<(f64, f64)> {
        age_s(&self.ages_s)
    }
}

/// What comes of a load, and the processor time that it takes the server.
pub(super) fn laid_on(
    server: &Process,
    (target, requests): &(Target, Vec<Request>),
    protocol: Protocol,
    pace: Pace,
    extent: &Extent,
) -> (Outcome, Duration) {
    let before = server.cpu();
    let load = Load {
        target,
        requests,
        protocol,
        pace,
        length: extent.length,
    };
    let outcome = load.run().complete();
    (outcome, server.cpu() - before)
}

/// p50 and p99.
pub(super) fn age_s(ages_s: &[f64]) -> Option<(f64, f64)> {
    (!ages_s.is_empty()).then(|| (quantile(ages_s, 0.5), quantile(ages_s, 0.99)))
}

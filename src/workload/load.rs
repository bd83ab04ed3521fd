//! The load: how many requests a second, how long each takes, and the task that sends them.

use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::workload::client;
use crate::workload::metrics::Metrics;

/// A load that rises from the lowest to the highest rate and falls back, over and over.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Requests a second at the start of each period, all instances together. Default 10.
    pub lowest: f64,
    /// Requests a second in the middle of each period. Default 50.
    pub highest: f64,
    /// Length of one rise and fall. Default 2 min.
    pub period: Duration,
}

impl Default for Load {
    fn default() -> Self {
        Load {
            lowest: 10.0,
            highest: 50.0,
            period: Duration::from_secs(120),
        }
    }
}

impl Load {
    /// Requests a second at this time after the start.
    pub fn rate_at(&self, elapsed: Duration) -> f64 {
        self.lowest + (self.highest - self.lowest) * self.phase_at(elapsed)
    }

    /// Where between the lowest rate (0) and the highest (1) the curve stands.
    fn phase_at(&self, elapsed: Duration) -> f64 {
        let turns = elapsed.as_secs_f64() / self.period.as_secs_f64().max(f64::MIN_POSITIVE);
        (1.0 - (TAU * turns).cos()) / 2.0
    }
}

/// One instance as the driver sees it.
#[derive(Clone, Debug)]
pub(super) struct Aim {
    pub(super) address: SocketAddr,
    pub(super) metrics: Arc<Metrics>,
}

/// What one request asks of an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Work {
    pub(super) method: &'static str,
    /// How long the answer takes.
    pub(super) takes: Duration,
    pub(super) fails: bool,
}

/// Sends requests along the curve until told to stop, then waits for those in flight.
///
/// The load is open: a slow answer does not hold up the next request, as with real clients.
pub(super) async fn drive(load: Load, aims: Vec<Aim>, stopping: CancellationToken) {
    let start = Instant::now();
    let shares = shares(aims.len());
    let drivers = aims
        .into_iter()
        .zip(shares)
        .map(|(aim, share)| drive_one(load.clone(), aim, share, start, stopping.clone()))
        .collect::<JoinSet<()>>();
    drivers.join_all().await;
}

async fn drive_one(load: Load, aim: Aim, share: f64, start: Instant, stopping: CancellationToken) {
    let mut in_flight = JoinSet::new();
    let mut next = start;
    for number in 0_u32.. {
        let elapsed = next - start;
        let rate = load.rate_at(elapsed) * share;
        // At a rate of nothing the curve is looked at again soon.
        let sends = rate > 0.01;
        next += Duration::from_secs_f64(if sends { 1.0 / rate } else { 0.1 });
        tokio::select! {
            () = sleep_until(next) => {}
            () = stopping.cancelled() => break,
        }
        aim.metrics.set_queues(rate);
        if sends {
            in_flight.spawn(client::ask(aim.address, work(number, load.phase_at(elapsed))));
        }
        while in_flight.try_join_next().is_some() {}
    }
    in_flight.join_all().await;
}

/// What part of the load each instance gets: the second twice that of the first, and so on.
///
/// They differ so that a value given to the wrong pod is noticed.
fn shares(instances: usize) -> Vec<f64> {
    let total = (instances * (instances + 1) / 2) as f64;
    (1..=instances).map(|part| part as f64 / total).collect()
}

/// The request of this number while the load stands at `phase`, from 0 to 1.
///
/// Durations follow a Pareto distribution whose smallest value grows with the load from 10 to 40 ms:
/// p95 is 2.7 times the smallest, p99 4.6 times. Multiples of the golden ratio fill it evenly without chance.
fn work(number: u32, phase: f64) -> Work {
    const GOLDEN_RATIO: f64 = 0.618_033_988_749_894_9;
    let uniform = (f64::from(number) * GOLDEN_RATIO).fract().min(0.999);
    let smallest = 0.010 + 0.030 * phase;
    Work {
        method: if number.is_multiple_of(5) { "POST" } else { "GET" },
        takes: Duration::from_secs_f64(smallest / (1.0 - uniform).cbrt()),
        fails: number % 20 == 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_rises_from_lowest_to_highest_and_falls_back() {
        let load = Load {
            lowest: 2.0,
            highest: 10.0,
            period: Duration::from_secs(60),
        };
        for (seconds, rate) in [(0, 2.0), (15, 6.0), (30, 10.0), (45, 6.0), (60, 2.0), (90, 10.0)] {
            assert!(
                (load.rate_at(Duration::from_secs(seconds)) - rate).abs() < 1e-9,
                "at {seconds} s"
            );
        }
    }

    #[test]
    fn shares_differ_and_add_up_to_one() {
        assert_eq!(shares(3), [1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]);
        assert!(shares(0).is_empty());
    }

    #[test]
    fn p95_is_known_and_grows_with_the_load() {
        let p95 = |phase| {
            let mut taken: Vec<_> = (0..1000).map(|number| work(number, phase).takes).collect();
            taken.sort();
            taken[950].as_secs_f64()
        };
        assert!((p95(0.0) - 0.0271).abs() < 0.001, "{}", p95(0.0));
        assert!((p95(1.0) - 0.1086).abs() < 0.004, "{}", p95(1.0));
    }

    #[test]
    fn one_request_in_twenty_fails_and_one_in_five_is_a_post() {
        let requests: Vec<_> = (0..100).map(|number| work(number, 0.5)).collect();
        assert_eq!(requests.iter().filter(|work| work.fails).count(), 5);
        assert_eq!(requests.iter().filter(|work| work.method == "POST").count(), 20);
    }
}

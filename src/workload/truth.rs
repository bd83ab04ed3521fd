//! What was really served, to the request: the measure for what scraping and querying make of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// How long a request stays in the ledger.
const KEPT_SECONDS: f64 = 900.0;

/// What was served in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Unix time of the end of the window, which belongs to it.
    pub end: f64,
    /// Length of the window, whose start does not belong to it.
    pub window_seconds: f64,
    /// By pod, sorted by name.
    pub pods: BTreeMap<String, PodTruth>,
    /// Of all pods together; `None` if nothing was served.
    pub durations: Option<Durations>,
}

/// What one pod served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodTruth {
    /// Requests since the start.
    pub requests_total: u64,
    /// Requests whose answer was sent within the window.
    pub requests_in_window: u64,
}

/// Durations in seconds: exact samples, not estimates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    /// The median.
    pub p50: f64,
    /// 95 of 100 took at most this long.
    pub p95: f64,
    /// 99 of 100 took at most this long.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Every request of the last quarter of an hour, and the count of all.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    totals: BTreeMap<String, u64>,
    recent: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    pod: String,
    at: f64,
    took_seconds: f64,
}

impl Ledger {
    /// Enters a request that was answered at this Unix time.
    pub(super) fn served(&self, pod: &str, at: f64, took_seconds: f64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        *entries.totals.entry(pod.to_owned()).or_default() += 1;
        entries.recent.push_back(Entry {
            pod: pod.to_owned(),
            at,
            took_seconds,
        });
        while entries
            .recent
            .front()
            .is_some_and(|oldest| oldest.at < at - KEPT_SECONDS)
        {
            entries.recent.pop_front();
        }
    }

    /// What was served in the window that ends at Unix time `end`.
    pub(super) fn truth(&self, end: f64, window_seconds: f64) -> Truth {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pods: BTreeMap<String, PodTruth> = entries
            .totals
            .iter()
            .map(|(pod, &requests_total)| {
                (
                    pod.clone(),
                    PodTruth {
                        requests_total,
                        requests_in_window: 0,
                    },
                )
            })
            .collect();
        let mut took = Vec::new();
        for entry in &entries.recent {
            if entry.at > end - window_seconds && entry.at <= end {
                took.push(entry.took_seconds);
                pods.entry(entry.pod.clone()).or_default().requests_in_window += 1;
            }
        }
        Truth {
            end,
            window_seconds,
            pods,
            durations: durations(took),
        }
    }
}

/// The clock in the form that Prometheus' API speaks: Unix time in seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "the ledger is held against samples that carry wall-clock times"
)]
pub(super) fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

fn durations(mut took: Vec<f64>) -> Option<Durations> {
    took.sort_by(f64::total_cmp);
    let max = *took.last()?;
    // The smallest sample that at least this part of the samples does not exceed.
    let quantile = |part: f64| took[((took.len() as f64 * part).ceil() as usize).saturating_sub(1)];
    Some(Durations {
        p50: quantile(0.50),
        p95: quantile(0.95),
        p99: quantile(0.99),
        max,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_excludes_its_start_and_includes_its_end() {
        let ledger = Ledger::default();
        for at in [10.0, 11.0, 12.0, 13.0] {
            ledger.served("cart-0", at, at / 100.0);
        }
        let truth = ledger.truth(12.0, 2.0);
        assert_eq!(
            truth.pods["cart-0"],
            PodTruth {
                requests_total: 4,
                requests_in_window: 2
            }
        );
        assert_eq!(
            truth.durations,
            Some(Durations {
                p50: 0.11,
                p95: 0.12,
                p99: 0.12,
                max: 0.12
            })
        );
    }

    #[test]
    fn pods_are_told_apart_and_idle_ones_stay_listed() {
        let ledger = Ledger::default();
        ledger.served("cart-0", 1.0, 0.1);
        ledger.served("cart-1", 100.0, 0.1);
        let truth = ledger.truth(100.0, 10.0);
        assert_eq!(
            truth.pods["cart-0"],
            PodTruth {
                requests_total: 1,
                requests_in_window: 0
            }
        );
        assert_eq!(
            truth.pods["cart-1"],
            PodTruth {
                requests_total: 1,
                requests_in_window: 1
            }
        );
    }

    #[test]
    fn nothing_served_has_no_durations() {
        assert_eq!(Ledger::default().truth(1.0, 1.0).durations, None);
    }

    #[test]
    fn old_requests_leave_the_ledger_but_stay_counted() {
        let ledger = Ledger::default();
        ledger.served("cart-0", 0.0, 0.1);
        ledger.served("cart-0", KEPT_SECONDS + 1.0, 0.1);
        let truth = ledger.truth(KEPT_SECONDS + 1.0, 2.0 * KEPT_SECONDS);
        assert_eq!(
            truth.pods["cart-0"],
            PodTruth {
                requests_total: 2,
                requests_in_window: 1
            }
        );
    }
}

//! The metrics of one instance, as an ordinary service exports them.

use std::sync::atomic::AtomicI64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// What [`Metrics::encode`] writes.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the duration buckets in seconds; between them a quantile is a straight line.
const DURATION_BUCKETS: [f64; 9] = [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0];

/// The queues that an instance has, and how many seconds of its load wait in each.
const QUEUES: [(&str, f64); 2] = [("orders", 4.0), ("mail", 1.0)];

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    queues: Family<QueueLabels, Gauge<i64, AtomicI64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let requests = Family::default();
        let durations = Histogram::new(DURATION_BUCKETS);
        let queues = Family::default();
        // The library adds `_total` to the name of a counter.
        registry.register("http_requests", "Requests served", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time to serve a request",
            durations.clone(),
        );
        registry.register("queue_depth", "Jobs that wait in a queue", queues.clone());
        Metrics {
            registry,
            requests,
            durations,
            queues,
        }
    }

    /// Counts one request.
    pub(super) fn served(&self, method: &str, code: u16, took_seconds: f64) {
        self.requests
            .get_or_create(&RequestLabels {
                method: method.to_owned(),
                code,
            })
            .inc();
        self.durations.observe(took_seconds);
    }

    /// Sets the queues to what waits while this many requests a second arrive.
    pub(super) fn set_queues(&self, rate: f64) {
        for (queue, seconds) in QUEUES {
            self.queues
                .get_or_create(&QueueLabels { queue })
                .set((rate * seconds).round() as i64);
        }
    }

    /// The metrics as OpenMetrics text.
    pub(super) fn encode(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a string takes any text");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_a_counter_a_classic_histogram_and_a_gauge() {
        let metrics = Metrics::new();
        metrics.served("GET", 200, 0.015);
        metrics.set_queues(2.0);
        let text = metrics.encode();
        for line in [
            "http_requests_total{method=\"GET\",code=\"200\"} 1",
            "http_request_duration_seconds_bucket{le=\"0.01\"} 0",
            "http_request_duration_seconds_bucket{le=\"0.02\"} 1",
            "http_request_duration_seconds_count 1",
            "queue_depth{queue=\"orders\"} 8",
            "# EOF",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "no line `{line}` in\n{text}"
            );
        }
    }
}

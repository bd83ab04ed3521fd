//! The table form in which the adapter's metrics are declared.

use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::atomic::AtomicU64;

/// A gauge of seconds or of 0 and 1.
pub(super) type Number = Gauge<f64, AtomicU64>;

/// Histograms by label, all with the buckets of [`seconds`].
pub(super) type Seconds<Labels> = Family<Labels, Histogram, SecondsBuckets>;

/// Makes the histograms of [`Seconds`].
#[derive(Clone, Debug, Default)]
pub(super) struct SecondsBuckets;

impl MetricConstructor<Histogram> for SecondsBuckets {
    /// From an answer out of the cache (about 1 ms) to the outer deadline of a request (60 s).
    fn new_metric(&self) -> Histogram {
        Histogram::new([
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
        ])
    }
}

/// An empty family of [`Seconds`].
pub(super) fn seconds<Labels: Clone + std::hash::Hash + Eq>() -> Seconds<Labels> {
    Family::new_with_constructor(SecondsBuckets)
}

/// Declares metrics: the doc comment of a field is also the help text that `/metrics` prints.
///
/// The name is the registered one: `prometheus-client` adds `_total` to counters and `_info` to infos.
macro_rules! declare {
    (
        $(#[$about:meta])*
        struct $table:ident {
            $( $(#[doc = $help:literal])+ $name:literal => $field:ident: $metric:ty = $new:expr, )+
        }
    ) => {
        $(#[$about])*
        struct $table {
            $( $(#[doc = $help])+ $field: $metric, )+
        }

        impl $table {
            /// All metrics, registered.
            fn register(registry: &mut prometheus_client::registry::Registry) -> Self {
                let table = Self { $( $field: $new, )+ };
                $( registry.register($name, $crate::telemetry::declare::help(concat!($($help),+)), table.$field.clone()); )+
                table
            }
        }
    };
}
pub(super) use declare;

/// The doc comment as help text; its last full stop is added again by `prometheus-client`.
pub(super) fn help(comment: &str) -> &str {
    comment.trim().trim_end_matches('.')
}

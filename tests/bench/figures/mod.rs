//! The figures, in the order of the report.

mod aggregated;
mod churn;
mod cluster;
mod discovery;
mod documents;
mod first;
mod forms;
mod growth;
mod many;
mod memory;
mod reaction;
mod runs;
mod scraping;
mod soak;
mod start;
mod warm;

use crate::Extent;
use crate::report::Figure;

/// A figure that can be measured.
pub(crate) struct Measurable {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) measure: fn(&Extent) -> Figure,
}

/// All of them.
pub(crate) const FIGURES: &[Measurable] = &[
    Measurable {
        name: "warm",
        title: "A warm GET of ten pods over TLS",
        measure: warm::measure,
    },
    Measurable {
        name: "cluster",
        title: "A warm GET in a cluster, beside the peer",
        measure: cluster::measure,
    },
    Measurable {
        name: "many",
        title: "Ten thousand autoscalers",
        measure: many::measure,
    },
    Measurable {
        name: "churn",
        title: "Autoscalers that come and go",
        measure: churn::measure,
    },
    Measurable {
        name: "aggregated",
        title: "Five thousand autoscalers through kube-apiserver",
        measure: aggregated::measure,
    },
    Measurable {
        name: "memory",
        title: "Resident memory",
        measure: memory::measure,
    },
    Measurable {
        name: "start",
        title: "Start to first metric",
        measure: start::measure,
    },
    Measurable {
        name: "discovery",
        title: "Discovery of series",
        measure: discovery::measure,
    },
    Measurable {
        name: "documents",
        title: "Discovery document",
        measure: documents::measure,
    },
    Measurable {
        name: "first",
        title: "First request of an autoscaler",
        measure: first::measure,
    },
    Measurable {
        name: "forms",
        title: "JSON and protobuf",
        measure: forms::measure,
    },
    Measurable {
        name: "scraping",
        title: "Scraping without Prometheus",
        measure: scraping::measure,
    },
    Measurable {
        name: "reaction",
        title: "From a step in load to a changed answer",
        measure: reaction::measure,
    },
    Measurable {
        name: "growth",
        title: "Growth",
        measure: growth::measure,
    },
    Measurable {
        name: "soak",
        title: "A long time under load",
        measure: soak::measure,
    },
];

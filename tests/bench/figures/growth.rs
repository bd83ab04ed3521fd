//! How the figures grow with what they depend on.

use super::aggregated::{self, Polled, p99_ms};
use super::discovery::{Look, Series, by_name, by_pattern};
use super::documents::{self, Document};
use super::many::{self, Size, Took};
use super::memory::{self, Memory};
use super::start::{self, Starts};
use super::warm::{self, Both};
use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, number, with_separators};
use crate::samples::{Spread, quantile};

/// Runs of one size: there are many sizes.
const RUNS: usize = 2;

/// Processor time that is told from none: a tick of the kernel in each of two windows.
const LEAST_CPU_S: f64 = 0.02;

/// The same of one look for series: a tick in twenty of them.
const LEAST_LOOK_MS: f64 = 0.5;

/// Memory that is told from none: what two starts differ by.
const LEAST_MIB: f64 = 0.1;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let extent = &Extent {
        runs: RUNS,
        length: extent.length / 2,
        ..*extent
    };
    let rows = [
        autoscalers(extent),
        workloads(extent),
        through_api_server(extent),
        series_in_memory(extent),
        series_looked_for(extent),
        rules(extent),
        metrics(extent),
    ];
    Figure {
        how: HOW.to_owned(),
        rows: rows.into_iter().flatten().collect(),
        machine,
    }
}

const HOW: &str = "\
Each figure above is measured anew with a hundredth, a tenth and all of what it depends on, in the way that is described there but in fewer runs; only start has ten times the rules.
An exponent of 1 is growth in proportion, 0 is none; what stands in brackets are the two steps, and their middle before.
What is less than can be told from nothing counts as that: 0.02 s of processor time, 0.5 ms of it for a look for series, 0.1 MiB.
LISTs of pods at kube-apiserver have no exponent, for there is none of them at any size.
";

/// What was measured with so many of something, each time ten times as many.
struct Grown<T> {
    of: &'static str,
    sizes: Vec<usize>,
    took: Vec<T>,
}

impl<T> Grown<T> {
    fn to(largest: usize, of: &'static str, extent: &Extent, measure: impl Fn(usize) -> T) -> Grown<T> {
        let mut sizes = vec![largest / 100, largest / 10, largest];
        if extent.is_quick {
            sizes.pop();
        }
        let took = sizes.iter().map(|size| measure(*size)).collect();
        Grown { of, sizes, took }
    }

    fn row(&self, what: &str, unit: &str, figure: impl Fn(&T) -> f64) -> Row {
        let figures: Vec<f64> = self.took.iter().map(figure).collect();
        let sizes = self.sizes.iter().map(|size| with_separators(&size.to_string()));
        let sizes: Vec<String> = sizes.collect();
        let told: Vec<String> = figures.iter().map(|figure| number(*figure)).collect();
        let told = format!("{} {unit}", told.join(" · "));
        Row {
            what: format!(
                "exponent of growth: {what}, {} with {} {}",
                told.trim_end(),
                sizes.join(" · "),
                self.of
            ),
            measured: Cell::new(&exponents(&figures), ""),
            ..Row::told()
        }
    }

    /// Beside that of the static handler.
    fn row_beside(
        &self,
        what: &str,
        unit: &str,
        figure: impl Fn(&T) -> f64,
        of_floor: impl Fn(&T) -> f64,
    ) -> Row {
        let of_floor: Vec<f64> = self.took.iter().map(of_floor).collect();
        Row {
            floor: Cell::new(&exponents(&of_floor), ""),
            ..self.row(what, unit, figure)
        }
    }
}

/// For each step of ten times.
fn exponents(figures: &[f64]) -> Vec<f64> {
    figures
        .windows(2)
        .map(|step| (step[1] / step[0]).log10())
        .collect()
}

fn median(runs: &[f64]) -> f64 {
    Spread::of(runs).median
}

/// That ask the adapter without a cluster.
fn autoscalers(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(10_000, "HPAs", extent, |autoscalers| {
        many::at(Size::disjoint(autoscalers), extent)
    });
    let a_request_us = |cpu: &[f64], took: &Took| {
        let requests_a_second = took.requests / many::PERIOD.as_secs_f64();
        median(cpu) / requests_a_second * 1e6
    };
    vec![
        grown.row("queries at Prometheus in 15 s", "", |took| median(&took.queries)),
        grown.row("most of them in any 15 s of the beginning", "", |took| {
            took.most_queries
        }),
        grown.row("CPU of Prometheus in 15 s", "s", |took| {
            median(&took.prometheus_cpu_s).max(LEAST_CPU_S)
        }),
        grown.row("the same for the narrow queries", "s", |took| {
            median(&took.narrow_cpu_s).max(LEAST_CPU_S)
        }),
        grown.row("samples that Prometheus read in 15 s", "", |took| {
            median(&took.samples)
        }),
        grown.row_beside(
            "CPU of the adapter",
            "processors",
            |took| median(&took.adapter_cpu),
            |took| median(&took.floor_cpu),
        ),
        grown.row_beside(
            "the same for one request",
            "µs",
            |took| a_request_us(&took.adapter_cpu, took),
            |took| a_request_us(&took.floor_cpu, took),
        ),
        grown.row("resident memory of the adapter", "MiB", |took| {
            median(&took.adapter_mib)
        }),
        grown.row("latency, p99", "ms", |took| {
            quantile(&took.outcome.latencies_ms, 0.99)
        }),
        grown.row(
            "latency of first requests, when all begin to ask, p50",
            "ms",
            |took| quantile(&took.beginning.latencies_ms, 0.5),
        ),
        grown.row("the same, p99", "ms", |took| {
            quantile(&took.beginning.latencies_ms, 0.99)
        }),
    ]
}

/// That are asked for as often as can be.
fn workloads(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(10_000, "workloads", extent, |workloads| {
        warm::at(workloads, extent)
    });
    vec![grown.row_beside(
        "throughput on one processor, HTTP/1.1",
        "req/s",
        |Both { adapter, .. }| median(&adapter.rate),
        |Both { floor, .. }| median(&floor.rate),
    )]
}

fn through_api_server(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(5_000, "HPAs", extent, |autoscalers| {
        aggregated::at(autoscalers, extent)
    });
    let lists: f64 = grown.took.iter().map(|polled| polled.asked.0).sum();
    vec![
        grown.row_beside(
            "latency through kube-apiserver, p99",
            "ms",
            |Polled { adapter, .. }| median(&p99_ms(adapter)),
            |Polled { floor, .. }| median(&p99_ms(floor)),
        ),
        grown.row(
            &format!(
                "reviews at kube-apiserver in {} s, and {lists} LISTs of pods",
                extent.runs as u64 * many::PERIOD.as_secs()
            ),
            "",
            |polled| polled.asked.1.max(1.0),
        ),
    ]
}

fn series_in_memory(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(300_000, "series", extent, |series| {
        memory::at(series, extent.runs)
    });
    let row = |way: &str, runs: fn(&Memory) -> &Vec<f64>| {
        grown.row(
            &format!("memory above idle while series are discovered {way}"),
            "MiB",
            |memory| median(runs(memory)).max(LEAST_MIB),
        )
    };
    vec![
        row("by name", |memory| &memory.by_name_mib),
        row("by a pattern", |memory| &memory.by_pattern_mib),
    ]
}

fn series_looked_for(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(50_000, "series", extent, |number| {
        let series = Series::set(number);
        [by_name(), by_pattern()].map(|config| series.looks(&config, 1))
    });
    let rows = |way: &str, look: fn(&[Look; 2]) -> &Look| {
        [
            grown.row(&format!("bytes of one discovery {way}"), "bytes", |looks| {
                median(&look(looks).bytes)
            }),
            grown.row(
                &format!("CPU of one discovery {way}, Prometheus' share included"),
                "ms",
                |looks| median(&look(looks).cpu_ms()).max(LEAST_LOOK_MS),
            ),
        ]
    };
    let mut all = Vec::from(rows("by name", |[look, _]| look));
    all.extend(rows("by a pattern", |[_, look]| look));
    all
}

fn rules(extent: &Extent) -> Vec<Row> {
    let scene = start::scene();
    let grown = Grown::to(1_000, "rules", extent, |rules| {
        start::at(rules, &scene, extent.runs)
    });
    let row = |form: &str, runs: fn(&Starts) -> &Vec<f64>| {
        grown.row(&format!("start to first metric served, {form}"), "ms", |starts| {
            median(runs(starts))
        })
    };
    vec![
        row("typed rules", |starts| &starts.typed_ms),
        row("rules that look for series first", |starts| &starts.upstream_ms),
    ]
}

fn metrics(extent: &Extent) -> Vec<Row> {
    let grown = Grown::to(5_000, "metrics", extent, |metrics| documents::at(metrics, extent));
    vec![
        grown.row("discovery document, p99", "ms", |Document { p99_ms, .. }| {
            median(p99_ms)
        }),
    ]
}

//! How the figures of many autoscalers grow with their number.

use super::many::{Size, Took, at};
use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row};
use crate::samples::Spread;

/// Numbers of autoscalers, each ten times the one before.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// Processor time that is told from none: a tick of the kernel in each of two windows.
const LEAST_CPU_S: f64 = 0.02;

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let sizes = if extent.is_quick() { &SIZES[..2] } else { &SIZES };
    let windows = Extent {
        runs: extent.runs.min(3),
        ..*extent
    };
    let took: Vec<Took> = sizes
        .iter()
        .map(|size| at(Size::disjoint(*size), &windows))
        .collect();
    let row = |what: &str, figure: fn(&Took) -> f64| Row {
        what: format!("exponent of growth with the number of HPAs: {what}"),
        measured: Cell::new(&exponents(&took, figure), ""),
        ..Row::told()
    };
    Figure {
        how: HOW.to_owned(),
        rows: vec![
            row("queries at Prometheus", |took| median(&took.queries)),
            row("CPU of Prometheus", |took| {
                median(&took.prometheus_cpu_s).max(LEAST_CPU_S)
            }),
            row("CPU of the adapter", |took| median(&took.adapter_cpu)),
            row("resident memory of the adapter", |took| median(&took.adapter_mib)),
        ],
        machine,
    }
}

const HOW: &str = "\
As with ten thousand autoscalers and disjoint objects, with 100, 1,000 and 10,000 of them.
An exponent of 1 is growth in proportion, 0 is none; what stands in brackets are the two steps, and their middle before.
";

/// For each step of ten times.
fn exponents(took: &[Took], figure: impl Fn(&Took) -> f64) -> Vec<f64> {
    let figures: Vec<f64> = took.iter().map(figure).collect();
    figures
        .windows(2)
        .map(|step| (step[1] / step[0]).log10())
        .collect()
}

fn median(runs: &[f64]) -> f64 {
    Spread::of(runs).median
}

//! Resident memory, where nobody asks.

use std::time::Duration;

use super::discovery::{SCRAPED, SERIES, by_name, by_pattern, shop};
use crate::Extent;
use crate::machine::Machine;
use crate::report::{Cell, Figure, Row, Verdict};
use crate::samples::Spread;
use crate::scene::Scene;

/// How long an adapter is left alone before its memory is read; long enough for its first discovery.
const SETTLED: Duration = Duration::from_secs(5);

pub(crate) fn measure(extent: &Extent) -> Figure {
    let machine = Machine::now();
    let series = if extent.is_quick { SERIES / 10 } else { 6 * SERIES };
    let memory = at(series, extent.runs);
    Figure {
        how: HOW.to_owned(),
        rows: vec![
            row("resident memory, idle", "at most 20 MiB", 20.0, &memory.idle_mib),
            row(
                &format!("memory above idle while {series} series are discovered by name"),
                "at most 40 MiB",
                40.0,
                &memory.by_name_mib,
            ),
            row(
                &format!("memory above idle while {series} series are discovered by a pattern"),
                "at most 40 MiB",
                40.0,
                &memory.by_pattern_mib,
            ),
        ],
        machine,
    }
}

const HOW: &str = "\
The most memory that was resident in the five seconds after the start (`VmHWM`): without rules, with a rule of prometheus-adapter's form that names its series, and with one that has a pattern for them.
Every run starts the adapter anew, without any objects.
";

/// What it is, run by run.
pub(super) struct Memory {
    idle_mib: Vec<f64>,
    /// Above idle, while series are discovered by name.
    pub(super) by_name_mib: Vec<f64>,
    /// The same by a pattern.
    pub(super) by_pattern_mib: Vec<f64>,
}

/// With so many series to be discovered.
pub(super) fn at(series: usize, runs: usize) -> Memory {
    let scene = Scene::set(shop(series), SCRAPED);
    scene.empty();
    let idle_mib = peaks(&scene, "rules: []", runs);
    let idle = Spread::of(&idle_mib).median;
    let above = |config: &str| {
        let peaks = peaks(&scene, config, runs);
        peaks.iter().map(|peak| peak - idle).collect()
    };
    Memory {
        by_name_mib: above(&by_name()),
        by_pattern_mib: above(&by_pattern()),
        idle_mib,
    }
}

/// The most that an adapter of this configuration takes, run by run.
fn peaks(scene: &Scene, config: &str, runs: usize) -> Vec<f64> {
    scene.configure(config);
    (0..runs)
        .map(|_| {
            let adapter = scene.adapter();
            std::thread::sleep(SETTLED);
            adapter.process.peak_mib()
        })
        .collect()
}

fn row(what: &str, must: &str, most_mib: f64, runs: &[f64]) -> Row {
    let spread = Spread::of(runs);
    Row {
        what: what.to_owned(),
        must: must.to_owned(),
        measured: Cell::of(spread, "MiB"),
        verdict: Verdict::reached_if(spread.median <= most_mib),
        ..Row::told()
    }
}

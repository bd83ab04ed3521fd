//! The figures of `docs/performance.md`, measured. `tests/bench/run` builds what this needs and starts it.
//!
//! A figure is a function that measures and gives lines of the report ([`figures`]). What it measures are real programs
//! ([`servers`]) under a load of our own ([`load`]).
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "what cannot be measured stops, and says where; progress is told"
)]

mod clock;
mod curve;
mod figures;
mod hot_path;
mod http_client;
mod instructions;
mod load;
mod machine;
mod process;
mod report;
mod samples;
mod scene;
mod servers;
mod shop;
#[expect(dead_code, unused_imports, reason = "the tests need more of it")]
#[path = "../it/support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use figures::FIGURES;
use report::Results;

/// The flag that says how long the soak is.
const MINUTES: &str = "--minutes=";

/// How much is measured.
struct Extent {
    /// Whether it is only to see that it works.
    is_quick: bool,
    runs: usize,
    /// Of one run.
    length: Duration,
    /// Of the soak.
    soak: Duration,
}

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if servers::is_one_of_them(&arguments) {
        return ExitCode::SUCCESS;
    }
    if hot_path::done(&arguments) {
        return ExitCode::SUCCESS;
    }
    if arguments == ["instructions"] {
        return instructions::check();
    }
    let (flags, names): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|word| word.starts_with("--"));
    let quick = flags.iter().any(|flag| flag == "--quick");
    let minutes: Option<u64> = flags
        .iter()
        .find_map(|flag| flag.strip_prefix(MINUTES)?.parse().ok());
    let known = |name: &String| FIGURES.iter().any(|figure| figure.name == name);
    let is_flag = |flag: &String| flag == "--quick" || flag.starts_with(MINUTES) && minutes.is_some();
    let unknown = flags.iter().find(|flag| !is_flag(flag));
    if let Some(word) = unknown.or(names.iter().find(|name| !known(name))) {
        let all: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
        eprintln!(
            "tests/bench/run: unknown argument `{word}`\n  hint: --quick, --minutes=NUMBER, and any of {}",
            all.join(" ")
        );
        return ExitCode::from(2);
    }
    let mut extent = if quick { Extent::quick() } else { Extent::full() };
    if let Some(minutes) = minutes {
        extent.soak = Duration::from_secs(60 * minutes);
    }
    measure(&extent, &names)
}

/// Measures the figures of these names, or all, and writes the report.
fn measure(extent: &Extent, names: &[String]) -> ExitCode {
    support::certificates::install_crypto();
    let directory = Path::new("target/bench");
    std::fs::create_dir_all(directory).unwrap();
    let (results, page) = if extent.is_quick {
        (directory.join("quick"), directory.join("performance.md"))
    } else {
        ("tests/bench/results".into(), "docs/performance.md".into())
    };
    let results = Results(results);
    let mut failed = Vec::new();
    for figure in FIGURES {
        if !names.is_empty() && !names.iter().any(|name| name == figure.name) {
            continue;
        }
        eprintln!("== {}: {}", figure.name, figure.title);
        // One that fails leaves the others to be measured.
        match catch_unwind(AssertUnwindSafe(|| (figure.measure)(extent))) {
            Ok(figures) => results.keep(figure.name, &figures),
            Err(_) => failed.push(figure.name),
        }
    }
    let measured: Vec<_> = FIGURES
        .iter()
        .map(|figure| (figure.name, figure.title, results.recall(figure.name)))
        .collect();
    report::write(&page, &measured);
    eprintln!("== the report is {}", page.display());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("tests/bench/run: failed: {}", failed.join(" "));
    ExitCode::FAILURE
}

impl Extent {
    fn full() -> Extent {
        Extent {
            is_quick: false,
            runs: 3,
            length: Duration::from_secs(10),
            soak: Duration::from_secs(20 * 60),
        }
    }

    /// Enough to see that it works.
    fn quick() -> Extent {
        Extent {
            is_quick: true,
            runs: 2,
            length: Duration::from_secs(2),
            soak: Duration::from_secs(3 * 60),
        }
    }
}

//! Counts of instructions on the hot path, compared with those that are kept in `instructions.txt`.
//!
//! Times tell little on a machine that others use; how many instructions a program runs is nearly the same each time.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, ExitCode};

use crate::hot_path::{ARGUMENT, PARTS, Part};

const KEPT: &str = "tests/bench/instructions.txt";

/// By how much a count may differ from the one that is kept. Compilers and libraries differ between machines, and
/// what is to be found is a change of the way, not of a step.
const BOUND: f64 = 0.2;

/// How often the work is done for the smaller of two counts; the other is twice that, and the difference holds no start.
const TIMES: u64 = 100;

/// The allocator gives memory back when some time has gone by, which is another moment each time.
const NEVER_GIVEN_BACK: &str = "dirty_decay_ms:-1,muzzy_decay_ms:-1";

/// Counts and compares; with `UPDATE=1` keeps the counts.
pub(crate) fn check() -> ExitCode {
    let counts: BTreeMap<String, u64> = PARTS
        .iter()
        .map(|part| (part.name().to_owned(), count(*part)))
        .collect();
    let text: String = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}\n"))
        .collect();
    eprint!("{text}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(KEPT, text).unwrap();
        return ExitCode::SUCCESS;
    }
    let kept = fs::read_to_string(KEPT).unwrap_or_default();
    let faults: Vec<String> = counts
        .iter()
        .filter_map(|(name, count)| fault(name, *count, &kept))
        .collect();
    if faults.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "{}\n  hint: if that is meant, `UPDATE=1 tests/bench/instructions` keeps the new counts",
        faults.join("\n")
    );
    ExitCode::FAILURE
}

/// What is wrong with a count, if it is far from the one that is kept.
fn fault(name: &str, count: u64, kept: &str) -> Option<String> {
    let line = kept
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let Some(kept) = line.and_then(|count| count.parse::<u64>().ok()) else {
        return Some(format!("{KEPT}: there is no count of {name}"));
    };
    let change = count as f64 / kept as f64 - 1.0;
    (change.abs() > BOUND).then(|| {
        format!(
            "{KEPT}: {name} took {kept} instructions and takes {count} now, {:+.0} %",
            change * 100.0
        )
    })
}

/// Instructions of doing a part once.
pub(crate) fn count(part: Part) -> u64 {
    let (once, twice) = (collected(part, TIMES), collected(part, 2 * TIMES));
    (twice - once) / TIMES
}

/// Instructions of a whole process that does a part so many times.
fn collected(part: Part, times: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args([ARGUMENT, part.name(), &times.to_string()])
        .env("_RJEM_MALLOC_CONF", NEVER_GIVEN_BACK)
        .output()
        .expect("valgrind is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let line = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = line.unwrap_or_else(|| panic!("a count in\n{said}"));
    count.trim().parse().unwrap()
}

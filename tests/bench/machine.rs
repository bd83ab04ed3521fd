//! Where and when something was measured.

use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::servers::Prometheus;

/// A machine at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Day, in UTC.
    day: String,
    /// Commit of the adapter, with `+` if files differ from it.
    commit: String,
    processor: String,
    processors: usize,
    memory_gib: f64,
    kernel: String,
    prometheus: String,
    /// Mean number of processes that wanted to run in the minute before: 0 on an idle machine.
    load: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn now() -> Machine {
        Machine {
            day: clock::now().strftime("%Y-%m-%d").to_string(),
            commit: commit(),
            processor: processor(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_gib(),
            kernel: said("uname", &["-sr"]),
            prometheus: Prometheus::version(),
            load: first_word("/proc/loadavg"),
        }
    }

    pub(crate) fn text(&self) -> String {
        let Machine {
            day,
            commit,
            processor,
            processors,
            memory_gib,
            kernel,
            prometheus,
            load,
        } = self;
        format!(
            "{day}, commit {commit}, on {processors} processors ({processor}), {memory_gib:.0} GiB, {kernel}, \
             with Prometheus {prometheus}; load of the machine before: {load}"
        )
    }
}

fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    let differs = !said("git", &["status", "--porcelain", "src"]).is_empty();
    commit + if differs { "+" } else { "" }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name"));
    model.map_or("unknown".to_owned(), |rest| {
        rest.trim_start_matches(['\t', ' ', ':']).to_owned()
    })
}

fn memory_gib() -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0 / 1024.0
}

fn first_word(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

//! A program that is measured: its processor time and memory as Linux counts them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ticks of processor time in a second: USER_HZ, which is 100 on every architecture that the programs run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running program; it is killed when dropped.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it. What it says goes to a file, as it would be collected in a cluster.
    pub(crate) fn start(mut command: Command, log: &Path) -> Process {
        let file = File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Process {
            child,
            log: log.to_owned(),
        }
    }

    /// User and system time of all its threads since it started.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.id())
    }

    /// Memory that is resident now, in MiB.
    pub(crate) fn resident_mib(&self) -> f64 {
        self.status_kib("VmRSS:") / 1024.0
    }

    /// The most memory that was ever resident, in MiB.
    pub(crate) fn peak_mib(&self) -> f64 {
        self.status_kib("VmHWM:") / 1024.0
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        // Both fail only if the process has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A line of `/proc/PID/status`.
    fn status_kib(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|line| line.split_whitespace().next());
        value
            .unwrap_or_else(|| panic!("{name} in\n{status}"))
            .parse()
            .unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// User and system time of a process, from `/proc/PID/stat`, fields 14 and 15 of proc(5).
pub(crate) fn cpu_of(id: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    // The second field, the name in parentheses, may hold spaces.
    let (_, after_name) = stat.rsplit_once(')').expect("a name in parentheses");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields[field - 3].parse::<f64>().unwrap();
    Duration::from_secs_f64((ticks(14) + ticks(15)) / TICKS_PER_SECOND)
}

/// Servers have the first processor to themselves and this program the others, until it is dropped.
///
/// On one processor all stay together.
pub(crate) struct Parted {
    processors: usize,
}

impl Parted {
    pub(crate) fn now(servers: &[&Process]) -> Parted {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        if processors > 1 {
            servers.iter().for_each(|server| pin(server.id(), "0"));
            pin(std::process::id(), &format!("1-{}", processors - 1));
        }
        Parted { processors }
    }
}

impl Drop for Parted {
    fn drop(&mut self) {
        pin(std::process::id(), &format!("0-{}", self.processors - 1));
    }
}

/// Lets a process and its threads run on these processors only: `0`, `1-3`.
fn pin(id: u32, processors: &str) {
    let output = Command::new("taskset")
        .args(["--all-tasks", "--cpu-list", "--pid", processors, &id.to_string()])
        .output()
        .expect("taskset of util-linux");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

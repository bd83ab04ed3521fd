//! The program of `tests/cluster` as a child.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde::Deserialize;

/// What tests read of what the program says when everything is ready.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ready {
    /// Version of the API server: `v1.36.3`.
    pub(crate) version: String,
    /// Of a user of system:masters.
    pub(crate) kubeconfig: PathBuf,
    /// Of a user named `user` who may do nothing.
    pub(crate) user_kubeconfig: PathBuf,
    /// Directory of `NAME.crt` and `NAME.key`.
    pub(crate) certificates: PathBuf,
}

/// The running program.
pub(super) struct Process {
    child: Child,
    pipes: Mutex<Pipes>,
    ready: Ready,
}

/// The ends of its stdin and its stdout; it waits no longer than its own deadlines before it answers.
struct Pipes {
    // None only while this is dropped.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The answer to an order.
#[derive(Deserialize)]
struct Answer {
    order: String,
    error: Option<String>,
}

/// The program, as `tests/cluster/build` makes it.
pub(super) fn program() -> Result<OsString, String> {
    std::env::var_os("CLUSTER").ok_or_else(|| {
        "this test needs a control plane and CLUSTER is not set; run the tests with `tests/run`, or say \
         `export $(tests/cluster/build)` before"
            .to_owned()
    })
}

impl Process {
    /// Starts it and waits until everything is ready. What it says on stderr goes to that of the tests.
    pub(super) fn start(arguments: &[&str]) -> Result<Process, String> {
        let program = program()?;
        let mut child = Command::new(&program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.to_string_lossy()))?;
        let mut pipes = Pipes {
            orders: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
        };
        let line = pipes.line();
        let ready = serde_json::from_str(&line)
            .map_err(|error| format!("the control plane does not start, it says `{line}`: {error}"))?;
        Ok(Process {
            child,
            pipes: Mutex::new(pipes),
            ready,
        })
    }

    pub(super) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Gives an order and waits until it is done.
    pub(super) fn order(&self, order: &str) {
        let mut pipes = self.pipes.lock().unwrap();
        writeln!(pipes.orders.as_mut().unwrap(), "{order}").unwrap();
        let line = pipes.line();
        let answer: Answer =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in `{line}`"));
        assert_eq!((answer.order.as_str(), answer.error), (order, None));
    }
}

impl Pipes {
    /// The next line it prints; empty if it has ended.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed in the middle of an order leaves a poisoned lock; the pipe has to be closed all the same.
        let mut pipes = self.pipes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        pipes.orders.take();
        // Fails only if it was waited for before.
        let _ = self.child.wait();
    }
}

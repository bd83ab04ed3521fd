//! Reads lists of metric values with the code of the autoscaler's controller.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::process::program;

/// A list in JSON or protobuf that is read so many times, as JSON.
pub(crate) fn decoded(list: &[u8], times: usize) -> Value {
    let program = program().unwrap_or_else(|why| panic!("{why}"));
    let mut child = Command::new(program)
        .args(["decode", &times.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // It ends when all is written, as this is dropped.
    child.stdin.take().unwrap().write_all(list).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "not decoded: {}", list.escape_ascii());
    serde_json::from_slice(&output.stdout).unwrap()
}

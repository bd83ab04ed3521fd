//! Tables of cases in `tests/data`: one case a line, input and answer parted by two spaces, `=>`, two spaces.
//!
//! Lines that are empty or begin with `# ` belong to the reader.
//! `UPDATE=1 cargo test` writes the answers as they are now; read the diff before committing.

use std::fs;

use crate::case::{data, updating};

const ARROW: &str = "  =>  ";

/// Runs `answer` on every input of the table and compares.
pub(crate) fn check(file: &str, answer: impl Fn(&str) -> String) {
    let path = data(file);
    let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let actual: String = expected
        .lines()
        .map(|line| answered(line, &answer) + "\n")
        .collect();
    if updating() {
        fs::write(&path, &actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let lines = expected.lines().zip(actual.lines()).enumerate();
    let differing: Vec<_> = lines
        .filter(|(_, (expected, actual))| expected != actual)
        .collect();
    let report = differing.iter().map(|(index, (expected, actual))| {
        format!(
            "{}:{}\n  expected {expected}\n  actual   {actual}\n",
            path.display(),
            index + 1
        )
    });
    assert!(differing.is_empty(), "{}", report.collect::<String>());
}

fn answered(line: &str, answer: impl Fn(&str) -> String) -> String {
    if line.is_empty() || line.starts_with("# ") {
        return line.to_owned();
    }
    let (input, _) = line.split_once(ARROW).unwrap_or((line, ""));
    format!("{input}{ARROW}{}", answer(input))
}

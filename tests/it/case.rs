//! Case files: a first line that says why the case exists, then sections that begin with `-- name --`.
//!
//! The section `output` is what is expected. `UPDATE=1 cargo test` writes it as it is now; read the diff.

use std::fs;
use std::path::{Path, PathBuf};

/// One case file.
pub(crate) struct Case {
    path: PathBuf,
    /// Everything before `-- output --`.
    head: String,
    sections: Vec<(String, String)>,
}

const OUTPUT: &str = "-- output --\n";

impl Case {
    fn read(path: &Path) -> Case {
        let text = fs::read_to_string(path).unwrap();
        assert!(
            text.starts_with("# "),
            "{}: the first line says why the case exists",
            path.display()
        );
        let head = text.split(OUTPUT).next().unwrap().to_owned();
        let mut sections: Vec<(String, String)> = Vec::new();
        for line in text.lines().skip(1) {
            let heading = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
            match (heading, sections.last_mut()) {
                (Some(name), _) => sections.push((name.to_owned(), String::new())),
                (None, Some((_, body))) => {
                    body.push_str(line);
                    body.push('\n');
                }
                (None, None) => {}
            }
        }
        Case {
            path: path.to_owned(),
            head,
            sections,
        }
    }

    /// File name without its ending.
    pub(crate) fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }

    /// Text of a section, empty if there is none.
    pub(crate) fn section(&self, name: &str) -> &str {
        let found = self.sections.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, body)| body)
    }

    /// Lines of a section that are not empty.
    pub(crate) fn lines(&self, name: &str) -> impl Iterator<Item = &str> {
        self.section(name).lines().filter(|line| !line.trim().is_empty())
    }

    /// Compares with the section `output`, a line break at its end aside, or writes it.
    fn settle(&self, output: &str) -> Option<String> {
        let end = if output.ends_with('\n') { "" } else { "\n" };
        let output = format!("{output}{end}");
        let expected = self.section("output");
        if expected == output {
            return None;
        }
        if updating() {
            fs::write(&self.path, format!("{}{OUTPUT}{output}", self.head)).unwrap();
            return None;
        }
        Some(format!(
            "{}\n--- expected\n{expected}--- actual\n{output}",
            self.path.display()
        ))
    }
}

/// All cases of a folder of `tests/data`, by name.
pub(crate) fn read_all(folder: &str) -> Vec<Case> {
    let folder = data(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no case", folder.display());
    paths.iter().map(|path| Case::read(path)).collect()
}

/// Runs every case of a folder and compares what `answer` gives with the section `output`.
pub(crate) fn check(folder: &str, answer: impl Fn(&Case) -> String) {
    report(
        read_all(folder)
            .iter()
            .filter_map(|case| case.settle(&answer(case))),
    );
}

/// The same for cases that wait.
pub(crate) async fn check_async(folder: &str, answer: impl AsyncFn(&Case) -> String) {
    let mut differing = Vec::new();
    for case in read_all(folder) {
        let output = answer(&case).await;
        differing.extend(case.settle(&output));
    }
    report(differing.into_iter());
}

fn report(differing: impl Iterator<Item = String>) {
    let differing: Vec<String> = differing.collect();
    assert!(
        differing.is_empty(),
        "{}\n`UPDATE=1 cargo test` writes what is expected",
        differing.join("\n")
    );
}

/// A file or folder of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// Whether what is expected is to be written as it is now.
pub(crate) fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

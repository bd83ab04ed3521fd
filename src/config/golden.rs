//! Test files: cases with an expected part, and pages that are written from the code.

use std::path::PathBuf;

/// A case file: a first line that says why it exists, then parts under `-- name --` lines.
pub(crate) struct Case {
    path: PathBuf,
    why: String,
    parts: Vec<(String, String)>,
}

impl Case {
    /// The text of a part; empty if the case has no such part.
    pub(crate) fn part(&self, name: &str) -> &str {
        let part = self.parts.iter().find(|(part, _)| part == name);
        part.map_or("", |(_, text)| text)
    }

    fn with(&self, name: &str, text: &str) -> String {
        let mut whole = format!("{}\n", self.why);
        for (part, old) in self.parts.iter().filter(|(part, _)| part != name) {
            whole += &format!("-- {part} --\n{old}");
        }
        whole + &format!("-- {name} --\n{text}")
    }
}

/// Runs every case of a folder and compares its last part, `result`, with what `run` makes of it.
pub(crate) fn check_cases(folder: &str, run: impl Fn(&Case) -> String) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {folder}");
    let stale: Vec<String> = paths
        .into_iter()
        .filter_map(|path| check_case(path, &run))
        .collect();
    assert!(
        stale.is_empty(),
        "{}\n`UPDATE=1 cargo test` rewrites the expected parts",
        stale.join("\n")
    );
}

fn check_case(path: PathBuf, run: impl Fn(&Case) -> String) -> Option<String> {
    let text = std::fs::read_to_string(&path).expect("a readable case");
    let case = parse(path, &text);
    let mut result = run(&case);
    if !result.ends_with('\n') {
        result.push('\n');
    }
    if result == case.part("result") {
        return None;
    }
    if update() {
        std::fs::write(&case.path, case.with("result", &result)).expect("a writable case");
        return None;
    }
    let expected = case.part("result");
    Some(format!(
        "{}: {}\nexpected:\n{expected}got:\n{result}",
        case.path.display(),
        case.why
    ))
}

fn parse(path: PathBuf, text: &str) -> Case {
    let mut lines = text.lines();
    let why = lines.next().unwrap_or_default().to_owned();
    assert!(
        !why.is_empty() && !why.starts_with("--"),
        "{}: say first why the case exists",
        path.display()
    );
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in lines {
        let name = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (name, parts.last_mut()) {
            (Some(name), _) => parts.push((name.to_owned(), String::new())),
            (None, Some((_, part))) => *part += &format!("{line}\n"),
            (None, None) => panic!("{}: text before the first part", path.display()),
        }
    }
    Case { path, why, parts }
}

/// Compares a page of the documentation with what the code says, or writes it.
pub(crate) fn check_page(page: &str, text: &str) {
    let path = root().join(page);
    if std::fs::read_to_string(&path).is_ok_and(|written| written == text) {
        return;
    }
    assert!(update(), "{page} is stale: `UPDATE=1 cargo test` mends it");
    let folder = path.parent().expect("a page lies in a folder");
    std::fs::create_dir_all(folder).expect("a writable folder");
    std::fs::write(&path, text).expect("a writable page");
}

/// The folder of the package.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

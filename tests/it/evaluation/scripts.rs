//! The scripts of `tests/data/promql-eval`, and those of any other folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::run::{Outcome, run};
use super::script::read;
use crate::case;

/// A folder with more scripts, such as Prometheus' own (`promql/promqltest/testdata`).
pub(crate) const OTHERS: &str = "PROMQL_TEST_SCRIPTS";

#[test]
fn every_script_gives_what_it_expects() {
    let faults: Vec<String> = scripts(&case::data("promql-eval"))
        .iter()
        .flat_map(|path| faults(path))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Says how many queries of each script pass, and what the others do; no more is asked of scripts that are not ours.
#[test]
fn scripts_of_another_folder_are_run_and_counted() {
    let Some(folder) = std::env::var_os(OTHERS) else {
        return;
    };
    for path in scripts(Path::new(&folder)) {
        println!("{}", report(&path));
    }
}

/// The scripts of a folder, by name.
pub(crate) fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no script", folder.display());
    paths
}

/// What is not as expected in a script of ours, which says nothing that we do not read.
fn faults(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    assert!(
        text.starts_with("# "),
        "{name}: the first line says why the script exists"
    );
    let commands = read(&text).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let (outcomes, others) = run(&commands);
    assert_eq!(others, 0, "{name}: only instant queries are run");
    let faults = outcomes
        .into_iter()
        .filter_map(|(line, query, outcome)| match outcome {
            Outcome::Passed => None,
            Outcome::Failed(difference) => Some(format!("{name}:{line}: `{query}` {difference}")),
            Outcome::Refused(why) => Some(format!("{name}:{line}: `{query}` is refused: {why}")),
            Outcome::OutOfScope => Some(format!("{name}:{line}: `{query}` is about more than numbers")),
        });
    faults.collect()
}

fn report(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let commands = match read(&fs::read_to_string(path).unwrap()) {
        Ok(commands) => commands,
        Err(fault) => return format!("{name}: cannot be read: {fault}"),
    };
    let (outcomes, ranges) = run(&commands);
    let (mut passed, mut refused, mut failed, mut out_of_scope) = (0, 0, 0, 0);
    let mut lines = String::new();
    for (line, query, outcome) in &outcomes {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::OutOfScope => out_of_scope += 1,
            Outcome::Refused(why) => {
                refused += 1;
                lines.push_str(&format!("\n    {line}: `{query}` is refused: {why}"));
            }
            Outcome::Failed(difference) => {
                failed += 1;
                lines.push_str(&format!("\n    {line}: `{query}` {difference}"));
            }
        }
    }
    format!(
        "{name}: of {} instant queries {passed} pass, {failed} fail, {refused} are refused, {out_of_scope} are about \
         native histograms, strings or ranges; {ranges} range queries{lines}",
        outcomes.len()
    )
}

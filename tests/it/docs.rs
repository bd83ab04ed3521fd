//! What the documents say of the program's words.

use std::fs;
use std::path::{Path, PathBuf};

/// All files with this ending below a folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found
}

/// A source text with `…` for each `{…}` of its format strings, and the lines of a string joined.
fn spoken(source: &str) -> String {
    let mut spoken = String::new();
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('{') {
        spoken += before;
        match after.split_once('}') {
            Some((name, after)) if name.chars().all(|c| c.is_alphanumeric() || "_.:#?".contains(c)) => {
                spoken.push('…');
                rest = after;
            }
            _ => {
                spoken.push('{');
                rest = after;
            }
        }
    }
    spoken + rest
}

#[test]
fn every_message_in_the_troubleshooting_page_is_one_the_program_has() {
    let sources: String = files(Path::new("src"), "rs")
        .iter()
        .map(|path| spoken(&fs::read_to_string(path).unwrap()))
        .collect();
    let page = fs::read_to_string("docs/troubleshooting.md").unwrap();
    let titles = page.lines().filter(|line| line.starts_with("### "));
    let messages: Vec<&str> = titles
        .filter_map(|title| title.split('`').nth(1))
        .filter(|message| message.contains(' '))
        .collect();
    assert!(messages.len() > 10);
    let unknown: Vec<&str> = messages
        .into_iter()
        .filter(|message| !sources.contains(message))
        .collect();
    assert!(unknown.is_empty(), "no such text in src: {unknown:#?}");
}

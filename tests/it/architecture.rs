//! The tables of `docs/architecture.md` are the rule: which room may name which room and which library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// First cell → words of the `column`th cell, for the table whose first heading is `heading`.
fn table(page: &str, heading: &str, column: usize) -> BTreeMap<String, BTreeSet<String>> {
    let start = format!("| {heading} |");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let words = cells[column].split_whitespace().filter(|word| *word != "–");
        (
            cells[0].trim_matches('`').to_owned(),
            words.map(str::to_owned).collect(),
        )
    })
    .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn rooms() -> Vec<String> {
    let folders = fs::read_dir("src").unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Code lines of a file: comments say what they like.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Names that follow `crate::`, also those in `crate::{a, b}`.
fn own_modules(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap(),
            None => rest,
        };
        let parts = if rest.starts_with('{') {
            names.split(',').collect()
        } else {
            vec![names]
        };
        for part in parts {
            let is_word = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            let word: String = part
                .trim()
                .chars()
                .take_while(|letter| is_word(*letter))
                .collect();
            found.insert(word);
        }
    }
    found
}

#[test]
fn every_room_stands_in_the_table_and_every_row_is_a_room() {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let told: Vec<String> = table(&page, "module", 2).into_keys().collect();
    assert_eq!(told, rooms());
}

#[test]
fn a_room_names_only_the_rooms_its_row_allows() {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let allowed = table(&page, "module", 2);
    let rooms: BTreeSet<String> = rooms().into_iter().collect();
    let mut faults = Vec::new();
    for room in &rooms {
        for path in sources(&Path::new("src").join(room)) {
            let used = own_modules(&code(&path));
            let foreign = used.iter().filter(|name| rooms.contains(*name) && *name != room);
            for name in foreign.filter(|name| !allowed[room].contains(*name)) {
                faults.push(format!("{}: names `{name}`", path.display()));
            }
        }
    }
    assert!(
        faults.is_empty(),
        "against docs/architecture.md:\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_library_is_named_only_in_the_rooms_its_row_allows() {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let mut faults = Vec::new();
    for (library, allowed) in table(&page, "library", 1) {
        for room in rooms().iter().filter(|room| !allowed.contains(*room)) {
            for path in sources(&Path::new("src").join(room)) {
                let code = code(&path);
                // A file that names our own room of that name does not mean the library.
                if code.contains(&format!("crate::{library}")) {
                    continue;
                }
                let named = code.match_indices(&format!("{library}::")).any(|(at, _)| {
                    let before = code[..at].chars().last().unwrap_or(' ');
                    !before.is_alphanumeric() && before != '_' && before != ':'
                });
                if named {
                    faults.push(format!("{}: names `{library}`", path.display()));
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "against docs/architecture.md:\n{}",
        faults.join("\n")
    );
}

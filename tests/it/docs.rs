//! What the documents say of the tree and of the program's words.

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

/// What stands between `](` and `)`, outside code.
fn links(page: &str) -> Vec<&str> {
    let text = page.split("```").step_by(2);
    text.flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect()
}

/// The anchor that a heading gets: lower case, hyphens for spaces, letters and digits only.
fn anchor(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut pages = files(Path::new("docs"), "md");
    pages.extend(["README.md", "CHANGELOG.md"].map(PathBuf::from));
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                _ => page.parent().unwrap().join(file),
            };
            let there = target.exists();
            let named = || {
                let text = fs::read_to_string(&target).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                headings.map(anchor).any(|known| known == heading)
            };
            if !there || !(heading.is_empty() || named()) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
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

/// The blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let code = page.split("```").skip(1).step_by(2);
    code.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .collect()
}

#[test]
fn code_in_the_guide_to_a_go_service_is_that_of_the_service() {
    let page = fs::read_to_string("docs/guides/scale-a-go-service.md").unwrap();
    for (language, least) in [("go", 6), ("yaml", 4)] {
        let files = files(Path::new("tests/workload"), language);
        let texts: Vec<String> = files
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let blocks = blocks(&page, language);
        assert!(blocks.len() >= least, "{} blocks of {language}", blocks.len());
        for block in blocks {
            let quoted = texts.iter().any(|text| text.contains(block));
            assert!(
                quoted,
                "no file of tests/workload has this, as it stands:\n{block}"
            );
        }
    }
}

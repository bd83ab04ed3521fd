//! Whether every block of a template is closed.
//!
//! The library takes the end of the text for the end of all blocks, and drops what follows an `<<end>>` too many.

use super::TemplateError;

/// An action: what stands between `<<` and `>>`.
struct Action<'t> {
    words: Vec<&'t str>,
    line: usize,
}

/// A block that waits for its `<<end>>`.
struct Block<'t> {
    keyword: &'t str,
    line: usize,
    takes_else: bool,
}

/// Finds the first `<<end>>` or `<<else>>` without a block, or the innermost block without an `<<end>>`.
///
/// The text must be one that the library has parsed.
pub(super) fn check(text: &str) -> Result<(), TemplateError> {
    let mut open: Vec<Block<'_>> = Vec::new();
    for Action { words, line } in actions(text) {
        let unexpected = || TemplateError::new(format!("unexpected `<<{}>>`", words[0])).at(line);
        match words.as_slice() {
            [keyword @ ("if" | "range" | "with" | "define" | "block"), ..] => open.push(Block {
                keyword,
                line,
                takes_else: !matches!(*keyword, "define" | "block"),
            }),
            ["else", condition @ ..] => {
                let block = open.last_mut().filter(|block| block.takes_else);
                block.ok_or_else(unexpected)?.takes_else = !condition.is_empty();
            }
            ["end", ..] => {
                open.pop().ok_or_else(unexpected)?;
            }
            _ => {}
        }
    }
    open.pop().map_or(Ok(()), |block| {
        let message = format!("`<<{}>>` has no `<<end>>`", block.keyword);
        Err(TemplateError::new(message).at(block.line))
    })
}

fn actions(text: &str) -> impl Iterator<Item = Action<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find("<<")? + 2;
        let length = length(&text[start..]);
        from = start + length;
        let inner = text[start..from].trim_start_matches("- ").trim_end_matches(" -");
        let line = text[..start].matches('\n').count() + 1;
        let words = inner.split_whitespace().collect();
        Some(Action { words, line })
    })
}

/// Length of an action up to its `>>`, which does not count within strings and comments.
fn length(text: &str) -> usize {
    let mut at = 0;
    while at < text.len() && !text[at..].starts_with(">>") {
        at += piece_length(&text[at..]);
    }
    at
}

/// Length of the string, comment or single character at the start.
fn piece_length(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    let after = |found: Option<usize>, closing: usize| found.map_or(text.len(), |at| at + closing);
    match text.as_bytes()[0] {
        b'`' => after(text[1..].find('`'), 2),
        quote @ (b'"' | b'\'') => {
            let mut escaped = false;
            let end = characters.find(|(_, character)| {
                let closes = *character == char::from(quote) && !escaped;
                escaped = *character == '\\' && !escaped;
                closes
            });
            after(end.map(|(at, _)| at), 1)
        }
        _ if text.starts_with("/*") => after(text.find("*/"), 2),
        _ => characters.next().map_or(text.len(), |(at, _)| at),
    }
}

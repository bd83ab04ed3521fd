//! Regular expressions that match some texts and no others.

use std::collections::BTreeSet;

/// A regular expression that matches exactly these texts.
pub(super) fn alternation(texts: &[impl AsRef<str>]) -> String {
    let literals: Vec<String> = texts.iter().map(|text| escape_regex(text.as_ref())).collect();
    literals.join("|")
}

/// The same, with what texts begin with in common written once: `web-(?:[0-2]|10)`.
pub(super) fn short_alternation(texts: &[impl AsRef<str>]) -> String {
    let texts: BTreeSet<&str> = texts.iter().map(AsRef::as_ref).collect();
    factored(&texts.into_iter().collect::<Vec<_>>())
}

/// For texts that are sorted and different.
fn factored(texts: &[&str]) -> String {
    let (Some(first), Some(last)) = (texts.first(), texts.last()) else {
        return String::new();
    };
    let common = common_prefix(first, last);
    let mut rests: Vec<&str> = texts.iter().map(|text| &text[common.len()..]).collect();
    let ends_here = rests.first().is_some_and(|rest| rest.is_empty());
    if ends_here {
        rests.remove(0);
    }
    let mut expression = escape_regex(common);
    if !rests.is_empty() {
        expression += &one_of(&rests);
    }
    if ends_here && !rests.is_empty() {
        expression.push('?');
    }
    expression
}

/// One of these texts, none of which is empty, in brackets that a sign may follow.
fn one_of(texts: &[&str]) -> String {
    let mut alternatives = Vec::new();
    let mut single = Vec::new();
    for group in texts.chunk_by(|one, other| one.chars().next() == other.chars().next()) {
        match group {
            [only] if only.chars().count() == 1 => single.extend(only.chars()),
            several => alternatives.push(factored(several)),
        }
    }
    if !single.is_empty() {
        alternatives.push(class(&single));
    }
    match alternatives.as_slice() {
        [class] if !single.is_empty() => class.clone(),
        several => format!("(?:{})", several.join("|")),
    }
}

/// Any of these characters, which are sorted.
fn class(characters: &[char]) -> String {
    let mut class = String::from("[");
    for run in characters.chunk_by(|one, next| u32::from(*one) + 1 == u32::from(*next)) {
        match run {
            [first, .., last] if run.len() > 3 => {
                push_escaped(&mut class, *first);
                class.push('-');
                push_escaped(&mut class, *last);
            }
            few => few
                .iter()
                .for_each(|character| push_escaped(&mut class, *character)),
        }
    }
    class.push(']');
    class
}

/// Source: RE2, `doc/syntax.txt`, and Go, `regexp/syntax`: what means something between brackets.
fn push_escaped(class: &mut String, character: char) {
    if r"\[]^-".contains(character) {
        class.push('\\');
    }
    class.push(character);
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let pairs = one.char_indices().zip(other.chars());
    let differs = pairs
        .into_iter()
        .find(|((_, character), other)| character != other);
    let end = differs.map_or(one.len().min(other.len()), |((at, _), _)| at);
    &one[..end]
}

/// Escapes the characters that RE2 gives a meaning.
///
/// Source: Go, `regexp.QuoteMeta`. The `regex` crate escapes more (`-`, `#`), which RE2 reads the same way but
/// which makes every pod name in a query harder to read.
fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn check(texts: &str) -> String {
        short_alternation(&texts.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn what_texts_begin_with_in_common_stands_once() {
        assert_eq!(
            check("web-7d9f8-abcde web-7d9f8-fghij"),
            "web-7d9f8-(?:abcde|fghij)"
        );
        assert_eq!(check("a.b a.c"), r"a\.[bc]");
        assert_eq!(
            check("web-0 web-1 web-2 web-3 web-10 web-11"),
            "web-(?:1[01]?|[023])"
        );
        assert_eq!(check("web web-a"), "web(?:-a)?");
        assert_eq!(check("web weba webb"), "web[ab]?");
        assert_eq!(check("mail shop"), "(?:mail|shop)");
        assert_eq!(check("web"), "web");
    }

    #[test]
    fn names_of_pods_of_one_workload_become_short() {
        let numbered: Vec<String> = (0..1000).map(|number| format!("web-{number}")).collect();
        assert!(short_alternation(&numbered).len() < 800);
    }

    proptest! {
        #[test]
        fn factored_texts_are_matched_and_nothing_else(
            texts in prop::collection::btree_set(r"[ab0-3\[\]^\\\-.|é\n]{0,5}", 1..40),
            others in prop::collection::vec(r"[ab0-3\[\]^\\\-.|é\n]{0,6}", 40),
        ) {
            let expression = short_alternation(&texts.iter().collect::<Vec<_>>());
            let compiled = Regex::new(&format!("^(?s:{expression})$")).unwrap();
            for candidate in texts.iter().chain(&others) {
                prop_assert_eq!(compiled.is_match(candidate), texts.contains(candidate), "{} on {:?}", &expression, candidate);
            }
        }
    }
}

//! PromQL before it is parsed: strings and comments told from the rest.

use std::borrow::Cow;

use super::matcher::escape_string;

/// The same PromQL with every backquoted string written in double quotes.
///
/// The parser refuses backslashes inside backquotes, which is where people write them: ``{path=~`/v\d+/.*`}``.
pub(super) fn in_double_quotes(text: &str) -> Cow<'_, str> {
    if !text.contains('`') {
        return Cow::Borrowed(text);
    }
    let rewritten = pieces(text).map(|piece| match raw_content(piece) {
        Some(content) => Cow::Owned(format!("\"{}\"", escape_string(content))),
        None => Cow::Borrowed(piece),
    });
    Cow::Owned(rewritten.collect())
}

/// How many words, numbers, signs and strings there are, comments included.
pub(super) fn count_tokens(text: &str) -> usize {
    let tokens = pieces(text).map(|piece| match piece.starts_with(QUOTES) {
        true => 1,
        false => count_words_and_signs(piece),
    });
    tokens.sum()
}

/// The characters that begin a string or a comment.
const QUOTES: [char; 4] = ['"', '\'', '`', '#'];

/// Strings and comments, each whole, and what stands between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = match rest.find(QUOTES) {
            Some(0) => quoted_length(rest),
            Some(start) => start,
            None => rest.len(),
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Length of the string or comment at the start, up to the end of the text if it is never closed.
fn quoted_length(text: &str) -> usize {
    let inner = &text[1..];
    let end = match &text[..1] {
        "#" => inner.find('\n'),
        "`" => inner.find('`'),
        quote => closing_quote(inner, quote.as_bytes()[0]),
    };
    end.map_or(text.len(), |position| position + 2)
}

fn closing_quote(text: &str, quote: u8) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn raw_content(piece: &str) -> Option<&str> {
    piece.strip_prefix('`')?.strip_suffix('`')
}

fn count_words_and_signs(code: &str) -> usize {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let signs = code.matches(|character: char| !is_word(character) && !character.is_whitespace());
    let words = code
        .split(|character| !is_word(character))
        .filter(|word| !word.is_empty());
    signs.count() + words.count()
}

#[cfg(test)]
mod tests {
    use super::{count_tokens, in_double_quotes};

    #[test]
    fn backquoted_string_is_escaped() {
        assert_eq!(in_double_quotes(r#"x{a=~`\d+"`}"#), r#"x{a=~"\\d+\""}"#);
    }

    #[test]
    fn backquote_inside_other_strings_and_comments_stays() {
        let text = "x{a=\"`\\\"`\", b='`'} # `c`\n + y{c=\"d\"}";
        assert_eq!(in_double_quotes(text), text);
    }

    #[test]
    fn string_that_is_never_closed_is_left_to_the_parser() {
        assert_eq!(in_double_quotes("x{a=`b"), "x{a=`b");
        assert_eq!(in_double_quotes("x{a=`"), "x{a=`");
        assert_eq!(in_double_quotes("x{a=`b`} + y{c=\"`"), "x{a=\"b\"} + y{c=\"`");
    }

    #[test]
    fn string_is_one_token_however_long() {
        assert_eq!(count_tokens(r#"sum by (a) (x{b=~"c|(d)|-e"}) # sum(x)"#), 15);
        assert_eq!(count_tokens("---x"), 4);
    }
}

//! Whether two queries are the same but for the texts in their strings.

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::Expr;

use super::walk;

/// A query taken apart: its tree without texts, and the texts in the order they are written.
#[derive(PartialEq)]
struct Skeleton {
    tree: Expr,
    names: Vec<Option<String>>,
    texts: Vec<String>,
}

/// `filled` is `blank` with each placeholder replaced by its text, inside strings and metric names and nowhere else.
/// The order of matchers does not count.
pub(super) fn fills(filled: &Expr, blank: &Expr, fillings: &[(&str, &str)]) -> bool {
    let mut expected = skeleton(blank);
    let fill = |text: &mut String| {
        for (placeholder, filling) in fillings {
            *text = text.replace(placeholder, filling);
        }
    };
    expected.names.iter_mut().flatten().for_each(fill);
    expected.texts.iter_mut().for_each(fill);
    skeleton(filled) == expected
}

fn skeleton(expr: &Expr) -> Skeleton {
    let (mut tree, mut names, mut texts) = (expr.clone(), Vec::new(), Vec::new());
    walk::each_mut(&mut tree, &mut |expr| {
        if let Expr::StringLiteral(literal) = expr {
            texts.push(std::mem::take(&mut literal.val));
        }
        let Some(selector) = walk::selector_mut(expr) else {
            return;
        };
        names.push(selector.name.take());
        let alternatives = selector.matchers.or_matchers.iter_mut();
        for group in alternatives.chain([&mut selector.matchers.matchers]) {
            group.sort_by_cached_key(|matcher| (matcher.name.clone(), matcher.op.to_string()));
            group
                .iter_mut()
                .for_each(|matcher| texts.push(take_value(matcher)));
        }
    });
    Skeleton { tree, names, texts }
}

/// Takes the value out and leaves the operator in its place: two patterns are never compared as operators.
fn take_value(matcher: &mut Matcher) -> String {
    let operator = matcher.op.to_string();
    matcher.op = MatchOp::Equal;
    std::mem::replace(&mut matcher.value, operator)
}

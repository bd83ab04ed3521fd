//! Ways through the parser's tree.

use promql_parser::parser::{Expr, VectorSelector};

/// The expressions directly below, in the order they are written.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(aggregate) => {
            let parameter = aggregate.param.as_deref();
            parameter.into_iter().chain([&*aggregate.expr]).collect()
        }
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Call(call) => call.args.args.iter().map(|argument| &**argument).collect(),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => Vec::new(),
    }
}

/// As [`children`], to change them.
pub(super) fn children_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Aggregate(aggregate) => {
            let parameter = aggregate.param.as_deref_mut();
            parameter.into_iter().chain([&mut *aggregate.expr]).collect()
        }
        Expr::Unary(unary) => vec![&mut unary.expr],
        Expr::Binary(binary) => vec![&mut binary.lhs, &mut binary.rhs],
        Expr::Paren(paren) => vec![&mut paren.expr],
        Expr::Subquery(subquery) => vec![&mut subquery.expr],
        Expr::Call(call) => {
            let arguments = call.args.args.iter_mut();
            arguments.map(|argument| &mut **argument).collect()
        }
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => Vec::new(),
    }
}

/// Calls `see` for the expression and everything below it, in the order they are written.
pub(super) fn each<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e Expr)) {
    see(expr);
    for child in children(expr) {
        each(child, see);
    }
}

/// As [`each`], to change them; an expression is seen before what is below it.
pub(super) fn each_mut(expr: &mut Expr, see: &mut impl FnMut(&mut Expr)) {
    see(expr);
    for child in children_mut(expr) {
        each_mut(child, see);
    }
}

/// The selector of series in this expression itself, with or without a range.
pub(super) fn selector_mut(expr: &mut Expr) -> Option<&mut VectorSelector> {
    match expr {
        Expr::VectorSelector(selector) => Some(selector),
        Expr::MatrixSelector(matrix) => Some(&mut matrix.vs),
        _ => None,
    }
}

/// Calls `see` for every selector whose samples the query reads.
pub(super) fn each_selector<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e VectorSelector)) {
    match expr {
        Expr::VectorSelector(selector) => see(selector),
        Expr::MatrixSelector(matrix) => see(&matrix.vs),
        _ => {}
    }
    for child in children(expr).into_iter().take(arguments_with_samples(expr)) {
        each_selector(child, see);
    }
}

/// As [`each_selector`], to change them.
pub(super) fn each_selector_mut(expr: &mut Expr, see: &mut impl FnMut(&mut VectorSelector)) {
    if let Some(selector) = selector_mut(expr) {
        see(selector);
    }
    let with_samples = arguments_with_samples(expr);
    for child in children_mut(expr).into_iter().take(with_samples) {
        each_selector_mut(child, see);
    }
}

/// How many of the children are read for samples.
///
/// The second argument of `info()` only looks like a selector: it picks labels of other series.
fn arguments_with_samples(expr: &Expr) -> usize {
    match expr {
        Expr::Call(call) if call.func.name == "info" => 1,
        _ => usize::MAX,
    }
}

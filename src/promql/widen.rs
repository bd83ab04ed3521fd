//! One question in place of many: about all namespaces instead of one.
//!
//! A query about some objects of a namespace is made one about all objects of all namespaces, whose answer holds
//! every answer of the narrow queries. That is so only where each sample of the answer comes of the series of one
//! object alone, and the answer still says which; everything else is left as it is.

use promql_parser::label::{self, MatchOp};
use promql_parser::parser::token::{
    T_AVG, T_COUNT, T_GROUP, T_MAX, T_MIN, T_STDDEV, T_STDVAR, T_SUM, TokenId,
};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{
    AggregateExpr, BinaryExpr, Expr, LabelModifier, VectorMatchCardinality, VectorMatchFillValues,
    VectorSelector,
};

use super::matcher::Matcher;
use super::walk;

/// Aggregations whose result is one sample for each group, made of that group alone.
const AGGREGATIONS: [TokenId; 8] = [T_SUM, T_AVG, T_MIN, T_MAX, T_COUNT, T_GROUP, T_STDDEV, T_STDVAR];

/// Functions that make of each series a sample with the labels of that series.
const FUNCTIONS: [&str; 32] = [
    "abs",
    "avg_over_time",
    "ceil",
    "changes",
    "clamp",
    "clamp_max",
    "clamp_min",
    "count_over_time",
    "delta",
    "deriv",
    "exp",
    "floor",
    "idelta",
    "increase",
    "irate",
    "last_over_time",
    "ln",
    "log10",
    "log2",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "quantile_over_time",
    "rate",
    "resets",
    "round",
    "sgn",
    "sqrt",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
    "timestamp",
];

/// The tree with these two matchers made `label!=""`, and the label of the namespace kept wherever labels are dropped.
///
/// `None` where the wide answer might hold other values than the narrow ones.
pub(super) fn widened(tree: &Expr, namespace: &Matcher, object: &Matcher) -> Option<Expr> {
    let narrowing = Narrowing { namespace, object };
    let mut tree = tree.clone();
    narrowing.widen(&mut tree)?;
    (tree.value_type() == ValueType::Vector).then_some(tree)
}

/// Whether the narrow answer has the label of the namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Kept,
    Dropped,
}

struct Narrowing<'a> {
    namespace: &'a Matcher,
    object: &'a Matcher,
}

impl Narrowing<'_> {
    /// Widens an expression that gives samples; says whether they had the label of the namespace before.
    fn widen(&self, expr: &mut Expr) -> Option<Scope> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&mut matrix.vs),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Paren(paren) => self.widen(&mut paren.expr),
            Expr::Unary(unary) => self.widen(&mut unary.expr),
            Expr::Subquery(subquery) => self.widen(&mut subquery.expr),
            Expr::Call(call) if FUNCTIONS.contains(&call.func.name) => {
                let mut series = call.args.args.iter_mut().filter(|argument| !is_number(argument));
                let only = series.next()?;
                match series.next() {
                    None => self.widen(only),
                    Some(_) => None,
                }
            }
            Expr::Call(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => None,
        }
    }

    fn selector(&self, selector: &mut VectorSelector) -> Option<Scope> {
        let matchers = &mut selector.matchers;
        if !matchers.or_matchers.is_empty() {
            return None;
        }
        for ours in [self.namespace, self.object] {
            let found = matchers
                .matchers
                .iter_mut()
                .find(|matcher| is_the_same(matcher, ours))?;
            *found = label::Matcher::new(MatchOp::NotEqual, ours.label(), "");
        }
        Some(Scope::Kept)
    }

    fn aggregate(&self, aggregate: &mut AggregateExpr) -> Option<Scope> {
        let Some(LabelModifier::Include(by)) = &mut aggregate.modifier else {
            return None;
        };
        if !AGGREGATIONS.contains(&aggregate.op.id()) || !self.names_object(&by.labels) {
            return None;
        }
        let scope = self.keep_namespace(&mut by.labels);
        self.widen(&mut aggregate.expr)?;
        Some(scope)
    }

    fn binary(&self, binary: &mut BinaryExpr) -> Option<Scope> {
        match (is_number(&binary.lhs), is_number(&binary.rhs)) {
            (true, true) => return None,
            (true, false) => return self.widen(&mut binary.rhs),
            (false, true) => return self.widen(&mut binary.lhs),
            (false, false) => {}
        }
        let (left, right) = (self.widen(&mut binary.lhs)?, self.widen(&mut binary.rhs)?);
        // If only one side had the label, nothing matched; now that both have it, something would.
        if left != right {
            return None;
        }
        let Some(modifier) = &mut binary.modifier else {
            return Some(left);
        };
        if modifier.fill_values != VectorMatchFillValues::default() {
            return None;
        }
        if modifier
            .card
            .labels()
            .is_some_and(|copied| self.names_either(&copied.labels))
        {
            return None;
        }
        match &mut modifier.matching {
            None => Some(left),
            Some(LabelModifier::Exclude(ignored)) => (!self.names_either(&ignored.labels)).then_some(left),
            Some(LabelModifier::Include(on)) => {
                if !self.names_object(&on.labels) {
                    return None;
                }
                let on = self.keep_namespace(&mut on.labels);
                // One to one, only the labels that are matched on are left.
                Some(match modifier.card {
                    VectorMatchCardinality::OneToOne => on,
                    _ => left,
                })
            }
        }
    }

    fn names_object(&self, labels: &[String]) -> bool {
        labels.iter().any(|label| label == self.object.label())
    }

    fn names_either(&self, labels: &[String]) -> bool {
        self.names_object(labels) || labels.iter().any(|label| label == self.namespace.label())
    }

    fn keep_namespace(&self, labels: &mut Vec<String>) -> Scope {
        if labels.iter().any(|label| label == self.namespace.label()) {
            return Scope::Kept;
        }
        labels.push(self.namespace.label().to_owned());
        Scope::Dropped
    }
}

/// Compared as they are written: two patterns are never the same to the parser.
fn is_the_same(matcher: &label::Matcher, ours: &Matcher) -> bool {
    matcher.name == ours.label()
        && matcher.value == ours.value()
        && matcher.op.to_string() == ours.op().to_string()
}

/// Whether an expression is a number made of numbers alone.
fn is_number(expr: &Expr) -> bool {
    let mut only_numbers = true;
    walk::each(expr, &mut |expr| {
        only_numbers &= matches!(
            expr,
            Expr::NumberLiteral(_) | Expr::Paren(_) | Expr::Unary(_) | Expr::Binary(_)
        );
    });
    only_numbers
}

//! One question in place of many: about many namespaces instead of one, about all objects instead of some.
//!
//! The answer to the wide query holds every answer of the narrow ones. That is so only where each sample comes of the
//! series of one namespace and one object alone, and the answer still says which; everything else is left as it is.
//! Why each form that passes here is safe stands in `docs/concepts/sharing.md`.

use promql_parser::label::{self, MatchOp};
use promql_parser::parser::token::{
    T_AVG, T_COUNT, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM, TokenId,
};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{
    AggregateExpr, BinModifier, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality,
    VectorMatchFillValues, VectorSelector,
};

use super::matcher::Matcher;
use super::query::to_parser;
use super::walk;

/// Aggregations whose result is one sample for each group, made of that group alone.
const AGGREGATIONS: [TokenId; 9] = [
    T_SUM, T_AVG, T_MIN, T_MAX, T_COUNT, T_GROUP, T_STDDEV, T_STDVAR, T_QUANTILE,
];

/// Functions that make of each series a sample with the labels of that series.
const FUNCTIONS: [&str; 33] = [
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
    "predict_linear",
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

/// Functions that make a sample of the buckets of one histogram: of the series that differ in these labels alone.
const OF_HISTOGRAMS: [&str; 7] = [
    "histogram_avg",
    "histogram_count",
    "histogram_fraction",
    "histogram_quantile",
    "histogram_stddev",
    "histogram_stdvar",
    "histogram_sum",
];

/// Labels that tell the buckets of a histogram apart, in Prometheus and in VictoriaMetrics.
const OF_BUCKETS: [&str; 2] = ["le", "vmrange"];

/// What makes a query narrow: the matchers that we wrote into each of its selectors.
#[derive(Clone, Copy, Debug)]
pub struct Narrowing<'a> {
    /// That of the namespace, with what takes its place; it is about the same label and never matches the empty value.
    pub namespace: Option<(&'a Matcher, &'a Matcher)>,
    /// That of the objects, for which `!=""` comes.
    pub object: Option<&'a Matcher>,
}

/// Whether the narrow answer has the label of the namespace. The wide one always has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceLabel {
    /// The query keeps it.
    Kept,
    /// It was added, so that the answer can be taken apart, and is to be taken off again.
    Added,
}

/// What the samples of a part of the narrow query have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Labels {
    /// The label of the namespace, and others maybe.
    Namespace,
    /// Any but that of the namespace.
    Others,
    /// None at all, so that there is one sample at most.
    None,
}

/// The tree with our matchers made wider, and the label of the namespace kept wherever labels are dropped.
///
/// `None` where the wide answer might hold other values than the narrow ones.
pub(super) fn widened(tree: &Expr, narrowing: Narrowing<'_>) -> Option<(Expr, NamespaceLabel)> {
    if !narrowing.can_be_widened() {
        return None;
    }
    let mut tree = tree.clone();
    let label = match narrowing.widen(&mut tree)? {
        Labels::Namespace => NamespaceLabel::Kept,
        Labels::Others | Labels::None => NamespaceLabel::Added,
    };
    (tree.value_type() == ValueType::Vector).then_some((tree, label))
}

impl Narrowing<'_> {
    /// There must be something to widen, and two labels to tell namespaces and objects apart.
    fn can_be_widened(&self) -> bool {
        let labels: Vec<&str> = [self.namespace_label(), self.object_label()]
            .into_iter()
            .flatten()
            .collect();
        match labels.as_slice() {
            [] => false,
            [one, other] if one == other => false,
            labels => !labels.iter().any(|label| OF_BUCKETS.contains(label)),
        }
    }

    fn namespace_label(&self) -> Option<&str> {
        self.namespace.map(|(ours, _)| ours.label())
    }

    fn object_label(&self) -> Option<&str> {
        self.object.map(Matcher::label)
    }

    /// Widens an expression that gives samples; says what they had before.
    fn widen(&self, expr: &mut Expr) -> Option<Labels> {
        match expr {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&mut matrix.vs),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Binary(binary) => self.binary(binary),
            Expr::Paren(paren) => self.widen(&mut paren.expr),
            Expr::Unary(unary) => self.widen(&mut unary.expr),
            Expr::Subquery(subquery) => self.widen(&mut subquery.expr),
            Expr::Call(call) => self.call(call),
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => None,
        }
    }

    fn selector(&self, selector: &mut VectorSelector) -> Option<Labels> {
        let matchers = &mut selector.matchers;
        if !matchers.or_matchers.is_empty() {
            return None;
        }
        let mut replace = |ours: &Matcher, by: label::Matcher| {
            let found = matchers
                .matchers
                .iter_mut()
                .find(|matcher| is_the_same(matcher, ours))?;
            *found = by;
            Some(())
        };
        if let Some((ours, wide)) = self.namespace {
            replace(ours, to_parser(wide))?;
        }
        if let Some(ours) = self.object {
            replace(ours, label::Matcher::new(MatchOp::NotEqual, ours.label(), ""))?;
        }
        Some(Labels::Namespace)
    }

    fn aggregate(&self, aggregate: &mut AggregateExpr) -> Option<Labels> {
        if !AGGREGATIONS.contains(&aggregate.op.id()) || !aggregate.param.as_deref().is_none_or(is_number) {
            return None;
        }
        let inner = self.widen(&mut aggregate.expr)?;
        match &mut aggregate.modifier {
            Some(LabelModifier::Exclude(without)) => (!self.names_either(&without.labels)).then_some(inner),
            Some(LabelModifier::Include(by)) => {
                let labels = self.keep_in(&mut by.labels, inner)?;
                if self.is_each_object(&by.labels) {
                    self.let_in_nameless(&mut aggregate.expr);
                }
                Some(labels)
            }
            none => {
                let mut by = Vec::new();
                let label = self.keep_in(&mut by, inner);
                let by: Vec<&str> = by.iter().map(String::as_str).collect();
                *none = (!by.is_empty()).then(|| LabelModifier::include(by));
                label
            }
        }
    }

    /// Whether a list of labels, which has ours, tells apart nothing else but the buckets of histograms.
    fn is_each_object(&self, labels: &[String]) -> bool {
        let ours = [self.namespace_label(), self.object_label()];
        let is_ours = |label: &str| ours.contains(&Some(label)) || OF_BUCKETS.contains(&label);
        labels.iter().all(|label| is_ours(label))
    }

    /// Takes the matcher of the objects out again: series without the label of objects come in, and make one more
    /// group in each namespace, which is no object's.
    ///
    /// To Prometheus `!=""` is dear: it puts together the series of each value there is. Without a namespace the group
    /// might have no label at all, and VictoriaMetrics would take it for a number.
    fn let_in_nameless(&self, grouped: &mut Expr) {
        if let (Some(object), Some(_)) = (self.object_label(), self.namespace)
            && let Some(selector) = only_selector(grouped)
        {
            let matchers = &mut selector.matchers.matchers;
            let ours = label::Matcher::new(MatchOp::NotEqual, object, "");
            if let Some(place) = matchers.iter().position(|matcher| *matcher == ours) {
                matchers.remove(place);
            }
        }
    }

    /// Functions whose other arguments are numbers.
    ///
    /// `label_replace` and `label_join` are none: where nothing matches VictoriaMetrics 1.79 writes what was left of
    /// other labels.
    fn call(&self, call: &mut Call) -> Option<Labels> {
        let name = call.func.name;
        if !FUNCTIONS.contains(&name) && !OF_HISTOGRAMS.contains(&name) {
            return None;
        }
        self.widen(only_series(call)?)
    }

    fn binary(&self, binary: &mut BinaryExpr) -> Option<Labels> {
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
        // VictoriaMetrics takes a sample without labels for a number, and lets it match any.
        if left == Labels::Others && self.object.is_none() {
            return None;
        }
        let filters = binary.op.is_comparison_operator()
            && !binary
                .modifier
                .as_ref()
                .is_some_and(|modifier| modifier.return_bool);
        match &mut binary.modifier {
            None => Some(left),
            Some(modifier) => self.matching(modifier, left, filters),
        }
    }

    /// Vectors are matched within one namespace and one object. `filters` is a comparison that keeps the left side.
    fn matching(&self, modifier: &mut BinModifier, sides: Labels, filters: bool) -> Option<Labels> {
        let copies_ours = modifier
            .card
            .labels()
            .is_some_and(|copied| self.names_either(&copied.labels));
        if copies_ours || modifier.fill_values != VectorMatchFillValues::default() {
            return None;
        }
        match &mut modifier.matching {
            None => Some(sides),
            Some(LabelModifier::Exclude(ignored)) => (!self.names_either(&ignored.labels)).then_some(sides),
            Some(LabelModifier::Include(on)) => {
                let matched = self.keep_in(&mut on.labels, sides)?;
                match modifier.card {
                    // Only the labels that are matched on are left, but some backends leave all to a comparison.
                    VectorMatchCardinality::OneToOne if filters && matched != sides => None,
                    VectorMatchCardinality::OneToOne => Some(matched),
                    _ => Some(sides),
                }
            }
        }
    }

    /// Keeps our labels in a list of those to keep. `None` if the object was not kept.
    fn keep_in(&self, labels: &mut Vec<String>, before: Labels) -> Option<Labels> {
        if let Some(object) = self.object_label()
            && !labels.iter().any(|label| label == object)
        {
            return None;
        }
        let Some(namespace) = self.namespace_label() else {
            return Some(before);
        };
        if labels.iter().any(|label| label == namespace) {
            return Some(match before {
                Labels::None => Labels::Others,
                before => before,
            });
        }
        labels.push(namespace.to_owned());
        Some(match labels.as_slice() {
            [_] => Labels::None,
            _ => Labels::Others,
        })
    }

    fn names_either(&self, labels: &[String]) -> bool {
        let ours = [self.namespace_label(), self.object_label()];
        labels.iter().any(|label| ours.contains(&Some(label.as_str())))
    }
}

/// The selector of an expression that has one, and nothing that puts series together.
fn only_selector(expr: &mut Expr) -> Option<&mut VectorSelector> {
    match expr {
        Expr::VectorSelector(selector) => Some(selector),
        Expr::MatrixSelector(matrix) => Some(&mut matrix.vs),
        Expr::Paren(paren) => only_selector(&mut paren.expr),
        Expr::Unary(unary) => only_selector(&mut unary.expr),
        Expr::Subquery(subquery) => only_selector(&mut subquery.expr),
        Expr::Call(call) if FUNCTIONS.contains(&call.func.name) => only_selector(only_series(call)?),
        _ => None,
    }
}

/// The argument of a function that is no number, if there is one.
fn only_series(call: &mut Call) -> Option<&mut Expr> {
    let mut series = call.args.args.iter_mut().filter(|argument| !is_number(argument));
    let only = series.next()?;
    series.next().is_none().then_some(only).map(|only| &mut **only)
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

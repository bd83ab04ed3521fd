//! A query as something to be computed.
//!
//! The parser's tree says what was written; this one says what it means, and can say nothing that the embedded
//! backend does not compute: types fit, functions are known, patterns are compiled. What cannot be said is refused
//! by name when the query is read, long before the first sample.

mod arguments;
mod binary;
mod functions;
mod read;
mod reads;
mod selector;
mod unsupported;

pub use functions::{Aggregator, DatePart, Each, Extreme, Math, OverTime};
pub use reads::Read;
pub use selector::{At, Condition, Moment, Selector};
pub use unsupported::{ExpressionError, Unsupported};

use regex::Regex;

use crate::model::Labels;

/// A query that can be computed.
#[derive(Clone, Debug)]
pub enum Expression {
    /// A number without labels.
    Scalar(Scalar),
    /// Samples with labels.
    Vector(Vector),
}

/// What gives one number.
#[derive(Clone, Debug)]
pub enum Scalar {
    /// A number as written.
    Number(f64),
    /// `time()`: the time of evaluation, in seconds.
    Time,
    /// `scalar(…)`: the value of the only sample, not a number if there is none or more than one.
    Only(Box<Vector>),
    /// `-…`
    Negative(Box<Scalar>),
    /// Two numbers made one.
    Binary(Operator, Box<Scalar>, Box<Scalar>),
}

/// What gives samples, each with labels of its own.
#[derive(Clone, Debug)]
pub enum Vector {
    /// The newest sample of each series.
    Instant(Selector),
    /// `vector(…)`: one sample without labels.
    Constant(Scalar),
    /// `-…`
    Negative(Box<Vector>),
    /// A function of one sample, for each.
    Each(Each, Box<Vector>),
    /// A function of the samples of a range, for each series.
    OverTime(OverTime, Range),
    /// `quantile_over_time(…)`
    QuantileOverTime(Scalar, Range),
    /// `predict_linear(…)`: the value so many seconds ahead.
    PredictLinear(Scalar, Range),
    /// `absent(…)`: one sample with these labels if there is none.
    Absent(Labels, Box<Vector>),
    /// `absent_over_time(…)`
    AbsentOverTime(Labels, Range),
    /// `sort(…)` and `sort_desc(…)`: greatest last, or first.
    Sorted(Order, Box<Vector>),
    /// `histogram_quantile(…)` of classic buckets.
    HistogramQuantile(Scalar, Box<Vector>),
    /// `label_replace(…)`
    LabelReplace(Box<LabelReplace>),
    /// `label_join(…)`
    LabelJoin(Box<LabelJoin>),
    /// Many samples made one for each group, or chosen from it.
    Aggregate(Box<Aggregate>),
    /// An operator between each sample and a number.
    WithScalar(Box<WithScalar>),
    /// An operator between the samples of two vectors that match.
    Matched(Box<Matched>),
    /// `and`, `or` and `unless`.
    Combined(Box<Combined>),
}

/// The samples of a time range, for each series.
#[derive(Clone, Debug)]
pub enum Range {
    /// `x[5m]`
    Of {
        /// Which series.
        selector: Selector,
        /// Milliseconds up to the moment of the selector.
        length_ms: i64,
    },
    /// `…[5m:1m]`: an expression evaluated again and again.
    Sub {
        /// What is evaluated.
        vector: Box<Vector>,
        /// Milliseconds up to the moment.
        length_ms: i64,
        /// Milliseconds from one evaluation to the next; the engine's default if `None`.
        step_ms: Option<i64>,
        /// When the range ends.
        moment: Moment,
    },
}

impl Range {
    /// Its length in milliseconds.
    pub fn length_ms(&self) -> i64 {
        match self {
            Range::Of { length_ms, .. } | Range::Sub { length_ms, .. } => *length_ms,
        }
    }

    /// When it ends.
    pub fn moment(&self) -> &Moment {
        match self {
            Range::Of { selector, .. } => &selector.moment,
            Range::Sub { moment, .. } => moment,
        }
    }
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Greatest last.
    Ascending,
    /// Greatest first.
    Descending,
}

/// `label_replace(vector, destination, replacement, source, pattern)`
#[derive(Clone, Debug)]
pub struct LabelReplace {
    /// Whose labels.
    pub vector: Vector,
    /// The label that is written.
    pub destination: String,
    /// What is written, with `$1` for groups of the pattern.
    pub replacement: String,
    /// The label that is read.
    pub source: String,
    /// What the whole value must match, or nothing is written.
    pub pattern: Regex,
}

/// `label_join(vector, destination, separator, source, …)`
#[derive(Clone, Debug)]
pub struct LabelJoin {
    /// Whose labels.
    pub vector: Vector,
    /// The label that is written.
    pub destination: String,
    /// What stands between two values.
    pub separator: String,
    /// The labels that are read.
    pub sources: Vec<String>,
}

/// `sum by (pod) (…)`
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// What is done with the samples of a group.
    pub aggregator: Aggregator,
    /// What makes samples one group: these labels are equal.
    pub by: LabelChoice,
    /// The samples.
    pub vector: Vector,
}

/// Some of the labels of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelChoice {
    /// `by (…)` and `on (…)`.
    These(Vec<String>),
    /// `without (…)` and `ignoring (…)`: all but these and the name.
    AllBut(Vec<String>),
}

/// `x * 2`, `2 > bool x`
#[derive(Clone, Debug)]
pub struct WithScalar {
    /// What is done.
    pub operator: Operator,
    /// The samples.
    pub vector: Vector,
    /// The number.
    pub scalar: Scalar,
    /// Which of them stands on the left.
    pub left: Left,
    /// What a comparison gives.
    pub result: ComparisonResult,
}

/// What stands on the left of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The samples.
    Vector,
    /// The number.
    Scalar,
}

/// `a / on (pod) group_left (node) b`
#[derive(Clone, Debug)]
pub struct Matched {
    /// What is done.
    pub operator: Operator,
    /// What stands on the left.
    pub left: Vector,
    /// What stands on the right.
    pub right: Vector,
    /// The labels that must be equal.
    pub on: LabelChoice,
    /// How many samples of a side may match.
    pub cardinality: Cardinality,
    /// What a comparison gives.
    pub result: ComparisonResult,
}

/// How many samples of each side may have the same labels to match on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One of each.
    OneToOne,
    /// `group_left (…)`: many on the left; these labels come from the right.
    ManyToOne(Vec<String>),
    /// `group_right (…)`: many on the right; these labels come from the left.
    OneToMany(Vec<String>),
}

/// `a unless on (pod) b`
#[derive(Clone, Debug)]
pub struct Combined {
    /// What is kept.
    pub operator: SetOperator,
    /// What stands on the left.
    pub left: Vector,
    /// What stands on the right.
    pub right: Vector,
    /// The labels that must be equal.
    pub on: LabelChoice,
}

/// An operator between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the operator it is named after")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

impl Operator {
    /// Whether it says yes or no.
    pub fn is_comparison(self) -> bool {
        use Operator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(
            self,
            Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual
        )
    }
}

/// What a comparison of samples gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonResult {
    /// The samples for which it holds, as they are.
    Kept,
    /// `bool`: 1 or 0 for each.
    Bool,
}

/// An operator between two sets of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    /// What is on the left and matches something on the right.
    And,
    /// What is on the left, and what is on the right and matches nothing there.
    Or,
    /// What is on the left and matches nothing on the right.
    Unless,
}

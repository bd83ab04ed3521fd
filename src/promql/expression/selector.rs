//! Which series, and at which moment.

use std::collections::BTreeSet;
use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{AtModifier, Offset, VectorSelector};
use regex::Regex;

use super::{ExpressionError, Unsupported};
use crate::model::Labels;
use crate::promql::METRIC_NAME;

/// Series, and the moment whose samples are meant.
#[derive(Clone, Debug)]
pub struct Selector {
    /// Which selector of its query it is, from 0: what it selects is looked up once for an evaluation.
    pub number: usize,
    /// All of them hold for a series that it selects.
    pub conditions: Vec<Condition>,
    /// Which moment.
    pub moment: Moment,
}

/// A moment seen from the time of evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What it is counted from.
    pub at: At,
    /// How long before, in milliseconds; after if negative.
    pub offset_ms: i64,
}

/// What a moment is counted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The time of evaluation: of the query, or of a step of the subquery that it stands in.
    Evaluation,
    /// `@ start()` and `@ end()`: the time of the whole query, in a subquery too.
    Query,
}

impl Moment {
    /// The moment in Unix milliseconds, of an evaluation at `evaluation_ms` for a query at `query_ms`.
    pub fn resolve(&self, evaluation_ms: i64, query_ms: i64) -> i64 {
        match self.at {
            At::Evaluation => evaluation_ms - self.offset_ms,
            At::Query => query_ms - self.offset_ms,
        }
    }
}

/// A condition on one label of a series; an absent label has the empty value.
#[derive(Clone, Debug)]
pub struct Condition {
    label: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Equal(String),
    NotEqual(String),
    Matches(Regex),
    DoesNotMatch(Regex),
}

impl Condition {
    /// The label it looks at.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether a label with this value will do.
    pub fn holds(&self, value: &str) -> bool {
        match &self.test {
            Test::Equal(wanted) => value == wanted,
            Test::NotEqual(unwanted) => value != unwanted,
            Test::Matches(pattern) => pattern.is_match(value),
            Test::DoesNotMatch(pattern) => !pattern.is_match(value),
        }
    }

    /// The only value that will do, if it names one.
    pub fn only_value(&self) -> Option<&str> {
        match &self.test {
            Test::Equal(wanted) => Some(wanted),
            Test::NotEqual(_) | Test::Matches(_) | Test::DoesNotMatch(_) => None,
        }
    }

    fn equal(label: &str, value: &str) -> Condition {
        Condition {
            label: label.to_owned(),
            test: Test::Equal(value.to_owned()),
        }
    }
}

impl Selector {
    /// The one name that it selects, if it says so with `=`.
    pub fn metric_name(&self) -> Option<&str> {
        self.on_name().find_map(Condition::only_value)
    }

    /// Whether it can select a series of this name.
    pub fn may_select(&self, name: &str) -> bool {
        self.on_name().all(|condition| condition.holds(name))
    }

    fn on_name(&self) -> impl Iterator<Item = &Condition> {
        self.conditions
            .iter()
            .filter(|condition| condition.label == METRIC_NAME)
    }

    /// Whether a series with these labels is selected, given as a look-up.
    pub fn selects<'l>(&self, value: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(value(&condition.label).unwrap_or_default()))
    }

    pub(super) fn read(selector: &VectorSelector, number: usize) -> Result<Selector, ExpressionError> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(Unsupported::OrInSelector.into());
        }
        let name = selector
            .name
            .iter()
            .map(|name| Ok(Condition::equal(METRIC_NAME, name)));
        let matchers = selector.matchers.matchers.iter().map(condition);
        Ok(Selector {
            number,
            conditions: name.chain(matchers).collect::<Result<_, _>>()?,
            moment: moment(selector.at.as_ref(), selector.offset.as_ref())?,
        })
    }
}

/// The labels of `absent(…)`: those that `=` gives a value.
///
/// A further matcher on such a label takes it away again.
/// Source: Prometheus 3, `promql/functions.go`, `createLabelsForAbsentFunction`.
pub(super) fn labels_if_absent(selector: &Selector) -> Labels {
    let mut labels = Labels::default();
    let mut given = BTreeSet::new();
    for condition in &selector.conditions {
        let label = condition.label();
        match condition.only_value() {
            Some(value) if given.insert(label) => labels.insert(label, value),
            _ => labels.insert(label, ""),
        }
    }
    let kept = labels
        .iter()
        .filter(|(label, value)| *label != METRIC_NAME && !value.is_empty());
    kept.collect()
}

pub(super) fn moment(at: Option<&AtModifier>, offset: Option<&Offset>) -> Result<Moment, ExpressionError> {
    let at = match at {
        None => At::Evaluation,
        Some(AtModifier::Start | AtModifier::End) => At::Query,
        Some(fixed @ AtModifier::At(_)) => {
            let text = fixed.to_string();
            let time = text.trim_start_matches(['@', ' ']).to_owned();
            return Err(Unsupported::FixedTime(time).into());
        }
    };
    let offset_ms = match offset {
        None => 0,
        Some(Offset::Pos(back)) => milliseconds(*back)?,
        Some(Offset::Neg(forth)) => -milliseconds(*forth)?,
    };
    Ok(Moment { at, offset_ms })
}

/// Milliseconds of a duration as PromQL writes it; no more than a thousand years, so that sums stay in range.
pub(super) fn milliseconds(duration: Duration) -> Result<i64, ExpressionError> {
    const LIMIT_MS: i64 = 1000 * 365 * 24 * 60 * 60 * 1000;
    i64::try_from(duration.as_millis())
        .ok()
        .filter(|milliseconds| *milliseconds <= LIMIT_MS)
        .ok_or_else(|| ExpressionError::Invalid {
            part: promql_parser::util::display_duration(&duration),
            fault: "the duration is too long",
        })
}

fn condition(matcher: &Matcher) -> Result<Condition, ExpressionError> {
    let value = || matcher.value.clone();
    let test = match &matcher.op {
        MatchOp::Equal => Test::Equal(value()),
        MatchOp::NotEqual => Test::NotEqual(value()),
        MatchOp::Re(pattern) => Test::Matches(over_line_breaks(pattern)?),
        MatchOp::NotRe(pattern) => Test::DoesNotMatch(over_line_breaks(pattern)?),
    };
    Ok(Condition {
        label: matcher.name.clone(),
        test,
    })
}

/// The parser's pattern, which matches the whole value but whose `.` stops at a line break.
/// Source: Prometheus 3, `model/labels/regexp.go`, `NewFastRegexMatcher`.
fn over_line_breaks(pattern: &Regex) -> Result<Regex, ExpressionError> {
    regex(&format!("(?s){pattern}"), pattern.as_str())
}

/// A pattern that must match a whole value, as `label_replace` has it.
pub(super) fn whole(pattern: &str) -> Result<Regex, ExpressionError> {
    regex(&format!("^(?s:{pattern})$"), pattern)
}

fn regex(pattern: &str, written: &str) -> Result<Regex, ExpressionError> {
    Regex::new(pattern).map_err(|_| ExpressionError::Invalid {
        part: written.to_owned(),
        fault: "not a regular expression",
    })
}

//! How a rule's series are found.

use std::collections::BTreeSet;

use crate::promql::{Names, SeriesSelector};

/// A series name and the label names its series have between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundSeries {
    /// `__name__`.
    pub name: String,
    /// Label names, without `__name__`.
    pub label_names: BTreeSet<String>,
}

/// How a rule's series are found.
#[derive(Debug)]
pub enum Discovery {
    /// Name and labels are written in the rule: nothing is asked, the metric exists without samples too.
    Fixed(Vec<FoundSeries>),
    /// The backend is asked.
    Ask(Question),
}

/// What to ask a backend so as to learn names and label names. Equal questions of several rules are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// `/labels` for each of these names; the selector narrowed to that name stands beside it.
    Labels(Vec<(String, String)>),
    /// `/series` for a selector that is a pattern.
    Series(String),
}

impl Question {
    /// The cheapest question that answers a `seriesQuery`.
    ///
    /// `by_series` asks `/series` always: label queries know time only as finely as the backend's blocks, so
    /// a rule with an explicit age needs it. A selector that our parser does not know is passed on as it is.
    pub(super) fn about(series_query: &str, selector: Option<&SeriesSelector>, by_series: bool) -> Question {
        let names = match selector.map(SeriesSelector::names) {
            Some(Names::Fixed(name)) if !by_series => vec![name],
            Some(Names::OneOf(names)) if !by_series => names,
            _ => return Question::Series(series_query.to_owned()),
        };
        let narrowed = |name: String| {
            let text = selector.map_or_else(|| name.clone(), |selector| selector.with_name(&name));
            (name, text)
        };
        Question::Labels(names.into_iter().map(narrowed).collect())
    }
}

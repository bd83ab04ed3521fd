//! Selectors of series, as `seriesQuery` and the typed rules have them.

use std::fmt;

use promql_parser::label;
use promql_parser::parser::{Expr, VectorSelector};

use super::query::{self, ParseError};
use super::{METRIC_NAME, is_metric_name};

/// A selector of series, without range, offset or function: `http_requests_total{pod!=""}`.
///
/// [`SeriesSelector::text`] is what was written; it prints in one form whatever way its name was given.
#[derive(Clone, Debug)]
pub struct SeriesSelector {
    text: String,
    selector: VectorSelector,
}

/// Which metrics a selector selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Names {
    /// One.
    Fixed(String),
    /// Some of these, in the order they are written.
    OneOf(Vec<String>),
    /// Those the backend finds.
    Pattern,
}

/// Why a text is not a selector of series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// No expression at all.
    #[error("not a selector of series")]
    Parse(#[source] ParseError),
    /// An expression, but more than a selector.
    #[error("only a selector of series may stand here, such as `http_requests_total{{pod!=\"\"}}`")]
    MoreThanASelector,
    /// With `offset` or `@`.
    #[error("a selector of series has no `offset` and no `@` here")]
    Moved,
}

impl SeriesSelector {
    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let tree = query::parse_tree(text).map_err(SelectorError::Parse)?;
        let Expr::VectorSelector(mut selector) = tree else {
            return Err(SelectorError::MoreThanASelector);
        };
        if selector.offset.is_some() || selector.at.is_some() {
            return Err(SelectorError::Moved);
        }
        name_first(&mut selector);
        Ok(SeriesSelector {
            text: text.to_owned(),
            selector,
        })
    }

    /// The selector as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The one metric that it selects, where `=` or the name in front of the braces says so.
    pub fn name(&self) -> Option<&str> {
        self.selector
            .name
            .as_deref()
            .or_else(|| same_name(&self.groups()))
    }

    /// Which metrics it selects, as far as the text tells.
    pub fn names(&self) -> Names {
        if let Some(name) = self.name() {
            return Names::Fixed(name.to_owned());
        }
        if !self.selector.matchers.or_matchers.is_empty() {
            return Names::Pattern;
        }
        let matchers = || self.selector.matchers.matchers.iter().filter(|it| is_on_name(it));
        let Some(mut names) = matchers().find_map(listed_names) else {
            return Names::Pattern;
        };
        names.retain(|name| matchers().all(|matcher| matcher.is_match(name)));
        match names.as_slice() {
            [only] => Names::Fixed(only.clone()),
            _ => Names::OneOf(names),
        }
    }

    /// Whether it selects no series that lacks this label.
    pub fn requires(&self, label: &str) -> bool {
        let excludes_empty = |group: &&[label::Matcher]| {
            let mut on_label = group.iter().filter(|matcher| matcher.name == label);
            on_label.any(|matcher| !matcher.is_match(""))
        };
        self.groups().iter().all(excludes_empty)
    }

    /// The selector narrowed to one metric, as text.
    ///
    /// What it says of the name stays unless the name fulfils it.
    pub fn with_name(&self, name: &str) -> String {
        let mut selector = self.selector.clone();
        if let Some(other) = selector.name.take_if(|fixed| fixed != name) {
            add_name(&mut selector, &other);
        }
        for group in query::matcher_groups(&mut selector) {
            group.retain(|matcher| !(is_on_name(matcher) && matcher.is_match(name)));
        }
        add_name(&mut selector, name);
        name_first(&mut selector);
        selector.to_string()
    }

    /// The selector of a sibling metric, such as a histogram's `_bucket`; `None` without a fixed name.
    pub fn with_suffix(&self, suffix: &str) -> Option<SeriesSelector> {
        let name = format!("{}{suffix}", self.name()?);
        let mut selector = self.selector.clone();
        selector.name = None;
        for group in query::matcher_groups(&mut selector) {
            group.retain(|matcher| !is_on_name(matcher));
        }
        add_name(&mut selector, &name);
        name_first(&mut selector);
        Some(SeriesSelector {
            text: selector.to_string(),
            selector,
        })
    }

    /// The lists of matchers: one, or several that `or` joins.
    fn groups(&self) -> Vec<&[label::Matcher]> {
        let matchers = &self.selector.matchers;
        match matchers.or_matchers.is_empty() {
            true => vec![&matchers.matchers],
            false => matchers.or_matchers.iter().map(Vec::as_slice).collect(),
        }
    }
}

impl fmt::Display for SeriesSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.selector.fmt(f)
    }
}

/// Puts the name in front of the braces, where the printer can write it there.
fn name_first(selector: &mut VectorSelector) {
    let mut groups = query::matcher_groups(selector);
    let lists: Vec<&[label::Matcher]> = groups.iter().map(|group| group.as_slice()).collect();
    let leaves_a_matcher = lists.len() == 1 || lists.iter().all(|list| list.len() > 1);
    let name = same_name(&lists).filter(|name| stands_alone(name) && leaves_a_matcher);
    let Some(name) = name.map(str::to_owned) else {
        return;
    };
    for group in &mut groups {
        group.retain(|matcher| !is_on_name(matcher));
    }
    selector.name = Some(name);
}

/// Whether a name is read as one without braces: `on` and `nan` are words of PromQL.
pub(super) fn stands_alone(name: &str) -> bool {
    is_metric_name(name)
        && matches!(promql_parser::parser::parse(name), Ok(Expr::VectorSelector(read)) if read.name.as_deref() == Some(name))
}

fn add_name(selector: &mut VectorSelector, name: &str) {
    for group in query::matcher_groups(selector) {
        group.push(label::Matcher::new(label::MatchOp::Equal, METRIC_NAME, name));
    }
}

/// The name that every alternative asks for with `=`, saying nothing else of it.
fn same_name<'s>(groups: &[&'s [label::Matcher]]) -> Option<&'s str> {
    let only_name = |group: &&'s [label::Matcher]| {
        let mut on_name = group.iter().filter(|matcher| is_on_name(matcher));
        let first = on_name
            .next()
            .filter(|matcher| matcher.op == label::MatchOp::Equal)?;
        on_name.next().is_none().then_some(first.value.as_str())
    };
    let name = groups.first().and_then(only_name)?;
    groups
        .iter()
        .all(|group| only_name(group) == Some(name))
        .then_some(name)
}

fn is_on_name(matcher: &label::Matcher) -> bool {
    matcher.name == METRIC_NAME
}

/// The names a matcher lists: `="a"`, `=~"a|b"`, `=~"^(a|b)$"`.
fn listed_names(matcher: &label::Matcher) -> Option<Vec<String>> {
    match &matcher.op {
        label::MatchOp::Equal => Some(vec![matcher.value.clone()]),
        label::MatchOp::Re(_) => listed_by_pattern(&matcher.value),
        label::MatchOp::NotEqual | label::MatchOp::NotRe(_) => None,
    }
}

fn listed_by_pattern(pattern: &str) -> Option<Vec<String>> {
    let pattern = pattern.strip_prefix('^').unwrap_or(pattern);
    let pattern = pattern.strip_suffix('$').unwrap_or(pattern);
    let in_group = pattern.strip_suffix(')').and_then(|pattern| {
        let group = pattern.strip_prefix("(?:");
        group.or_else(|| pattern.strip_prefix('('))
    });
    let alternatives = in_group.unwrap_or(pattern).split('|');
    alternatives
        .map(|name| is_metric_name(name).then(|| name.to_owned()))
        .collect()
}

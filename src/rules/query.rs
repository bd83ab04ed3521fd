//! The query that answers a request.

use super::catalog::{CustomEntry, ExternalEntry};
use super::rule::{Querying, Rule, TemplateQuery};
use crate::model::Selector;
use crate::promql::{
    LabelNameError, Matcher, ParseError, Query, QueryFields, TemplateError, UnsupportedRequirement,
    is_metric_name, join,
};

/// Why a request has no query.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueryFault {
    /// The metric selector cannot be said in PromQL.
    #[error(transparent)]
    Selector(#[from] UnsupportedRequirement),
    /// A label of the rule cannot be a label in PromQL.
    #[error(transparent)]
    Label(#[from] LabelNameError),
    /// The template cannot be rendered for this request.
    #[error("the query template cannot be rendered")]
    Template(#[from] TemplateError),
    /// A value of the request would change what the query means.
    #[error("`{0}` cannot stand in the rule's query")]
    UnsafeValue(String),
    /// Values are pasted into a query that is too long to be parsed.
    #[error("the query is {bytes} bytes long, too long to see what the names pasted into it do")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The template renders nothing for this request.
    #[error("the query is empty")]
    Empty,
}

/// One condition on the series: the matcher, and the plain values a template may paste.
pub(super) struct Condition {
    pub(super) matcher: Matcher,
    values: Vec<String>,
    whose: Whose,
}

/// What the values of a condition are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// What the caller selects series by.
    Selector,
    /// The namespace that the caller may read.
    Namespace,
    /// Names of objects.
    Objects,
}

impl Whose {
    /// Whether a value, pasted as plain text, can only mean itself where a query takes it for a pattern.
    ///
    /// A dot is part of many names of objects and matches any character; samples of other objects are dropped later.
    /// No namespace has one.
    fn is_plain(self, value: &str) -> bool {
        let signs: &[u8] = match self {
            Whose::Namespace => b"_-",
            Whose::Selector | Whose::Objects => b"_.:-",
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
        value.bytes().all(plain)
    }
}

impl CustomEntry {
    /// The query for these objects of a namespace. `names` is not empty.
    pub fn query(
        &self,
        namespace: Option<&str>,
        names: &[impl AsRef<str>],
        selector: &Selector,
    ) -> Result<String, QueryFault> {
        self.query_of(
            namespace,
            condition(&self.label, names, Whose::Objects)?,
            selector,
        )
    }

    /// The same query, with names that are so many that it should be as short as may be.
    pub fn short_query(
        &self,
        namespace: Option<&str>,
        names: &[impl AsRef<str>],
        selector: &Selector,
    ) -> Result<String, QueryFault> {
        let objects = Condition {
            matcher: Matcher::one_of_many(&self.label, names)?,
            ..condition(&self.label, names, Whose::Objects)?
        };
        self.query_of(namespace, objects, selector)
    }

    fn query_of(
        &self,
        namespace: Option<&str>,
        objects: Condition,
        selector: &Selector,
    ) -> Result<String, QueryFault> {
        let mut conditions = selector_conditions(&self.rule, selector)?;
        if let (Some(label), Some(namespace)) = (&self.namespace_label, namespace) {
            conditions.push(condition(label, &[namespace.to_owned()], Whose::Namespace)?);
        }
        conditions.push(objects);
        render(&self.rule, &self.series, &conditions, &self.label)
    }
}

impl ExternalEntry {
    /// The query for a selector in a namespace.
    pub fn query(&self, namespace: &str, selector: &Selector) -> Result<String, QueryFault> {
        let mut conditions = selector_conditions(&self.rule, selector)?;
        if let Some(label) = &self.namespace_label {
            conditions.push(condition(label, &[namespace.to_owned()], Whose::Namespace)?);
        }
        render(&self.rule, &self.series, &conditions, "")
    }
}

pub(super) fn condition(
    label: &str,
    names: &[impl AsRef<str>],
    whose: Whose,
) -> Result<Condition, QueryFault> {
    Ok(Condition {
        matcher: Matcher::one_of(label, names)?,
        values: names.iter().map(|name| name.as_ref().to_owned()).collect(),
        whose,
    })
}

/// Conditions of the metric selector, by key.
fn selector_conditions(rule: &Rule, selector: &Selector) -> Result<Vec<Condition>, QueryFault> {
    let raw = match rule.making.as_ref().map(|making| &making.querying) {
        Ok(Querying::Template(query)) => query.raw_values,
        _ => false,
    };
    selector
        .requirements()
        .iter()
        .map(|requirement| {
            Ok(Condition {
                matcher: Matcher::from_requirement(requirement, raw)?,
                values: requirement.values.clone(),
                whose: Whose::Selector,
            })
        })
        .collect()
}

fn render(rule: &Rule, series: &str, conditions: &[Condition], by: &str) -> Result<String, QueryFault> {
    match rule.making.as_ref().map(|making| &making.querying) {
        Ok(Querying::Template(_)) if !is_metric_name(series) => {
            Err(QueryFault::UnsafeValue(series.to_owned()))
        }
        Ok(Querying::Template(query)) => {
            let by: Vec<String> = Some(by)
                .filter(|by| !by.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect();
            render_template(query, series, conditions, &by)
        }
        Ok(Querying::Expression { bases, .. }) => {
            let base = bases.get(by).ok_or(QueryFault::Empty)?;
            let matchers: Vec<Matcher> = conditions.iter().map(|one| one.matcher.clone()).collect();
            Ok(base.with_matchers(&matchers).text().to_owned())
        }
        Err(_) => Err(QueryFault::Empty),
    }
}

/// The template filled in. `series` can stand in a query as it is.
pub(super) fn render_template(
    query: &TemplateQuery,
    series: &str,
    conditions: &[Condition],
    by: &[String],
) -> Result<String, QueryFault> {
    let text = fill(query, series, conditions, by, |value| value.to_owned())?;
    if text.trim().is_empty() {
        return Err(QueryFault::Empty);
    }
    if query.opaque {
        refuse_unplain(conditions)?;
    } else if query.pastes_values {
        // What was pasted between quotes may be a pattern there: `.*` keeps the shape and matches all.
        refuse_unplain(conditions.iter().filter(|one| one.whose != Whose::Selector))?;
        refuse_other_shape(query, series, conditions, by, &text)?;
    }
    Ok(text)
}

/// The template filled in for any series and any object, to see what it makes.
pub(super) fn sample(query: &TemplateQuery, any: &str) -> Result<String, QueryFault> {
    let any_of = |label, whose| condition(label, &[any.to_owned()], whose);
    let conditions = [
        any_of("namespace", Whose::Namespace)?,
        any_of("object", Whose::Objects)?,
    ];
    let text = fill(query, "series", &conditions, &["object".to_owned()], |value| {
        value.to_owned()
    })?;
    Ok(text)
}

fn fill(
    query: &TemplateQuery,
    series: &str,
    conditions: &[Condition],
    by: &[String],
    mut value: impl FnMut(&str) -> String,
) -> Result<String, TemplateError> {
    let matchers: Vec<Matcher> = conditions.iter().map(|one| one.matcher.clone()).collect();
    let pasted: Vec<(String, String)> = conditions
        .iter()
        .map(|one| {
            let values: Vec<String> = one.values.iter().map(|plain| value(plain)).collect();
            (one.matcher.label().to_owned(), values.join("|"))
        })
        .collect();
    query.template.render(&QueryFields {
        series,
        label_matchers: &join(&matchers),
        label_values_by_name: &pasted,
        group_by: by,
    })
}

/// In a query that our parser does not know, and in place of a name, only a plain value may stand.
fn refuse_unplain<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Result<(), QueryFault> {
    let mut values = conditions
        .into_iter()
        .flat_map(|one| one.values.iter().map(|value| (one.whose, value)));
    match values.find(|(whose, value)| !whose.is_plain(value)) {
        Some((_, value)) => Err(QueryFault::UnsafeValue(value.to_owned())),
        None => Ok(()),
    }
}

/// Values that a template pastes may change nothing but values: the tree must be that of placeholder names,
/// with each placeholder filled in.
fn refuse_other_shape(
    query: &TemplateQuery,
    series: &str,
    conditions: &[Condition],
    by: &[String],
    text: &str,
) -> Result<(), QueryFault> {
    let values: Vec<&str> = conditions
        .iter()
        .flat_map(|one| &one.values)
        .map(String::as_str)
        .collect();
    let placeholders: Vec<String> = (0..values.len()).map(|at| format!("placeholder-{at}-")).collect();
    let mut next = placeholders.iter();
    let blank = fill(query, series, conditions, by, |_| {
        next.next().cloned().unwrap_or_default()
    })?;
    let fillings: Vec<(&str, &str)> = placeholders
        .iter()
        .map(String::as_str)
        .zip(values.iter().copied())
        .collect();
    // Placeholders may be longer than what they stand for.
    match (Query::parse(text), Query::parse(&blank)) {
        (Ok(filled), Ok(blank)) if filled.fills(&blank, &fillings) => Ok(()),
        (Err(ParseError::TooLong { .. }), _) | (_, Err(ParseError::TooLong { .. })) => {
            Err(QueryFault::TooLong { bytes: text.len() })
        }
        _ => Err(QueryFault::UnsafeValue(values.join("|"))),
    }
}

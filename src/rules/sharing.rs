//! One query in place of those of many namespaces, where that is proven to be safe.

use super::catalog::{CustomEntry, ExternalEntry};
use super::query::QueryFault;
use super::rule::{Querying, Rule};
use crate::model::Selector;
use crate::promql::{MatchOp, Matcher, NamespaceLabel, Narrowing, Query};

/// A query whose answer holds the answers of many narrow ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WideQuery {
    /// PromQL, as it is sent.
    pub text: String,
    /// The label that tells the namespaces apart; `None` if there is none.
    pub namespace_label: Option<String>,
    /// Whether the narrow answers lack that label, so that it is to be taken off.
    pub takes_off: bool,
    /// The label that tells the objects apart; `None` for an external metric.
    pub object_label: Option<String>,
}

/// Names that stand for any. Only what we wrote differs between the queries made with the one and the other.
const STAND_INS: [&str; 2] = ["any-name-1", "any-name-2"];

impl CustomEntry {
    /// The query about all objects of these namespaces, of which there is none only for cluster-scoped objects.
    ///
    /// `None` where its answer might hold other values than those of [`CustomEntry::query`].
    pub fn wide_query(&self, namespaces: &[String], selector: &Selector) -> Option<WideQuery> {
        wide_query(
            &self.rule,
            self.namespace_label.as_deref(),
            Some(&self.label),
            namespaces,
            |any| {
                let namespace = self.namespace_label.is_some().then_some(any);
                self.query(namespace, &[any.to_owned()], selector)
            },
        )
    }
}

impl ExternalEntry {
    /// The query about these namespaces. `None` as for [`CustomEntry::wide_query`], and if every namespace asks the same.
    pub fn wide_query(&self, namespaces: &[String], selector: &Selector) -> Option<WideQuery> {
        wide_query(
            &self.rule,
            self.namespace_label.as_deref(),
            None,
            namespaces,
            |any| self.query(any, selector),
        )
    }
}

fn wide_query(
    rule: &Rule,
    namespace_label: Option<&str>,
    object_label: Option<&str>,
    namespaces: &[String],
    narrow: impl Fn(&str) -> Result<String, QueryFault>,
) -> Option<WideQuery> {
    if !only_fills_in(rule) {
        return None;
    }
    let wide = match namespace_label {
        Some(label) => Some(among(label, namespaces)?),
        None => None,
    };
    let [one, other] = STAND_INS.map(|any| {
        let matcher = |label| Matcher::one_of(label, &[any]).ok();
        let (namespace, object) = (namespace_label.and_then(matcher), object_label.and_then(matcher));
        let narrow = Query::parse(&narrow(any).ok()?).ok()?;
        let (wide, label) = narrow.widened(Narrowing {
            namespace: namespace.as_ref().zip(wide.as_ref()),
            object: object.as_ref(),
        })?;
        Some((wide.text().to_owned(), label))
    });
    let (text, label) = one.filter(|one| Some(one) == other.as_ref())?;
    Some(WideQuery {
        text,
        namespace_label: namespace_label.map(str::to_owned),
        takes_off: label == NamespaceLabel::Added,
        object_label: object_label.map(str::to_owned),
    })
}

/// Whether the rule does nothing with names but put matchers in their places.
fn only_fills_in(rule: &Rule) -> bool {
    match rule.making.as_ref().map(|making| &making.querying) {
        Ok(Querying::Template(query)) => !query.opaque && query.template.only_fills_in(),
        Ok(Querying::Expression { .. }) => true,
        Err(_) => false,
    }
}

/// The matcher of these namespaces, or of any if there is none. An empty name would match series without the label.
fn among(label: &str, namespaces: &[String]) -> Option<Matcher> {
    match namespaces {
        [] => Matcher::new(label, MatchOp::NotEqual, "").ok(),
        names if names.iter().any(String::is_empty) => None,
        names => Matcher::one_of(label, names).ok(),
    }
}

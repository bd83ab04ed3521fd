//! A compiled rule.

use std::collections::BTreeMap;
use std::time::Duration;

use super::association::Association;
use super::discovery::Discovery;
use super::naming::Naming;
use super::reading::Duplicates;
use crate::config::{Api, Policies};
use crate::model::{Diagnostic, Place};
use crate::promql::{Query, QueryTemplate};

/// One rule, ready to be asked.
///
/// A rule with a fault keeps its discovery and naming, so that its metrics can answer with the fault.
#[derive(Debug)]
pub struct Rule {
    /// Where it stands in the file.
    pub place: Place,
    /// Which API serves it.
    pub api: Api,
    /// Name of the backend to ask.
    pub backend: String,
    /// What is answered when there is no plain value.
    pub policies: Policies,
    /// How its series are found.
    pub discovery: Discovery,
    /// What to do with several samples for one object.
    pub duplicates: Duplicates,
    /// Which metric a series becomes.
    pub(super) naming: Naming,
    /// How it answers, or why it cannot.
    pub(super) making: Result<Making, Diagnostic>,
}

impl Rule {
    /// Why the rule is disabled.
    pub fn fault(&self) -> Option<&Diagnostic> {
        self.making.as_ref().err()
    }

    /// Its key in the file: `rules[2]`.
    pub fn key(&self) -> &str {
        &self.place.key
    }

    /// Range its query looks back over, `None` for an instant value or where it cannot be known.
    pub fn window(&self) -> Option<Duration> {
        match &self.making {
            Ok(making) => making.querying.window(),
            Err(_) => None,
        }
    }
}

/// What a rule without a fault has.
#[derive(Debug)]
pub(super) struct Making {
    /// Which label names which resource.
    pub(super) association: Association,
    /// External rules: whether the namespace of the request is matched.
    pub(super) namespaced: bool,
    /// How the query comes about.
    pub(super) querying: Querying,
}

/// How a rule's query comes about.
#[derive(Debug)]
pub(super) enum Querying {
    /// From the operator's template.
    Template(Box<TemplateQuery>),
    /// From an expression into which matchers are put: one for each label to group by, "" for none.
    Expression {
        bases: BTreeMap<String, Query>,
        /// The range that they look back over.
        window: Option<Duration>,
    },
}

/// The operator's template and what is known of it.
#[derive(Debug)]
pub(super) struct TemplateQuery {
    pub(super) template: QueryTemplate,
    /// Whether values of the request are pasted as plain text, beside the matchers that we build.
    pub(super) pastes_values: bool,
    /// Whether our parser does not know what it renders.
    pub(super) opaque: bool,
    /// Whether selector values are passed through as regular expressions.
    pub(super) raw_values: bool,
    pub(super) window: Option<Duration>,
}

impl Querying {
    fn window(&self) -> Option<Duration> {
        match self {
            Querying::Template(query) => query.window,
            Querying::Expression { window, .. } => *window,
        }
    }
}

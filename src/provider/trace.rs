//! How an answer came about.

use std::sync::Arc;

use super::{Asker, Error};
use crate::model::{ObjectUsage, Place, Quantity, Timestamp};
use crate::prometheus::{Answer, Cached, Freshness};
use crate::rules::Dropped;

/// An answer with the way it came about.
#[derive(Debug)]
pub struct Outcome<V> {
    /// The values to serve, or why there is none. An empty list only where a policy says so.
    pub result: Result<Vec<V>, Error>,
    /// How it came about, as far as it went.
    pub trace: Trace,
}

/// What pods or nodes use, with the way of each question that was asked for it.
#[derive(Debug)]
pub struct UsageOutcome {
    /// The values to serve, or why there is none. Who uses nothing that is known is not in it.
    pub result: Result<Vec<ObjectUsage>, Error>,
    /// How it came about, as far as it went.
    pub traces: Vec<Trace>,
}

/// Whether anybody reads how an answer came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Everything is told.
    #[default]
    Full,
    /// What would take time to tell of an answer that is at hand is left out.
    Brief,
}

/// The way of one answer.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// How much is told.
    pub detail: Detail,
    /// Where the rule stands.
    pub rule: Option<Place>,
    /// Name of the backend.
    pub backend: Option<String>,
    /// Names of the objects asked for.
    pub objects: Option<Vec<String>>,
    /// The query as it was sent.
    pub query: Option<String>,
    /// A query about fewer series that stands for it where the age of samples is asked.
    pub narrow_query: Option<String>,
    /// What came back.
    pub answer: Option<Arc<Answer>>,
    /// Each number served from a sample, before and after rounding.
    pub readings: Vec<Reading>,
    /// Each sample that was not served.
    pub dropped: Vec<Dropped>,
    /// What else a reader should know: cached, stale, policies used.
    pub notes: Vec<String>,
}

/// A number before and after rounding.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Object name, or labels of the sample.
    pub of: String,
    /// As the backend gave it.
    pub exact: f64,
    /// As it is served.
    pub served: Quantity,
}

impl Trace {
    pub(super) fn new(detail: Detail) -> Trace {
        Trace {
            detail,
            ..Trace::default()
        }
    }

    /// Whether anybody reads it.
    pub(super) fn is_read(&self) -> bool {
        self.detail == Detail::Full
    }

    pub(super) fn asked(&mut self, asker: &Asker<'_>, query: &str) {
        self.rule = Some(asker.place.clone());
        self.backend = Some(asker.backend.to_owned());
        self.query = Some(query.to_owned());
    }

    pub(super) fn answered(&mut self, cached: &Cached) {
        self.answer = Some(cached.answer.clone());
        if cached.hit {
            self.note("answered from the result cache");
        }
        if let Freshness::Stale { because } = &cached.freshness {
            self.note(format!(
                "the last answer is served because {}",
                because.client_text()
            ));
        }
        for warning in cached.answer.client_warnings() {
            self.note(format!("the backend warns: {warning}"));
        }
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn read(&mut self, reading: impl FnOnce() -> Reading) {
        if self.is_read() {
            self.readings.push(reading());
        }
    }

    /// When the query was evaluated.
    pub fn evaluated_at(&self) -> Option<Timestamp> {
        self.answer.as_ref().map(|answer| answer.evaluated_at)
    }
}

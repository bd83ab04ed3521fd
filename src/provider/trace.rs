//! How an answer came about.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Asker, Basis, Error};
use crate::model::{Labels, ObjectUsage, Place, Quantity, Sample, Timestamp};
use crate::prometheus::{Answer, Cached, Freshness};
use crate::rules::Dropped;

/// An answer with the way it came about.
#[derive(Debug)]
pub struct Outcome<V> {
    /// The values to serve, or why there is none. An empty list only where a policy says so.
    pub result: Result<Vec<V>, Error>,
    /// How it came about, as far as it went.
    pub trace: Trace,
    /// On what it rests, if it was asked for before and is kept fresh: then the next is found by it.
    pub basis: Option<Basis>,
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
    /// By which labels, with which values, a series is known to be of what was asked for; none if it is not known.
    pub own: Vec<(String, Vec<String>)>,
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

    /// What may be told to whoever may only read the answer: nothing of objects that were not asked for.
    ///
    /// A query whose template does not look at the namespace brings samples of all.
    pub fn without_others(mut self) -> Trace {
        let foreign = |dropped: &Dropped| dropped.reason.is_of_others();
        let others: HashSet<&Labels> = self
            .dropped
            .iter()
            .filter(|it| foreign(it))
            .map(|it| &it.labels)
            .collect();
        if others.is_empty() {
            return self;
        }
        self.answer = self.answer.map(|answer| {
            let own = |sample: &&Sample| !others.contains(&sample.labels);
            let samples = answer.samples.iter().filter(own).cloned().collect();
            Arc::new(Answer {
                samples,
                ..Answer::clone(&answer)
            })
        });
        let count = others.len();
        self.dropped.retain(|it| !foreign(it));
        self.note(format!("{count} samples of what was not asked for are not shown"));
        self
    }

    /// Whether a series is known to be of what was asked for.
    pub(super) fn is_own(&self, series: &Labels) -> bool {
        let has = |(label, values): &(String, Vec<String>)| {
            series
                .get(label)
                .is_some_and(|value| values.iter().any(|own| own == value))
        };
        !self.own.is_empty() && self.own.iter().all(has)
    }

    /// When the query was evaluated.
    pub fn evaluated_at(&self) -> Option<Timestamp> {
        self.answer.as_ref().map(|answer| answer.evaluated_at)
    }
}

//! The answer to a request: a kept one, or that to the narrow question.

use std::sync::Arc;

use tokio::time::timeout;

use super::held::Held;
use super::kept::{Asked, Kept, parts};
use super::overview::Flight;
use super::recall::Recalled;
use super::topic::Narrow;
use super::{Ask, Topic};
use crate::model::{ObjectNames, Sample, Timestamp};
use crate::prometheus::{Answer, Error as BackendError};
use crate::provider::error::{Error, Subject};
use crate::provider::trace::Trace;
use crate::provider::{Asker, Provider, now};
use crate::rules::{Rule, WideQuery};
use crate::telemetry::CacheOutcome;

/// What was found for a request.
pub(in crate::provider) struct Found {
    pub(super) kept: Arc<Kept>,
    /// By what it is found again, if it is a kept answer and its objects were asked for before.
    pub(in crate::provider) held: Option<Held>,
}

impl Found {
    /// Whether a request was answered from the same.
    pub(in crate::provider) fn is_held_by(&self, held: &Held) -> bool {
        held.is(&self.kept)
    }

    /// The answer that it is part of; of its samples only [`Found::samples`] are of use.
    pub(in crate::provider) fn answer(&self) -> &Answer {
        &self.kept.answer
    }

    /// The samples that the narrow question about these objects would have brought.
    pub(in crate::provider) fn samples(&self, names: &ObjectNames) -> Vec<&Sample> {
        self.kept.samples(names).unwrap_or_default()
    }
}

/// Answers from memory if that is fresh, else by asking. Nobody waits for a refresh, but for the question about all
/// namespaces if many begin to ask at once.
pub(in crate::provider) async fn found(
    provider: &Provider,
    ask: &Ask<'_>,
    subject: &Subject<'_>,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Found, Error> {
    let mut asking = Asking {
        provider,
        ask,
        subject,
        now,
    };
    let kept = match provider.shared.recall(ask, now) {
        Recalled::Kept(kept, held) => {
            asking.kept(&kept, None, trace);
            return Ok(Found { kept, held });
        }
        Recalled::StandIn(kept, because) => {
            asking.kept(&kept, Some(&because), trace);
            Ok(kept)
        }
        // In boxes, or each request would carry the room for them.
        Recalled::Soon(flight) => Box::pin(asking.awaited(flight, trace)).await,
        Recalled::Nothing => Box::pin(asking.its_objects(trace)).await,
        Recalled::NothingOfAll => Box::pin(asking.all_objects(trace)).await,
    };
    kept.map(|kept| Found { kept, held: None })
}

struct Asking<'a> {
    provider: &'a Provider,
    ask: &'a Ask<'a>,
    subject: &'a Subject<'a>,
    now: Timestamp,
}

impl Asking<'_> {
    fn rule(&self) -> &Rule {
        self.ask.topic.rule()
    }

    fn topic(&self) -> &Topic {
        self.ask.topic
    }

    /// The part of the answer about all namespaces if it comes soon, else an answer of its own.
    async fn awaited(&mut self, flight: Flight, trace: &mut Trace) -> Result<Arc<Kept>, Error> {
        // Whether it came in time is seen by what is kept.
        let shared = &self.provider.shared;
        let _ = timeout(shared.patience, flight.ended()).await;
        self.now = now();
        match shared.fresh(self.ask, self.now) {
            Some(kept) => {
                self.kept(&kept, None, trace);
                Ok(kept)
            }
            None => self.its_objects(trace).await,
        }
    }

    /// All objects of the namespace, for all who ask about some of them.
    async fn all_objects(&self, trace: &mut Trace) -> Result<Arc<Kept>, Error> {
        let Some(all) = self.topic().all_of(self.ask.namespace) else {
            return self.its_objects(trace).await;
        };
        let shared = &self.provider.shared;
        let answer = match self.answer(&all.text, trace).await {
            Ok(answer) => answer,
            // The backend itself is in trouble, and another question would not help it.
            Err(error @ Error::BackendUnavailable(_)) => return self.stale(error, trace),
            // The caller has waited long enough; the next one asks about its objects alone.
            Err(error @ Error::BackendTimeout(_)) => {
                shared.narrow(self.ask, now());
                return self.stale(error, trace);
            }
            // What is wrong with other objects must not be felt by these.
            Err(_) => {
                shared.narrow(self.ask, now());
                return self.its_objects(trace).await;
            }
        };
        trace.note("all objects are asked about, since others are asked for too");
        if let Some(kept) = shared.fresh(self.ask, now()) {
            trace.answer = Some(Arc::new(shown(&kept, self.ask.names)));
            return Ok(kept);
        }
        let kept = Arc::new(part_of(&answer, &all, self.ask, trace));
        shared.brought(self.ask, &kept, now());
        Ok(kept)
    }

    /// The narrow question, or all objects of the namespace if their names make it too long.
    async fn its_objects(&self, trace: &mut Trace) -> Result<Arc<Kept>, Error> {
        let Ask { namespace, names, .. } = *self.ask;
        let asked = self.topic().asked(namespace, names);
        let asked = asked.map_err(|fault| self.subject.no_query(self.rule().key(), &fault))?;
        let (text, all) = match &asked {
            Narrow::Objects(text) => (text, None),
            Narrow::AllObjects(all) => (&all.text, Some(all)),
        };
        let answer = match self.answer(text, trace).await {
            Ok(answer) => answer,
            Err(error) => return self.stale(error, trace),
        };
        if !answer.samples.is_empty() {
            self.provider.shared.admit(self.ask, now());
        }
        Ok(Arc::new(match all {
            Some(all) => {
                trace.note(
                    "all objects are asked about, since the names of those asked for are too long for one query",
                );
                part_of(&answer, all, self.ask, trace)
            }
            None => Kept::asked(answer),
        }))
    }

    async fn answer(&self, query: &str, trace: &mut Trace) -> Result<Arc<Answer>, Error> {
        let (asker, metric) = (Asker::from(self.rule()), self.subject.metric());
        self.provider.ask(&asker, metric, query, self.now, trace).await
    }

    /// The last answer after a failure, if it may stand in.
    fn stale(&self, error: Error, trace: &mut Trace) -> Result<Arc<Kept>, Error> {
        // How old the last answer is counts when it is served, not when it was asked for.
        let Some(kept) = self.provider.shared.stale(self.ask, now()) else {
            return Err(error);
        };
        self.tell(&kept, CacheOutcome::Stale, trace);
        trace.note(format!("the last answer is served: {error}"));
        Ok(kept)
    }

    /// A kept answer is served, after a failure if there was one.
    fn kept(&self, kept: &Kept, because: Option<&BackendError>, trace: &mut Trace) {
        match because {
            None => self.tell(kept, CacheOutcome::Refreshed, trace),
            Some(because) => {
                self.tell(kept, CacheOutcome::Stale, trace);
                let cause = because.public_text();
                trace.note(format!("the last answer is served because {cause}"));
            }
        }
    }

    fn tell(&self, kept: &Kept, outcome: CacheOutcome, trace: &mut Trace) {
        let Ask { namespace, names, .. } = *self.ask;
        let asker = Asker::from(self.rule());
        self.provider.sources.metrics.cache(outcome);
        if kept.answer.is_incomplete() {
            self.provider.accepts_incomplete(&asker, trace);
        }
        if !trace.is_read() {
            return;
        }
        let query = match self.topic().asked(namespace, names) {
            Ok(Narrow::Objects(query)) => Ok(query),
            Ok(Narrow::AllObjects(_)) | Err(_) => self.topic().narrow(namespace, names),
        };
        if let Ok(query) = query {
            trace.asked(&asker, &query);
        }
        trace.answer = Some(Arc::new(shown(kept, names)));
        trace.note("answered from an answer that is refreshed while it is asked for");
        let asked = match kept.asked {
            Asked::Narrow => {
                let warnings = kept.answer.client_warnings();
                warnings.for_each(|warning| trace.note(format!("the backend warns: {warning}")));
                return;
            }
            Asked::WithOthers(0) => self.told_wide(namespace, ""),
            Asked::WithOthers(1) => self.told_wide(namespace, ", for another namespace too"),
            Asked::WithOthers(others) => {
                self.told_wide(namespace, &format!(", for {others} other namespaces too"))
            }
            Asked::OfAll => self.told_wide(None, ""),
        };
        trace.note(asked);
        // Its words may be about others.
        if !kept.answer.warnings.is_empty() {
            trace.note("the backend warns about the question that was asked");
        }
    }

    /// The question that was asked, as far as it is about this namespace or any: others are nobody's business.
    fn told_wide(&self, namespace: Option<&str>, with: &str) -> String {
        let wide = self.topic().all_of(namespace).map(|wide| wide.text);
        let wide = wide.unwrap_or_default();
        format!("the query is what the answer stands for; asked was `{wide}`{with}")
    }
}

/// The answer with the samples alone that were asked for.
fn shown(kept: &Kept, names: &ObjectNames) -> Answer {
    let samples = kept.samples(names).unwrap_or_default();
    Answer {
        samples: samples.into_iter().cloned().collect(),
        shape: kept.answer.shape,
        evaluated_at: kept.answer.evaluated_at,
        warnings: Vec::new(),
    }
}

/// The part of an answer about all objects of the namespace.
fn part_of(answer: &Answer, all: &WideQuery, ask: &Ask<'_>, trace: &mut Trace) -> Kept {
    let namespaces: Vec<String> = ask.namespace.map(str::to_owned).into_iter().collect();
    let part = parts(answer, all, &namespaces).into_values().next();
    let part = part.unwrap_or_else(|| Kept::asked(Arc::new(answer.clone())));
    trace.answer = Some(Arc::new(shown(&part, ask.names)));
    part
}

//! The answer to a request: a kept one, or that to the narrow question.

use std::sync::Arc;

use super::kept::{Kept, parts};
use super::refresh::LONGEST_BYTES;
use super::{Ask, Topic};
use crate::model::{Sample, Timestamp};
use crate::prometheus::{Answer, Error as BackendError};
use crate::provider::error::{Error, Subject};
use crate::provider::trace::Trace;
use crate::provider::{Asker, Provider, now};
use crate::rules::{Rule, WideQuery};
use crate::telemetry::CacheOutcome;

/// What was found for a request.
pub(in crate::provider) struct Found(Arc<Kept>);

impl Found {
    /// The answer that it is part of; of its samples only [`Found::samples`] are of use.
    pub(in crate::provider) fn answer(&self) -> &Answer {
        &self.0.answer
    }

    /// The samples that the narrow question about these objects would have brought.
    pub(in crate::provider) fn samples(&self, names: &[String]) -> Vec<&Sample> {
        self.0.samples(names).unwrap_or_default()
    }
}

/// Answers from memory if that is fresh, else by asking. Nobody waits for a refresh.
pub(in crate::provider) async fn found(
    provider: &Provider,
    ask: &Ask<'_>,
    subject: &Subject,
    now: Timestamp,
    trace: &mut Trace,
) -> Result<Found, Error> {
    let asking = Asking {
        provider,
        ask,
        subject,
        now,
    };
    match provider.shared.recall(ask, now) {
        Some((kept, because)) => {
            asking.kept(&kept, because.as_deref(), trace);
            Ok(Found(kept))
        }
        None => asking.asked(trace).await.map(Found),
    }
}

struct Asking<'a> {
    provider: &'a Provider,
    ask: &'a Ask<'a>,
    subject: &'a Subject,
    now: Timestamp,
}

impl Asking<'_> {
    fn rule(&self) -> &Rule {
        self.ask.topic.rule()
    }

    fn topic(&self) -> &Topic {
        self.ask.topic
    }

    /// The narrow question, or all objects of the namespace if their names make it too long.
    async fn asked(&self, trace: &mut Trace) -> Result<Arc<Kept>, Error> {
        let Ask { namespace, names, .. } = *self.ask;
        let narrow = self.topic().narrow(namespace, names);
        let narrow = narrow.map_err(|fault| self.subject.no_query(self.rule().key(), &fault))?;
        let all = match narrow.len() > LONGEST_BYTES {
            true => self.topic().all_of(namespace),
            false => None,
        };
        let text = all.as_ref().map_or(&narrow, |all| &all.text);
        let asker = Asker::from(self.rule());
        let answer = self
            .provider
            .ask(&asker, self.subject.metric(), text, self.now, trace);
        match answer.await {
            Ok(answer) => Ok(Arc::new(match all {
                Some(all) => {
                    trace.note("all objects are asked about, since the names of those asked for are too long for one query");
                    part_of(&answer, &all, namespace, trace, names)
                }
                None => Kept::asked(answer),
            })),
            Err(error) => {
                // How old the last answer is counts when it is served, not when it was asked for.
                let kept = self.provider.shared.stale(self.ask, now());
                let kept = kept.ok_or(error.clone())?;
                self.tell(&kept, CacheOutcome::Stale, trace);
                trace.note(format!("the last answer is served: {error}"));
                Ok(kept)
            }
        }
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
        if let Ok(query) = self.topic().narrow(namespace, names) {
            trace.asked(&asker, &query);
        }
        trace.answer = Some(Arc::new(shown(kept, names)));
        trace.note("answered from an answer that is refreshed while it is asked for");
        match kept.asked_with {
            Some(others) => {
                trace.note(self.told_wide(others));
                // Its words may be about others.
                if !kept.answer.warnings.is_empty() {
                    trace.note("the backend warns about the question that was asked");
                }
            }
            None => {
                let warnings = kept.answer.client_warnings();
                warnings.for_each(|warning| trace.note(format!("the backend warns: {warning}")));
            }
        }
    }

    /// The question that was asked, as far as it is about this namespace: the others are nobody's business.
    fn told_wide(&self, others: usize) -> String {
        let wide = self.topic().all_of(self.ask.namespace).map(|wide| wide.text);
        let wide = wide.unwrap_or_default();
        let with = match others {
            0 => String::new(),
            1 => ", for another namespace too".to_owned(),
            others => format!(", for {others} other namespaces too"),
        };
        format!("the query is what the answer stands for; asked was `{wide}`{with}")
    }
}

/// The answer with the samples alone that were asked for.
fn shown(kept: &Kept, names: &[String]) -> Answer {
    let samples = kept.samples(names).unwrap_or_default();
    Answer {
        samples: samples.into_iter().cloned().collect(),
        shape: kept.answer.shape,
        evaluated_at: kept.answer.evaluated_at,
        warnings: Vec::new(),
    }
}

fn part_of(
    answer: &Answer,
    all: &WideQuery,
    namespace: Option<&str>,
    trace: &mut Trace,
    names: &[String],
) -> Kept {
    let namespaces: Vec<String> = namespace.map(str::to_owned).into_iter().collect();
    let part = parts(answer.clone(), all, &namespaces).into_values().next();
    let part = part.unwrap_or_else(|| Kept::asked(Arc::new(answer.clone())));
    trace.answer = Some(Arc::new(shown(&part, names)));
    part
}

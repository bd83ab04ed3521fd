//! One question is asked once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::freshness::{Memory, Recall};
use super::{Ages, Answer, Asked, Cached, Error, Freshness, Question};
use crate::model::{Timestamp, chain};
use crate::telemetry::{CacheOutcome, Metrics};

/// Most that is remembered of all questions and answers, in bytes as we reckon them; the least used go first.
///
/// Room for ten thousand questions about ten pods each; what is asked again and again is not in here. Callers choose
/// selectors, and with them how many questions there are, how long they are and how much each brings.
const MOST_REMEMBERED_BYTES: u64 = 24 << 20;

/// What a question takes beside its text and its answer.
const QUESTION_BYTES: usize = 512;

/// Questions nobody asked for this long are forgotten. Housekeeping only: it is longer than any answer is used.
const FORGET_AFTER: Duration = Duration::from_secs(15 * 60);

/// Answers of all backends.
///
/// Callers that ask the same at the same time share one request, and its failure too.
/// The request runs as a task of its own: a caller who goes away does not end it for the others.
#[derive(Clone, Debug)]
pub struct Cache {
    entries: Entries,
    ages: Ages,
    metrics: Arc<Metrics>,
}

type Entries = moka::future::Cache<Key, Arc<Entry>>;

/// Name of the backend, and what it is asked.
type Key = (Arc<str>, Question);

/// What is known of one question.
#[derive(Debug, Default)]
struct Entry {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    memory: Memory,
    /// The request that is under way.
    flight: Option<Flight>,
}

type Landed = Result<Arc<Answer>, Arc<Error>>;
type Flight = Shared<BoxFuture<'static, Landed>>;

/// The way to an answer.
enum Step {
    Settled(Result<Cached, Arc<Error>>, CacheOutcome),
    Join(Flight, CacheOutcome),
}

impl Cache {
    /// An empty cache.
    pub fn new(ages: Ages, metrics: Arc<Metrics>) -> Cache {
        let entries = moka::future::Cache::builder()
            .weigher(weight)
            .max_capacity(MOST_REMEMBERED_BYTES)
            .time_to_idle(FORGET_AFTER)
            .build();
        Cache {
            entries,
            ages,
            metrics,
        }
    }

    /// The answer to a question, from memory if it is fresh, else from the backend.
    ///
    /// Waits at most for the backend's timeout.
    pub async fn answer(
        &self,
        backend: &impl Asked,
        question: &Question,
        now: Timestamp,
    ) -> Result<Cached, Arc<Error>> {
        let key = (Arc::clone(backend.name()), question.clone());
        let entry = self.entries.get_with(key, async { Arc::default() }).await;
        match self.step(&entry, backend, question, now) {
            Step::Settled(result, outcome) => {
                self.metrics.cache(outcome);
                result
            }
            Step::Join(flight, outcome) => {
                let joined = Instant::now();
                let landed = flight.await;
                // How old the last answer is counts when it is served, not when it was asked for.
                let now = later(now, joined.elapsed());
                let result = self.after_flight(&entry, landed, now);
                let is_stale = matches!(
                    &result,
                    Ok(Cached {
                        freshness: Freshness::Stale { .. },
                        ..
                    })
                );
                self.metrics
                    .cache(if is_stale { CacheOutcome::Stale } else { outcome });
                result
            }
        }
    }

    fn step(&self, entry: &Arc<Entry>, backend: &impl Asked, question: &Question, now: Timestamp) -> Step {
        let mut state = entry.lock();
        match state.memory.recall(now, &self.ages) {
            Recall::Fresh(answer) => Step::Settled(
                Ok(Cached {
                    answer,
                    freshness: Freshness::Fresh,
                    hit: true,
                }),
                CacheOutcome::Hit,
            ),
            Recall::HeldFailure(error) => match self.stale(&state.memory, &error, now) {
                Some(cached) => Step::Settled(Ok(Cached { hit: true, ..cached }), CacheOutcome::Stale),
                None => Step::Settled(Err(error), CacheOutcome::HeldFailure),
            },
            Recall::Nothing => match &state.flight {
                Some(flight) => Step::Join(flight.clone(), CacheOutcome::Hit),
                None => {
                    let flight = self.take_off(entry, backend.clone(), question.clone(), now);
                    state.flight = Some(flight.clone());
                    Step::Join(flight, CacheOutcome::Miss)
                }
            },
        }
    }

    /// Starts the request.
    fn take_off(
        &self,
        entry: &Arc<Entry>,
        backend: impl Asked,
        question: Question,
        now: Timestamp,
    ) -> Flight {
        let at = self.ages.evaluation_time(now);
        let landing = Landing(Arc::clone(entry));
        let entries = self.entries.clone();
        let asking = tokio::spawn(async move {
            let started = Instant::now();
            let result = backend
                .instant(&question, at)
                .await
                .map(Arc::new)
                .map_err(Arc::new);
            // A failure holds from when it came: after a timeout the backend deserves the whole pause.
            landing
                .0
                .lock()
                .memory
                .keep(&result, later(now, started.elapsed()));
            let entry = Arc::clone(&landing.0);
            drop(landing);
            match &result {
                // Weighed when it is put in, and only now is it known how much it is.
                Ok(_) => {
                    entries
                        .insert((Arc::clone(backend.name()), question), entry)
                        .await
                }
                Err(error) => warn(&backend, &question, error),
            }
            result
        });
        let joined = async {
            asking
                .await
                .unwrap_or_else(|stopped| Err(Arc::new(Error::Unreachable(stopped.into()))))
        };
        joined.boxed().shared()
    }

    fn after_flight(&self, entry: &Entry, landed: Landed, now: Timestamp) -> Result<Cached, Arc<Error>> {
        match landed {
            Ok(answer) => Ok(Cached {
                answer,
                freshness: Freshness::Fresh,
                hit: false,
            }),
            Err(error) => self.stale(&entry.lock().memory, &error, now).ok_or(error),
        }
    }

    fn stale(&self, memory: &Memory, because: &Arc<Error>, now: Timestamp) -> Option<Cached> {
        let answer = memory.stale(now, &self.ages)?;
        Some(Cached {
            answer,
            freshness: Freshness::Stale {
                because: Arc::clone(because),
            },
            hit: false,
        })
    }
}

impl Entry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    now.checked_add(by).unwrap_or(now)
}

/// The one place where it is logged why a backend did not answer: callers are not told addresses and foreign words.
fn warn(backend: &impl Asked, question: &Question, error: &Error) {
    let name = backend.name();
    let query = question.logged();
    let cause = chain(error);
    match error {
        // As it has to be after a start, for every question.
        Error::TooYoung { .. } => tracing::debug!(backend = %name, query, "backend {name}: not yet: {cause}"),
        _ => tracing::warn!(backend = %name, query, error = cause, "backend {name}: a query failed"),
    }
}

/// Bytes that a question and its answer take, roughly.
fn weight(key: &Key, entry: &Arc<Entry>) -> u32 {
    let answer = entry.lock().memory.size_bytes();
    u32::try_from(QUESTION_BYTES + key.1.query.len() + answer).unwrap_or(u32::MAX)
}

/// Ends the flight when its task ends, in whichever way, so that the next caller can start another.
struct Landing(Arc<Entry>);

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.lock().flight = None;
    }
}

//! One question that is asked again and again. Pure: time comes in.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::kept::Kept;
use crate::model::{ObjectChoice, Timestamp};
use crate::prometheus::{Ages, Error};

/// How long a question is asked alone after it was found that it should not be asked with others.
const NARROW_FOR: Duration = Duration::from_secs(10 * 60);

/// So many rows of a wide answer may come for each object that is asked for.
const FAIR_ROWS: usize = 10;

/// So few rows are never too many.
const FEW_ROWS: usize = 200;

/// Choices of objects that are remembered of one question. A caller may make them up.
const MOST_CHOICES: usize = 256;

/// What is known of one question.
#[derive(Debug)]
pub(super) struct Slot {
    choices: HashMap<ObjectChoice, Chosen>,
    pub(super) kept: Option<Arc<Kept>>,
    /// When the last answer to a request was evaluated, or is being.
    answered_at: Timestamp,
    failure: Option<(Timestamp, Arc<Error>)>,
    narrow_since: Option<Timestamp>,
    pub(super) is_asked: bool,
}

/// The objects that a choice came to.
#[derive(Debug)]
struct Chosen {
    names: Vec<String>,
    last: Timestamp,
}

impl Slot {
    /// A question that is asked for the first time, with an answer of that time.
    pub(super) fn new(evaluated_at: Timestamp) -> Slot {
        Slot {
            choices: HashMap::new(),
            kept: None,
            answered_at: evaluated_at,
            failure: None,
            narrow_since: None,
            is_asked: false,
        }
    }

    /// Some objects are asked for. `names` are sorted.
    pub(super) fn choose(
        &mut self,
        choice: &ObjectChoice,
        names: &[String],
        memory: Duration,
        now: Timestamp,
    ) {
        if let Some(chosen) = self.choices.get_mut(choice) {
            chosen.last = now;
            if chosen.names != names {
                chosen.names = names.to_vec();
            }
            return;
        }
        if self.choices.len() >= MOST_CHOICES {
            self.choices
                .retain(|_, chosen| is_within(memory, chosen.last, now));
        }
        if self.choices.len() < MOST_CHOICES {
            let names = names.to_vec();
            self.choices.insert(choice.clone(), Chosen { names, last: now });
        }
    }

    /// The objects that were asked for lately, sorted.
    pub(super) fn names(&self, memory: Duration, now: Timestamp) -> Vec<String> {
        let lately = self
            .choices
            .values()
            .filter(|chosen| is_within(memory, chosen.last, now));
        let names: BTreeSet<&String> = lately.flat_map(|chosen| &chosen.names).collect();
        names.into_iter().cloned().collect()
    }

    /// The kept answer while it is fresh; with the failure, if it stands in after one.
    pub(super) fn recall(&self, ages: &Ages, now: Timestamp) -> Option<(&Arc<Kept>, Option<&Arc<Error>>)> {
        let kept = self.kept.as_ref()?;
        if ages.is_fresh(kept.evaluated_at(), now) {
            return Some((kept, None));
        }
        let (at, error) = self.failure.as_ref()?;
        let stands_in = ages.is_held(*at, now) && ages.may_stand_in(kept.evaluated_at(), now);
        stands_in.then_some((kept, Some(error)))
    }

    /// A request is answered by a question of its own.
    pub(super) fn is_answered(&mut self, ages: &Ages, now: Timestamp) {
        // A younger answer is in the result cache.
        if !ages.is_fresh(self.answered_at, now) {
            self.answered_at = ages.evaluation_time(now);
        }
    }

    /// When it is to be asked again. `after` is the age at which an answer is refreshed.
    pub(super) fn due(&self, ages: &Ages, after: Duration) -> Timestamp {
        let (from, wait) = match &self.failure {
            // Not at once again, where failures are not held.
            Some((at, _)) => (*at, ages.failure_hold.max(after / 4)),
            None => (self.evaluated_at(), after),
        };
        from.checked_add(wait).unwrap_or(from)
    }

    /// The evaluation time of its latest answer.
    pub(super) fn evaluated_at(&self) -> Timestamp {
        let kept = self.kept.as_ref().map(|kept| kept.evaluated_at());
        kept.map_or(self.answered_at, |kept| kept.max(self.answered_at))
    }

    /// Whether a new answer would be of a later time than the last.
    pub(super) fn can_be_newer(&self, ages: &Ages, now: Timestamp) -> bool {
        ages.evaluation_time(now) > self.evaluated_at()
    }

    /// Whether it is asked alone for now, though it could be asked with others.
    pub(super) fn is_narrow(&self, now: Timestamp) -> bool {
        self.narrow_since
            .is_some_and(|since| is_within(NARROW_FOR, since, now))
    }

    /// From now on it is asked alone.
    pub(super) fn narrow(&mut self, now: Timestamp) {
        self.narrow_since = Some(now);
    }

    /// An answer came, or none that could be kept.
    pub(super) fn answered(&mut self, kept: Option<Arc<Kept>>, evaluated_at: Timestamp) {
        self.kept = kept;
        self.answered_at = evaluated_at;
        self.failure = None;
    }

    /// No answer came.
    pub(super) fn failed(&mut self, error: &Arc<Error>, now: Timestamp) {
        self.failure = Some((now, Arc::clone(error)));
    }

    /// Whether a wide answer has more rows of it than is right for the objects that are asked for.
    pub(super) fn is_unfair(&self, rows: usize, memory: Duration, now: Timestamp) -> bool {
        // An external metric has no objects to choose from.
        !self.choices.is_empty() && rows > FEW_ROWS && rows > FAIR_ROWS * self.names(memory, now).len()
    }
}

fn is_within(limit: Duration, from: Timestamp, to: Timestamp) -> bool {
    to.duration_since(from).unsigned_abs() <= limit
}

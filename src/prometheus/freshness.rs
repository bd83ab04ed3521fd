//! How long an answer or a failure holds. Pure: time comes in.

use std::sync::Arc;
use std::time::Duration;

use super::{Answer, Error};
use crate::config::Settings;
use crate::model::{Timestamp, age};

/// How long answers and failures hold, and at which times queries are evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Ages {
    /// An answer is fresh while its evaluation time is less than this ago.
    pub fresh_for: Duration,
    /// After a failure the last answer is served while its evaluation time is less than this ago.
    pub serve_stale_for: Duration,
    /// A failure is shared while it is less than this ago; then the backend is asked again.
    pub failure_hold: Duration,
    /// Evaluation times are multiples of this, so that all replicas ask the same. 0 turns it off.
    pub evaluation_grid: Duration,
}

impl From<&Settings> for Ages {
    fn from(settings: &Settings) -> Ages {
        Ages {
            fresh_for: settings.fresh_for,
            serve_stale_for: settings.serve_stale_for,
            failure_hold: settings.failure_hold,
            evaluation_grid: settings.evaluation_grid,
        }
    }
}

impl Ages {
    /// Whether an answer evaluated then is young enough to be served without asking.
    pub(crate) fn is_fresh(&self, evaluated_at: Timestamp, now: Timestamp) -> bool {
        age(evaluated_at, now) < self.fresh_for
    }

    /// Whether an answer evaluated then may be served after a failure.
    pub(crate) fn may_stand_in(&self, evaluated_at: Timestamp, now: Timestamp) -> bool {
        age(evaluated_at, now) < self.serve_stale_for
    }

    /// Whether a failure that came then is still shared.
    pub(crate) fn is_held(&self, failed_at: Timestamp, now: Timestamp) -> bool {
        age(failed_at, now) < self.failure_hold
    }

    /// The time on the grid at or before this one.
    pub(crate) fn evaluation_time(&self, now: Timestamp) -> Timestamp {
        let grid = i64::try_from(self.evaluation_grid.as_millis()).unwrap_or(i64::MAX);
        let milliseconds = now.as_millisecond();
        let floored = if grid == 0 {
            milliseconds
        } else {
            milliseconds - milliseconds.rem_euclid(grid)
        };
        Timestamp::from_millisecond(floored).unwrap_or(now)
    }
}

/// An answer, and how good it still is.
#[derive(Clone, Debug)]
pub struct Cached {
    /// The answer; its age is that of its evaluation time.
    pub answer: Arc<Answer>,
    /// Whether it is the last good one after a failure.
    pub freshness: Freshness,
    /// Whether it was at hand, without waiting for the backend.
    pub hit: bool,
}

/// How good an answer still is.
#[derive(Clone, Debug)]
pub enum Freshness {
    /// Young enough, or asked for just now.
    Fresh,
    /// Too old, but the backend failed.
    Stale {
        /// The failure.
        because: Arc<Error>,
    },
}

/// What is remembered of one question.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    answer: Option<Arc<Answer>>,
    /// The failure since that answer, and when it came.
    failure: Option<(Timestamp, Arc<Error>)>,
}

/// What a memory says about a question now.
#[derive(Debug)]
pub(crate) enum Recall {
    /// The answer is fresh.
    Fresh(Arc<Answer>),
    /// The backend failed a moment ago and is left alone.
    HeldFailure(Arc<Error>),
    /// The backend is to be asked.
    Nothing,
}

impl Memory {
    /// Whether the question can be settled without the backend.
    pub(crate) fn recall(&self, now: Timestamp, ages: &Ages) -> Recall {
        if let Some(answer) = self.younger_than(ages.fresh_for, now) {
            return Recall::Fresh(answer);
        }
        match &self.failure {
            Some((at, error)) if age(*at, now) < ages.failure_hold => Recall::HeldFailure(Arc::clone(error)),
            _ => Recall::Nothing,
        }
    }

    /// The last answer, if it may stand in after a failure.
    pub(crate) fn stale(&self, now: Timestamp, ages: &Ages) -> Option<Arc<Answer>> {
        self.younger_than(ages.serve_stale_for, now)
    }

    /// Keeps what came of asking.
    pub(crate) fn keep(&mut self, result: &Result<Arc<Answer>, Arc<Error>>, at: Timestamp) {
        match result {
            Ok(answer) => {
                *self = Memory {
                    answer: Some(Arc::clone(answer)),
                    failure: None,
                }
            }
            Err(error) => self.failure = Some((at, Arc::clone(error))),
        }
    }

    /// Bytes that the answer takes, roughly.
    pub(crate) fn size_bytes(&self) -> usize {
        self.answer.as_ref().map_or(0, |answer| answer.size_bytes())
    }

    fn younger_than(&self, limit: Duration, now: Timestamp) -> Option<Arc<Answer>> {
        self.answer
            .clone()
            .filter(|answer| age(answer.evaluated_at, now) < limit)
    }
}

#[cfg(test)]
impl Ages {
    /// For tests.
    pub(crate) const EXAMPLE: Ages = Ages {
        fresh_for: Duration::from_secs(10),
        serve_stale_for: Duration::from_secs(15),
        failure_hold: Duration::from_secs(5),
        evaluation_grid: Duration::from_secs(5),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::Shape;

    const AGES: Ages = Ages::EXAMPLE;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
    }

    fn answer(evaluated_at: Timestamp) -> Result<Arc<Answer>, Arc<Error>> {
        Ok(Arc::new(Answer {
            samples: Vec::new(),
            shape: Shape::Vector,
            evaluated_at,
            warnings: Vec::new(),
        }))
    }

    fn failure() -> Result<Arc<Answer>, Arc<Error>> {
        Err(Arc::new(Error::malformed("it is for a test")))
    }

    /// What a memory says some milliseconds after the start.
    fn check(memory: &Memory, milliseconds: i64) -> &'static str {
        let now = at(milliseconds);
        match (memory.recall(now, &AGES), memory.stale(now, &AGES)) {
            (Recall::Fresh(_), _) => "fresh",
            (Recall::HeldFailure(_), Some(_)) => "held, stale",
            (Recall::HeldFailure(_), None) => "held",
            (Recall::Nothing, Some(_)) => "ask, else stale",
            (Recall::Nothing, None) => "ask",
        }
    }

    #[test]
    fn answer_is_fresh_then_stale_then_gone_by_the_age_of_its_evaluation() {
        let mut memory = Memory::default();
        assert_eq!(check(&memory, 0), "ask");
        memory.keep(&answer(at(0)), at(4_000));
        assert_eq!(check(&memory, 9_999), "fresh");
        assert_eq!(check(&memory, 10_000), "ask, else stale");
        assert_eq!(check(&memory, 14_999), "ask, else stale");
        assert_eq!(check(&memory, 15_000), "ask");
    }

    #[test]
    fn failure_is_held_and_then_the_backend_is_asked_again() {
        let mut memory = Memory::default();
        memory.keep(&answer(at(0)), at(0));
        memory.keep(&failure(), at(11_000));
        assert_eq!(check(&memory, 11_000), "held, stale");
        assert_eq!(check(&memory, 15_000), "held");
        assert_eq!(check(&memory, 15_999), "held");
        assert_eq!(check(&memory, 16_000), "ask");
    }

    #[test]
    fn answer_ends_a_failure() {
        let mut memory = Memory::default();
        memory.keep(&failure(), at(0));
        memory.keep(&answer(at(5_000)), at(5_000));
        assert_eq!(check(&memory, 5_000), "fresh");
        assert_eq!(check(&memory, 15_000), "ask, else stale");
    }

    #[test]
    fn zero_turns_stale_answers_off() {
        let mut memory = Memory::default();
        memory.keep(&answer(at(0)), at(0));
        let ages = Ages {
            serve_stale_for: Duration::ZERO,
            ..AGES
        };
        assert!(memory.stale(at(0), &ages).is_none());
    }

    #[test]
    fn answer_of_the_future_is_as_old_as_one_of_the_past() {
        let mut memory = Memory::default();
        memory.keep(&answer(at(0)), at(0));
        assert_eq!(check(&memory, -1), "fresh");
        assert_eq!(check(&memory, -10_000), "ask, else stale");
        assert_eq!(check(&memory, -3_600_000), "ask");
    }

    #[test]
    fn failure_of_the_future_is_not_held_until_the_clock_has_caught_up() {
        let mut memory = Memory::default();
        memory.keep(&failure(), at(0));
        assert_eq!(check(&memory, -4_999), "held");
        assert_eq!(check(&memory, -3_600_000), "ask");
    }

    #[test]
    fn evaluation_time_is_on_the_grid_at_or_before_now() {
        assert_eq!(AGES.evaluation_time(at(0)), at(0));
        assert_eq!(AGES.evaluation_time(at(4_999)), at(0));
        assert_eq!(AGES.evaluation_time(at(5_000)), at(5_000));
        let no_grid = Ages {
            evaluation_grid: Duration::ZERO,
            ..AGES
        };
        assert_eq!(no_grid.evaluation_time(at(4_999)), at(4_999));
    }
}

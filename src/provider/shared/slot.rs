//! One question that is asked again and again. Pure: time comes in.

use std::sync::Arc;
use std::time::Duration;

use super::choices::Choices;
use super::kept::Kept;
use super::rhythm::Rhythm;
use crate::model::{ObjectChoice, ObjectNames, Timestamp, age};
use crate::prometheus::{Ages, Error};

/// How long a question is asked alone after it was found that it should not be asked with others.
pub(super) const NARROW_FOR: Duration = Duration::from_secs(10 * 60);

/// So many rows of a wide answer may come for each object that is asked for.
const FAIR_ROWS: usize = 10;

/// So few rows are never too many.
const FEW_ROWS: usize = 200;

/// So many failures in a row of a wide question that narrow ones may be spared end it for a while.
const MOST_FAILURES: u8 = 3;

/// What a failure is put down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The wide question: a narrow one may well succeed.
    Question,
    /// The wide question or the backend: narrow ones are tried when it goes on.
    Either,
    /// The backend, or a question that cannot be narrower.
    Backend,
}

/// What is known of one question.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) choices: Choices,
    pub(super) kept: Option<Arc<Kept>>,
    /// When the last answer to a request was evaluated, or is being.
    answered_at: Timestamp,
    failure: Option<(Timestamp, Arc<Error>)>,
    /// In a row.
    failures_of_either: u8,
    narrow_since: Option<Timestamp>,
    pub(super) is_asked: bool,
}

impl Slot {
    /// A question that is asked for the first time, with an answer of that time.
    pub(super) fn new(evaluated_at: Timestamp) -> Slot {
        Slot {
            choices: Choices::default(),
            kept: None,
            answered_at: evaluated_at,
            failure: None,
            failures_of_either: 0,
            narrow_since: None,
            is_asked: false,
        }
    }

    /// Takes note of the objects that are asked for, and says when they were the time before.
    pub(super) fn choose(
        &mut self,
        is_wide: bool,
        choice: &ObjectChoice,
        names: &ObjectNames,
        memory: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let names_are_wanted = !is_wide || self.is_narrow(now);
        self.choices.add(choice, names, names_are_wanted, memory, now)
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

    /// When it is to be asked again.
    pub(super) fn due(&self, ages: &Ages, rhythm: &Rhythm) -> Timestamp {
        match &self.failure {
            Some((at, _)) => {
                // Not at once again, where failures are not held.
                let wait = ages.failure_hold.max(rhythm.period() / 4);
                at.checked_add(wait).unwrap_or(*at)
            }
            None => rhythm.after(self.evaluated_at()),
        }
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

    /// Whether an answer of this time is as good as what is kept.
    pub(super) fn takes(&self, evaluated_at: Timestamp) -> bool {
        let kept = self.kept.as_ref();
        kept.is_none_or(|kept| kept.evaluated_at() <= evaluated_at)
    }

    /// Whether it is asked alone for now, though it could be asked with others.
    pub(super) fn is_narrow(&self, now: Timestamp) -> bool {
        self.narrow_since
            .is_some_and(|since| age(since, now) <= NARROW_FOR)
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
        self.failures_of_either = 0;
    }

    /// No answer came.
    pub(super) fn failed(&mut self, error: &Arc<Error>, blame: Blame, now: Timestamp) {
        if blame == Blame::Either {
            self.failures_of_either += 1;
        }
        if blame == Blame::Question || self.failures_of_either >= MOST_FAILURES {
            self.failures_of_either = 0;
            return self.narrow(now);
        }
        self.failure = Some((now, Arc::clone(error)));
    }

    /// Whether a wide answer has more rows of it than is right for the objects that are asked for.
    pub(super) fn is_unfair(&self, rows: usize, memory: Duration, now: Timestamp) -> bool {
        // An external metric has no objects to choose from.
        let asked = self.choices.count(memory, now);
        asked.is_some_and(|asked| rows > FEW_ROWS && rows > FAIR_ROWS * asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::{Answer, Shape};

    const AGES: Ages = Ages::EXAMPLE;
    const MEMORY: Duration = Duration::from_secs(30);

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + at).unwrap()
    }

    fn kept(at: i64) -> Option<Arc<Kept>> {
        let answer = Answer {
            samples: Vec::new(),
            shape: Shape::Vector,
            evaluated_at: second(at),
            warnings: Vec::new(),
        };
        Some(Arc::new(Kept::asked(Arc::new(answer))))
    }

    fn failure() -> Arc<Error> {
        Arc::new(Error::malformed("it is for a test"))
    }

    fn check(slot: &Slot, at: i64) -> &'static str {
        match slot.recall(&AGES, second(at)) {
            Some((_, None)) => "fresh",
            Some((_, Some(_))) => "stands in",
            None => "nothing",
        }
    }

    fn choose(slot: &mut Slot, count: usize) {
        let names: ObjectNames = (0..count).map(|number| number.to_string()).collect();
        let choice = ObjectChoice::Named("all".to_owned());
        slot.choices.add(&choice, &names, false, MEMORY, second(0));
    }

    #[test]
    fn kept_answer_is_fresh_and_stands_in_only_after_a_failure() {
        let mut slot = Slot::new(second(0));
        assert_eq!(check(&slot, 0), "nothing");
        slot.answered(kept(0), second(0));
        assert_eq!(check(&slot, 9), "fresh");
        assert_eq!(check(&slot, 10), "nothing");
        slot.failed(&failure(), Blame::Backend, second(8));
        assert_eq!(check(&slot, 9), "fresh");
        assert_eq!(check(&slot, 12), "stands in");
        assert_eq!(check(&slot, 13), "nothing", "the failure is no longer held");
        slot.failed(&failure(), Blame::Backend, second(13));
        assert_eq!(check(&slot, 15), "nothing", "the answer is too old");
    }

    #[test]
    fn question_is_due_before_its_answer_is_stale_and_after_the_hold_of_a_failure() {
        let rhythm = Rhythm::new(&AGES, 0.0, 0.0).unwrap();
        let mut slot = Slot::new(second(0));
        assert_eq!(slot.due(&AGES, &rhythm), second(5));
        slot.answered(kept(5), second(5));
        assert_eq!(slot.due(&AGES, &rhythm), second(10));
        assert!(!slot.can_be_newer(&AGES, second(9)));
        assert!(slot.can_be_newer(&AGES, second(10)));
        slot.failed(&failure(), Blame::Backend, second(12));
        assert_eq!(slot.due(&AGES, &rhythm), second(17));
    }

    #[test]
    fn request_that_asks_for_itself_puts_the_refresh_off_only_if_its_answer_is_new() {
        let mut slot = Slot::new(second(0));
        slot.is_answered(&AGES, second(9));
        assert_eq!(slot.evaluated_at(), second(0), "that was the answer of before");
        slot.is_answered(&AGES, second(16));
        assert_eq!(slot.evaluated_at(), AGES.evaluation_time(second(16)));
    }

    #[test]
    fn question_at_fault_is_narrow_at_once_and_a_slow_one_when_it_goes_on() {
        let mut slot = Slot::new(second(0));
        slot.failed(&failure(), Blame::Question, second(0));
        assert!(slot.is_narrow(second(600)) && !slot.is_narrow(second(601)));
        let mut slot = Slot::new(second(0));
        for at in [0, 5] {
            slot.failed(&failure(), Blame::Either, second(at));
            slot.failed(&failure(), Blame::Backend, second(at));
            assert!(!slot.is_narrow(second(at)));
        }
        slot.failed(&failure(), Blame::Either, second(10));
        assert!(slot.is_narrow(second(10)));
    }

    #[test]
    fn rows_are_a_fair_part_of_what_is_asked_for_or_few() {
        let mut slot = Slot::new(second(0));
        choose(&mut slot, 30);
        let is_unfair = |rows| slot.is_unfair(rows, MEMORY, second(0));
        assert!(!is_unfair(300) && is_unfair(301));
        let mut slot = Slot::new(second(0));
        choose(&mut slot, 1);
        assert!(!slot.is_unfair(FEW_ROWS, MEMORY, second(0)));
        let external = Slot::new(second(0));
        assert!(
            !external.is_unfair(1000, MEMORY, second(0)),
            "no objects to choose from"
        );
    }
}

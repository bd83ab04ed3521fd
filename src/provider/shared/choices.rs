//! Which objects one question is asked for. Pure: time comes in.

use std::time::Duration;

use crate::model::{ObjectChoice, ObjectNames, QuickMap, Timestamp, age};

/// Choices that are remembered of one question. A caller may make them up.
const MOST_CHOICES: usize = 256;

/// Names of objects that are remembered of one question. The query with more of them would be too long for a backend.
const MOST_NAMES: usize = 1000;

/// The objects that one question was asked for lately.
#[derive(Debug, Default)]
pub(super) struct Choices(QuickMap<ObjectChoice, Chosen>);

/// What a choice came to.
#[derive(Debug)]
struct Chosen {
    count: usize,
    /// `None` if they were not wanted, or too many.
    names: Option<ObjectNames>,
    last: Timestamp,
}

impl Choices {
    /// Some objects are asked for. Their names are kept only if they are wanted.
    ///
    /// The answer is when they were asked for the time before.
    pub(super) fn add(
        &mut self,
        choice: &ObjectChoice,
        names: &ObjectNames,
        are_wanted: bool,
        memory: Duration,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut before = None;
        if let Some(chosen) = self.0.get_mut(choice) {
            before = Some(chosen.last);
            (chosen.count, chosen.last) = (names.len(), now);
            let is_known = chosen.names.as_ref() == Some(names);
            if is_known && are_wanted || chosen.names.is_none() && !are_wanted {
                return before;
            }
            chosen.names = None;
        } else {
            if self.0.len() >= MOST_CHOICES {
                self.0.retain(|_, chosen| age(chosen.last, now) <= memory);
            }
            if self.0.len() >= MOST_CHOICES {
                return None;
            }
            let chosen = Chosen {
                count: names.len(),
                names: None,
                last: now,
            };
            self.0.insert(choice.clone(), chosen);
        }
        let remembered: usize = self
            .0
            .values()
            .flat_map(|chosen| &chosen.names)
            .map(|names| names.len())
            .sum();
        if are_wanted
            && remembered + names.len() <= MOST_NAMES
            && let Some(chosen) = self.0.get_mut(choice)
        {
            chosen.names = Some(names.clone());
        }
        before
    }

    /// The names of all objects that were asked for lately; `None` if some are not known.
    pub(super) fn names(&self, memory: Duration, now: Timestamp) -> Option<ObjectNames> {
        let names = self.lately(memory, now).map(|chosen| chosen.names.as_ref());
        let names: Vec<&ObjectNames> = names.collect::<Option<_>>()?;
        Some(
            names
                .into_iter()
                .flat_map(|names| names.iter())
                .cloned()
                .collect(),
        )
    }

    /// How many objects were asked for lately, those of several choices more than once; `None` without any choice.
    pub(super) fn count(&self, memory: Duration, now: Timestamp) -> Option<usize> {
        let count = self.lately(memory, now).map(|chosen| chosen.count).sum();
        (!self.0.is_empty()).then_some(count)
    }

    fn lately(&self, memory: Duration, now: Timestamp) -> impl Iterator<Item = &Chosen> {
        let chosen = self.0.values();
        chosen.filter(move |chosen| age(chosen.last, now) <= memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Duration = Duration::from_secs(30);

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(at).unwrap()
    }

    fn names(prefix: &str, count: usize) -> ObjectNames {
        (0..count).map(|number| format!("{prefix}{number}")).collect()
    }

    fn add(choices: &mut Choices, choice: &str, names: &ObjectNames, are_wanted: bool, at: i64) {
        let choice = ObjectChoice::Named(choice.to_owned());
        choices.add(&choice, names, are_wanted, MEMORY, second(at));
    }

    #[test]
    fn objects_asked_for_lately_are_put_together() {
        let mut choices = Choices::default();
        add(&mut choices, "old", &names("z", 1), true, 0);
        add(&mut choices, "one", &names("b", 2), true, 20);
        add(&mut choices, "other", &names("a", 1), true, 20);
        add(&mut choices, "one", &names("b", 1), true, 31);
        let known = choices.names(MEMORY, second(31));
        assert_eq!(known, Some(ObjectNames::from_iter(["a0", "b0"])));
        assert_eq!(choices.count(MEMORY, second(31)), Some(2));
    }

    #[test]
    fn names_are_kept_from_when_they_are_wanted() {
        let mut choices = Choices::default();
        add(&mut choices, "one", &names("a", 1), false, 0);
        assert_eq!(choices.names(MEMORY, second(0)), None);
        add(&mut choices, "one", &names("a", 1), true, 1);
        assert_eq!(choices.names(MEMORY, second(1)), Some(names("a", 1)));
        add(&mut choices, "one", &names("a", 1), false, 2);
        assert_eq!(choices.names(MEMORY, second(2)), None);
    }

    #[test]
    fn more_names_than_a_query_takes_are_counted_only() {
        let mut choices = Choices::default();
        add(&mut choices, "one", &names("a", MOST_NAMES), true, 0);
        add(&mut choices, "one", &names("b", MOST_NAMES), true, 1);
        assert_eq!(choices.names(MEMORY, second(1)), Some(names("b", MOST_NAMES)));
        add(&mut choices, "other", &names("c", 1), true, 1);
        assert_eq!(choices.names(MEMORY, second(1)), None);
        assert_eq!(choices.count(MEMORY, second(1)), Some(MOST_NAMES + 1));
    }

    #[test]
    fn choices_that_a_caller_makes_up_are_not_remembered_without_end() {
        let mut choices = Choices::default();
        for number in 0..1000 {
            add(&mut choices, &number.to_string(), &names("a", 1), true, 0);
        }
        assert_eq!(choices.0.len(), MOST_CHOICES);
        add(&mut choices, "later", &names("b", 1), true, 31);
        assert_eq!(choices.names(MEMORY, second(31)), Some(names("b", 1)));
    }
}

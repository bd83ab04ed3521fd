//! Which questions are asked next.

use std::sync::Arc;

use super::overview::Overview;
use super::slot::Slot;
use super::topic::{Key, Topic};
use super::{Members, Shared, State};
use crate::model::{ObjectNames, Timestamp};

/// Names of namespaces in one question, in bytes. VictoriaMetrics takes queries of 16 KiB, and a query may name them
/// more than once.
const MOST_NAMES_BYTES: usize = 4 << 10;

/// Rows that one wide question is expected to bring, by what it brought before.
pub(super) const MOST_ROWS: usize = 50_000;

/// A question that is to be asked.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) topic: Topic,
    pub(super) keys: Vec<Arc<Key>>,
    pub(super) form: Form,
}

/// How it is asked.
#[derive(Debug)]
pub(super) enum Form {
    /// About all objects of the namespaces of all keys.
    Wide,
    /// About all objects of all namespaces; the keys are those that are due.
    All,
    /// About these objects in the namespace of the one key, if they are known.
    Narrow {
        names: Option<ObjectNames>,
        /// Whether the answer can be taken apart.
        is_wide: bool,
    },
}

impl Shared {
    /// The questions to a backend that are due. They count as asked until [`Shared::landed`].
    pub(super) fn take_due(&self, backend: &str, now: Timestamp) -> Vec<Job> {
        let mut state = self.lock();
        let state = &mut *state;
        for dropped in state.slots.forget(now) {
            state.dropped(dropped);
        }
        self.forget_overviews(state, now);
        let mut jobs = take_hurried(state, backend);
        for members in state.families.values_mut() {
            let is_due = members.due.is_some_and(|due| due <= now);
            if !is_due || members.topic.rule().backend != backend {
                continue;
            }
            members.due = None;
            let overview = state.overviews.get_mut(&members.family);
            jobs.extend(self.take_due_of(members, &mut state.slots, overview, now));
        }
        self.metrics.kept_fresh(state.kept);
        jobs
    }

    fn take_due_of(
        &self,
        members: &mut Members,
        slots: &mut super::Demand<Key, super::Group, Slot>,
        overview: Option<&mut Overview>,
        now: Timestamp,
    ) -> Vec<Job> {
        let (mut wide, mut jobs) = (Chunks::default(), Vec::new());
        let mut keys: Vec<Arc<Key>> = members.keys.iter().cloned().collect();
        // The same namespaces make the same question, in all replicas.
        keys.sort_by(|one, other| one.namespace.cmp(&other.namespace));
        for key in keys {
            let Some(slot) = slots.wanted(&key, now).filter(|slot| !slot.is_asked) else {
                continue;
            };
            let due = slot.due(&self.ages, &members.rhythm);
            let is_wide = members.is_wide && !slot.is_narrow(now);
            // With one that is due all others are asked that can be newer, so that they go on being asked together.
            let is_taken = due <= now || is_wide && slot.can_be_newer(&self.ages, now);
            if !is_taken {
                members.due_at(due);
                continue;
            }
            slot.is_asked = true;
            if is_wide {
                let rows = slot.kept.as_ref().map_or(0, |kept| kept.answer.samples.len());
                wide.add(key, rows);
            } else {
                jobs.push(Job {
                    topic: members.topic.clone(),
                    form: Form::Narrow {
                        names: slot.choices.names(self.memory, now),
                        is_wide: members.is_wide,
                    },
                    keys: vec![key],
                });
            }
        }
        let overview = overview.filter(|overview| !wide.chunks.is_empty() && overview.is_refreshed(now));
        let wide = match overview {
            Some(overview) => {
                overview.ask();
                let keys = wide.chunks.into_iter().flat_map(|chunk| chunk.keys);
                vec![(Form::All, keys.collect())]
            }
            None => {
                let chunks = wide.chunks.into_iter();
                chunks.map(|chunk| (Form::Wide, chunk.keys)).collect()
            }
        };
        jobs.extend(wide.into_iter().map(|(form, keys)| Job {
            topic: members.topic.clone(),
            keys,
            form,
        }));
        jobs
    }

    fn forget_overviews(&self, state: &mut State, now: Timestamp) {
        let State {
            overviews,
            kept_bytes,
            ..
        } = state;
        overviews.retain(|_, overview| {
            *kept_bytes -= overview.let_go(&self.ages, now);
            !overview.is_over(now)
        });
    }
}

/// The questions that somebody waits for.
fn take_hurried(state: &mut State, backend: &str) -> Vec<Job> {
    let mut jobs = Vec::new();
    for family in std::mem::take(&mut state.hurried) {
        let Some(members) = state.families.get(&family) else {
            state.drop_overview(&family);
            continue;
        };
        if members.topic.rule().backend != backend {
            state.hurried.push(family);
            continue;
        }
        jobs.push(Job {
            topic: members.topic.clone(),
            keys: Vec::new(),
            form: Form::All,
        });
    }
    jobs
}

/// Keys in as few questions as they fit in.
#[derive(Debug, Default)]
struct Chunks {
    chunks: Vec<Chunk>,
}

#[derive(Debug, Default)]
struct Chunk {
    keys: Vec<Arc<Key>>,
    names_bytes: usize,
    rows: usize,
}

impl Chunks {
    fn add(&mut self, key: Arc<Key>, rows: usize) {
        let names_bytes = key.namespace.as_ref().map_or(0, |name| name.len() + 1);
        let fits = |chunk: &&mut Chunk| {
            chunk.names_bytes + names_bytes <= MOST_NAMES_BYTES && chunk.rows + rows <= MOST_ROWS
        };
        let chunk = match self.chunks.last_mut().filter(fits) {
            Some(chunk) => chunk,
            None => {
                self.chunks.push(Chunk::default());
                let last = self.chunks.len() - 1;
                &mut self.chunks[last]
            }
        };
        chunk.keys.push(key);
        chunk.names_bytes += names_bytes;
        chunk.rows += rows;
    }
}

#[cfg(test)]
mod tests {
    use super::super::topic::{Family, Known};
    use super::*;

    /// How many keys each question has.
    fn check(keys: &[(&str, usize)]) -> Vec<usize> {
        let mut chunks = Chunks::default();
        let family = Arc::new(Family::default());
        for (namespace, rows) in keys {
            let key = Key {
                family: Known(Arc::clone(&family)),
                namespace: Some((*namespace).to_owned()),
                exactly: None,
            };
            chunks.add(Arc::new(key), *rows);
        }
        chunks.chunks.iter().map(|chunk| chunk.keys.len()).collect()
    }

    #[test]
    fn namespaces_are_asked_about_in_as_few_questions_as_they_fit_in() {
        assert_eq!(check(&[("mail", 10), ("shop", 10)]), [2]);
        let long = "n".repeat(63);
        assert_eq!(check(&vec![(long.as_str(), 1); 65]), [64, 1]);
        assert_eq!(check(&[("mail", 30_000), ("shop", 30_000), ("a", 5)]), [1, 2]);
        assert_eq!(check(&[("huge", 90_000), ("shop", 1)]), [1, 1]);
    }
}

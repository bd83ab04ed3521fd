//! Which questions are asked next, and what becomes of their answers.

use std::collections::HashMap;
use std::sync::Arc;

use super::kept::Kept;
use super::slot::{Blame, Slot};
use super::topic::{Key, Topic};
use super::{Members, Shared, State};
use crate::model::Timestamp;
use crate::prometheus::{Answer, Error};
use crate::rules::WideQuery;

/// Names of namespaces in one question, in bytes. VictoriaMetrics takes queries of 16 KiB, and a query may name them
/// more than once.
const MOST_NAMES_BYTES: usize = 4 << 10;

/// Rows that one wide question is expected to bring, by what it brought before.
const MOST_ROWS: usize = 50_000;

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
    /// About these objects in the namespace of the one key, if they are known.
    Narrow {
        names: Option<Vec<String>>,
        /// Whether the answer can be taken apart.
        is_wide: bool,
    },
}

/// What an answer brought: by key, the part of it that is to be kept.
pub(super) type Brought = Vec<(Arc<Key>, Kept)>;

impl Shared {
    /// The questions to a backend that are due. They count as asked until [`Shared::landed`].
    pub(super) fn take_due(&self, backend: &str, now: Timestamp) -> Vec<Job> {
        let mut state = self.lock();
        let state = &mut *state;
        for dropped in state.slots.forget(now) {
            state.dropped(dropped);
        }
        let mut jobs = Vec::new();
        for members in state.families.values_mut() {
            let is_due = members.due.is_some_and(|due| due <= now);
            if !is_due || members.topic.rule().backend != backend {
                continue;
            }
            members.due = None;
            jobs.extend(self.take_due_of(members, &mut state.slots, now));
        }
        self.metrics.kept_fresh(state.kept);
        jobs
    }

    fn take_due_of(
        &self,
        members: &mut Members,
        slots: &mut super::Demand<Key, super::Group, Slot>,
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
            let due = slot.due(&self.ages, members.refresh_after);
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
        jobs.extend(wide.chunks.into_iter().map(|chunk| Job {
            topic: members.topic.clone(),
            keys: chunk.keys,
            form: Form::Wide,
        }));
        jobs
    }

    /// An answer came.
    pub(super) fn landed(&self, brought: Brought, is_wide: bool, now: Timestamp) {
        // What was kept before may be large, and is freed when nobody waits for it.
        let mut before = Vec::with_capacity(brought.len());
        let mut state = self.lock();
        for (key, kept) in brought {
            let replaced = state.keep(&key, kept, |slot, kept| {
                if is_wide && slot.is_unfair(kept.answer.samples.len(), self.memory, now) {
                    slot.narrow(now);
                }
            });
            before.push(replaced);
            self.is_due_again(&mut state, &key);
        }
    }

    /// No answer came.
    pub(super) fn failed(&self, keys: &[Arc<Key>], error: &Arc<Error>, blame: Blame, now: Timestamp) {
        let mut state = self.lock();
        for key in keys {
            let Some(slot) = state.slots.kept_mut(key) else {
                continue;
            };
            slot.is_asked = false;
            slot.failed(error, blame, now);
            self.is_due_again(&mut state, key);
        }
    }

    /// No such question can be asked: requests ask their own.
    pub(super) fn give_up(&self, keys: &[Arc<Key>]) {
        let mut state = self.lock();
        for key in keys {
            if let Some(dropped) = state.slots.remove(key) {
                state.dropped(dropped);
            }
        }
    }

    fn is_due_again(&self, state: &mut State, key: &Key) {
        let State { slots, families, .. } = state;
        if let (Some(slot), Some(members)) = (slots.kept_mut(key), families.get_mut(&key.family)) {
            members.due_at(slot.due(&self.ages, members.refresh_after));
        }
    }
}

impl State {
    /// Keeps an answer if there is room for it, and returns the one before.
    fn keep(&mut self, key: &Key, kept: Kept, judge: impl FnOnce(&mut Slot, &Kept)) -> Option<Arc<Kept>> {
        let slot = self.slots.kept_mut(key)?;
        slot.is_asked = false;
        judge(slot, &kept);
        let evaluated_at = kept.evaluated_at();
        let before = slot.kept.take();
        self.let_go(before.as_ref());
        let bytes = kept.size_bytes;
        let has_room = self.kept_bytes + bytes <= super::MOST_KEPT_BYTES;
        if has_room {
            self.kept += 1;
            self.kept_bytes += bytes;
        }
        if let Some(slot) = self.slots.kept_mut(key) {
            slot.answered(has_room.then(|| Arc::new(kept)), evaluated_at);
        }
        before
    }
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

/// The parts of an answer to a wide question, for the keys it was asked for.
pub(super) fn taken_apart(answer: Answer, wide: &WideQuery, keys: &[Arc<Key>]) -> Brought {
    let namespaces: Vec<String> = keys.iter().filter_map(|key| key.namespace.clone()).collect();
    let mut parts: HashMap<String, Kept> = super::kept::parts(answer, wide, &namespaces);
    let parts = keys.iter().filter_map(|key| {
        let part = parts.remove(key.namespace.as_deref().unwrap_or_default())?;
        Some((Arc::clone(key), part))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::super::topic::Family;
    use super::*;

    /// How many keys each question has.
    fn check(keys: &[(&str, usize)]) -> Vec<usize> {
        let mut chunks = Chunks::default();
        let family = Arc::new(Family::default());
        for (namespace, rows) in keys {
            let key = Key {
                family: Arc::clone(&family),
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

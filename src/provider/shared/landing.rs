//! What becomes of the answers to questions that were asked in the background, and of failures.

use std::collections::HashMap;
use std::sync::Arc;

use super::kept::{AllParts, Kept};
use super::overview::Overview;
use super::plan::{Form, Job};
use super::slot::{Blame, NARROW_FOR};
use super::topic::{Key, Topic};
use super::{Shared, State};
use crate::model::Timestamp;
use crate::prometheus::{Answer, Error};
use crate::rules::WideQuery;

/// What an answer brought: by key, the part of it that is to be kept.
pub(super) type Brought = Vec<(Arc<Key>, Kept)>;

impl Shared {
    /// An answer came.
    pub(super) fn landed(&self, brought: Brought, is_wide: bool, now: Timestamp) {
        // What was kept before may be large, and is freed when nobody waits for it.
        let mut before = Vec::with_capacity(brought.len());
        let mut state = self.lock();
        for (key, kept) in brought {
            if let Some(slot) = state.slots.kept_mut(&key) {
                slot.is_asked = false;
            }
            before.push(match is_wide {
                true => self.keep_wide(&mut state, &key, Arc::new(kept), now),
                false => state.keep(&key, Arc::new(kept)),
            });
            self.is_due_again(&mut state, &key);
        }
    }

    /// An answer about all namespaces came.
    pub(super) fn landed_all(&self, job: &Job, mut all: AllParts, now: Timestamp) {
        let mut before = Vec::new();
        let mut state = self.lock();
        let state = &mut *state;
        state.is_no_longer_asked(&job.keys);
        let family = job.topic.family();
        let members = state.families.get(&family);
        let members = members.filter(|members| members.topic.is_of_rule_of(&job.topic));
        let Some(keys) = members.map(|members| members.keys.clone()) else {
            // Another rule stands in its place, or nobody asks any more.
            state.drop_overview(&family);
            return;
        };
        let nothing = Arc::new(all.nothing.clone());
        let mut taken = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(namespace) = key.namespace.clone() else {
                continue;
            };
            let part = all.parts.remove(&namespace);
            let part = part.map_or_else(|| Arc::clone(&nothing), Arc::new);
            taken.push(namespace);
            let slot = state.slots.kept_mut(&key);
            if slot.is_some_and(|slot| !slot.is_asked && slot.takes(part.evaluated_at())) {
                before.push(self.keep_wide(state, &key, part, now));
            }
            self.is_due_again(state, &key);
        }
        state.kept_bytes -= state.overviews.get(&family).map_or(0, Overview::size_bytes);
        let room_bytes = super::MOST_KEPT_BYTES.saturating_sub(state.kept_bytes);
        if let Some(overview) = state.overviews.get_mut(&family) {
            overview.landed(all, taken, room_bytes, now);
            state.kept_bytes += overview.size_bytes();
        }
    }

    /// No answer came.
    pub(super) fn failed(&self, job: &Job, error: &Arc<Error>, blame: Blame, now: Timestamp) {
        let mut state = self.lock();
        let state = &mut *state;
        state.is_no_longer_asked(&job.keys);
        let is_all = matches!(job.form, Form::All);
        if is_all {
            self.overview_failed(state, &job.topic, blame, now);
        }
        for key in &job.keys {
            if let Some(slot) = state.slots.kept_mut(key)
                // After one about all namespaces, one about those that are asked for may well succeed, and is due.
                && (!is_all || blame == Blame::Backend)
            {
                slot.failed(error, blame, now);
            }
            self.is_due_again(state, key);
        }
    }

    fn overview_failed(&self, state: &mut State, topic: &Topic, blame: Blame, now: Timestamp) {
        let wait = match blame {
            Blame::Question | Blame::Either => NARROW_FOR,
            Blame::Backend => self.ages.failure_hold,
        };
        if let Some(overview) = state.overviews.get_mut(&topic.family()) {
            overview.failed(wait, now);
        }
    }

    /// Keeps the part of a wide answer, and has its namespace asked about alone if few of the rows are asked for.
    pub(super) fn keep_wide(
        &self,
        state: &mut State,
        key: &Key,
        part: Arc<Kept>,
        now: Timestamp,
    ) -> Option<Arc<Kept>> {
        let rows = part.answer.samples.len();
        let slot = state.slots.kept_mut(key)?;
        if slot.is_unfair(rows, self.memory, now) {
            slot.narrow(now);
        }
        if rows > 0 {
            state.slots.want(key);
        }
        if let Some(members) = state.families.get_mut(&*key.family) {
            members.wide_at = Some(now);
        }
        state.keep(key, part)
    }

    /// No such question can be asked: requests ask their own.
    pub(super) fn give_up(&self, job: &Job, now: Timestamp) {
        let mut state = self.lock();
        if matches!(job.form, Form::All) {
            self.overview_failed(&mut state, &job.topic, Blame::Question, now);
        }
        for key in &job.keys {
            if let Some(dropped) = state.slots.remove(key) {
                state.dropped(dropped);
            }
        }
    }

    pub(super) fn is_due_again(&self, state: &mut State, key: &Key) {
        let State { slots, families, .. } = state;
        if let (Some(slot), Some(members)) = (slots.kept_mut(key), families.get_mut(&*key.family)) {
            members.due_at(slot.due(&self.ages, &members.rhythm));
        }
    }
}

impl State {
    fn is_no_longer_asked(&mut self, keys: &[Arc<Key>]) {
        for key in keys {
            if let Some(slot) = self.slots.kept_mut(key) {
                slot.is_asked = false;
            }
        }
    }

    /// Keeps an answer if there is room for it, and returns the one before.
    fn keep(&mut self, key: &Key, kept: Arc<Kept>) -> Option<Arc<Kept>> {
        let slot = self.slots.kept_mut(key)?;
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
            slot.answered(has_room.then_some(kept), evaluated_at);
        }
        before
    }
}

/// The parts of an answer to a wide question, for the keys it was asked for.
pub(super) fn taken_apart(answer: &Answer, wide: &WideQuery, keys: &[Arc<Key>]) -> Brought {
    let namespaces: Vec<String> = keys.iter().filter_map(|key| key.namespace.clone()).collect();
    let mut parts: HashMap<String, Kept> = super::kept::parts(answer, wide, &namespaces);
    let parts = keys.iter().filter_map(|key| {
        let part = parts.remove(key.namespace.as_deref().unwrap_or_default())?;
        Some((Arc::clone(key), part))
    });
    parts.collect()
}

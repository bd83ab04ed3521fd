//! What there is for a request, and how it comes to an answer if there is nothing.

use std::sync::Arc;

use super::held::Held;
use super::kept::Kept;
use super::overview::Flight;
use super::rush::Breadth;
use super::topic::{Family, Key};
use super::{Ask, Shared, State};
use crate::model::{Timestamp, age};
use crate::prometheus::Error;

/// Families of one rule of which all namespaces are asked about at once: a caller can make up many metric selectors.
const MOST_OVERVIEWS_OF_RULE: usize = 4;

/// What there is for a request.
pub(super) enum Recalled {
    /// A kept answer that is fresh, and by what it is found again if it was asked for before.
    Kept(Arc<Kept>, Option<Held>),
    /// A kept answer that stands in after a failure.
    StandIn(Arc<Kept>, Arc<Error>),
    /// A question about all namespaces, which will bring it.
    Soon(Flight),
    /// Nothing: the request asks about its objects.
    Nothing,
    /// Nothing: the request asks about all objects of its namespace.
    NothingOfAll,
}

impl Shared {
    /// Takes note of a request, and gives the answer that is kept for it, if there is one.
    pub(super) fn recall(&self, ask: &Ask<'_>, now: Timestamp) -> Recalled {
        let recalled = self.noted(ask, now);
        recalled.unwrap_or(Recalled::Nothing)
    }

    /// `None` if nothing is remembered of it.
    fn noted(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Recalled> {
        let family = ask.topic.family();
        let mut state = self.knowing(&family, ask.topic)?;
        let state = &mut *state;
        let members = state.families.get(&family)?;
        let (key, is_wide) = (Arc::new(members.key(ask)), members.is_wide);
        let slot = match state.slots.note(&key, now) {
            Some(slot) => slot,
            None => {
                self.add(state, &key, ask, now);
                state.slots.kept_mut(&key)?
            }
        };
        let chosen = ask
            .choice
            .and_then(|choice| slot.choose(is_wide, choice, ask.names, self.memory, now));
        if slot.kept.is_none() {
            self.take_part(state, &key, now);
        }
        let members = state.families.get_mut(&family)?;
        let slot = state.slots.kept_mut(&key)?;
        let recalled = slot.recall(&self.ages, now);
        let recalled = recalled.filter(|(kept, _)| kept.is_about(ask.names));
        let recalled = recalled.map(|(kept, because)| {
            let kept = Arc::clone(kept);
            match because {
                Some(because) => Recalled::StandIn(kept, Arc::clone(because)),
                None => {
                    let held = chosen.map(|before| Held::new(&key, &kept, before));
                    Recalled::Kept(kept, held)
                }
            }
        });
        if recalled.is_none() {
            slot.is_answered(&self.ages, now);
        }
        members.is_asked_for(slot, &self.ages);
        Some(recalled.unwrap_or_else(|| self.not_kept(state, ask, &key, now)))
    }

    /// How a request comes to an answer that is not kept.
    fn not_kept(&self, state: &mut State, ask: &Ask<'_>, key: &Key, now: Timestamp) -> Recalled {
        let slot = state.slots.kept_mut(key);
        let is_narrow = slot.is_none_or(|slot| slot.is_narrow(now));
        let members = state.families.get_mut(&*key.family);
        let Some(members) = members.filter(|members| members.is_wide && !is_narrow) else {
            return Recalled::Nothing;
        };
        let namespace = key.namespace.as_deref();
        let breadth = members.rush.breadth(namespace, ask.choice, self.sync_period, now);
        let flight = match breadth {
            Breadth::ItsObjects => return Recalled::Nothing,
            Breadth::AllObjects => None,
            Breadth::AllNamespaces => self.overview(state, &key.family.0, now),
        };
        match flight {
            Some(flight) => Recalled::Soon(flight),
            // An external metric has no objects.
            None if ask.choice.is_none() => Recalled::Nothing,
            None => Recalled::NothingOfAll,
        }
    }

    /// Has all namespaces asked about, or joins those who wait for it; `None` if that is not to be done.
    fn overview(&self, state: &mut State, family: &Arc<Family>, now: Timestamp) -> Option<Flight> {
        if !state.overviews.contains_key(family) {
            let of_rule = state.overviews.keys().filter(|known| known.rule == family.rule);
            if of_rule.count() >= MOST_OVERVIEWS_OF_RULE {
                return None;
            }
        }
        let overview = state.overviews.entry(Arc::clone(family)).or_default();
        // What a fresh one does not have it would not have if it were asked for again.
        if overview.is_fresh(&self.ages, now) || !overview.may_be_asked(now) {
            return None;
        }
        if !overview.is_asked() {
            state.hurried.push(Arc::clone(family));
            self.hurry.send_replace(());
        }
        Some(overview.ask())
    }

    /// What a question finds of its namespace when it is asked for the first time.
    fn take_part(&self, state: &mut State, key: &Arc<Key>, now: Timestamp) {
        let overview = state.overviews.get_mut(&*key.family);
        let namespace = key.namespace.as_ref();
        let part = overview
            .zip(namespace)
            .and_then(|(overview, namespace)| overview.take(namespace, &self.ages, now));
        let Some(part) = part else {
            return;
        };
        state.kept_bytes -= part.size_bytes;
        self.keep_wide(state, key, part, now);
    }

    /// The kept answer if it is fresh.
    pub(super) fn fresh(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Arc<Kept>> {
        let mut state = self.lock();
        let key = state.families.get(&ask.topic.family())?.key(ask);
        let kept = state.slots.kept_mut(&key)?.kept.as_ref()?;
        let is_fresh = self.ages.is_fresh(kept.evaluated_at(), now) && kept.is_about(ask.names);
        is_fresh.then(|| Arc::clone(kept))
    }

    /// A request asked about its objects alone and got samples: if the family is asked about together, its namespace
    /// is from now on one more name in that question.
    pub(super) fn admit(&self, ask: &Ask<'_>, now: Timestamp) {
        let mut state = self.lock();
        let Some(members) = state.families.get(&ask.topic.family()) else {
            return;
        };
        if members.wide_at.is_some_and(|at| age(at, now) <= self.memory) {
            let key = members.key(ask);
            state.slots.want(&key);
        }
    }

    /// A request asked about all objects of its namespace.
    pub(super) fn brought(&self, ask: &Ask<'_>, kept: &Arc<Kept>, now: Timestamp) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(members) = state.families.get(&ask.topic.family()) else {
            return;
        };
        let key = members.key(ask);
        let slot = state.slots.kept_mut(&key);
        if slot.is_some_and(|slot| slot.takes(kept.evaluated_at())) {
            self.keep_wide(state, &key, Arc::clone(kept), now);
            self.is_due_again(state, &key);
        }
    }

    /// A question about all objects failed: from now on its namespace is asked about its objects alone.
    pub(super) fn narrow(&self, ask: &Ask<'_>, now: Timestamp) {
        let mut state = self.lock();
        let Some(members) = state.families.get(&ask.topic.family()) else {
            return;
        };
        let key = members.key(ask);
        if let Some(slot) = state.slots.kept_mut(&key) {
            slot.narrow(now);
        }
    }

    /// The last kept answer, if it may stand in after a failure.
    pub(super) fn stale(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Arc<Kept>> {
        let mut state = self.lock();
        let key = state.families.get(&ask.topic.family())?.key(ask);
        let kept = state.slots.kept_mut(&key)?.kept.as_ref()?;
        let stands_in = self.ages.may_stand_in(kept.evaluated_at(), now) && kept.is_about(ask.names);
        stands_in.then(|| Arc::clone(kept))
    }
}

//! Answers that many requests share, kept fresh while they are asked for.
//!
//! A request looks here first ([`Shared::recall`]), and asks the narrow question if nothing is found. What is asked for
//! again and again is refreshed in the background, the questions of many namespaces in one where that is safe.

mod answer;
mod choices;
mod demand;
mod kept;
mod plan;
mod refresh;
mod rhythm;
mod slot;
mod topic;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{ObjectChoice, Timestamp};
use crate::prometheus::{Ages, Error};
use crate::telemetry::Metrics;

pub(super) use answer::{Found, found};
pub(super) use topic::Topic;

use demand::{Bounds, Demand};
use kept::Kept;
use rhythm::refresh_after;
use slot::Slot;
use topic::{Family, Group, Key};

/// Questions that are remembered in all: room for ten thousand autoscalers with two metrics each.
const MOST: usize = 32_768;

/// Questions that are remembered of one rule in one namespace: more than that many metric selectors, or objects where
/// each is a question of its own, are answered but not refreshed.
const MOST_OF_NAMESPACE: usize = 64;

/// Most that is kept of all answers, in bytes as we reckon them. What comes then is not kept.
const MOST_KEPT_BYTES: usize = 128 << 20;

/// What is asked for, and the answers that are kept for it.
#[derive(Debug)]
pub(super) struct Shared {
    ages: Ages,
    /// Two sync periods: what is asked twice within it is refreshed, and what is not asked for as long is dropped.
    memory: Duration,
    /// Another one in each process, so that replicas do not ask at the same moments.
    jitter: RandomState,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    slots: Demand<Key, Group, Slot>,
    families: HashMap<Arc<Family>, Members>,
    kept: usize,
    kept_bytes: usize,
}

/// What the questions of a family have in common.
#[derive(Debug)]
struct Members {
    family: Arc<Family>,
    topic: Topic,
    form: Option<String>,
    /// Whether they can be asked in one.
    is_wide: bool,
    /// The age at which an answer is refreshed.
    refresh_after: Duration,
    keys: HashSet<Arc<Key>>,
    /// When the first of them is due; `None` if none is.
    due: Option<Timestamp>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) topic: &'a Topic,
    /// `None` for cluster-scoped objects.
    pub(super) namespace: Option<&'a str>,
    /// `None` for an external metric.
    pub(super) choice: Option<&'a ObjectChoice>,
    /// The objects chosen, sorted; none for an external metric.
    pub(super) names: &'a [String],
}

/// A kept answer, and the failure after which it stands in, if it is no longer fresh.
type Recalled = (Arc<Kept>, Option<Arc<Error>>);

impl Shared {
    pub(super) fn new(ages: Ages, sync_period: Duration, metrics: Arc<Metrics>) -> Shared {
        let memory = sync_period.saturating_mul(2);
        Shared {
            ages,
            memory,
            jitter: RandomState::new(),
            metrics,
            state: Mutex::new(State {
                slots: Demand::new(Bounds {
                    in_all: MOST,
                    of_group: MOST_OF_NAMESPACE,
                    memory,
                }),
                families: HashMap::new(),
                kept: 0,
                kept_bytes: 0,
            }),
        }
    }

    /// Takes note of a request, and gives the answer that is kept for it, if there is one.
    pub(super) fn recall(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Recalled> {
        let family = ask.topic.family();
        let refresh_after = refresh_after(&self.ages, self.jitter_of(&family))?;
        self.know(&family, ask.topic, refresh_after);
        let mut state = self.lock();
        let state = &mut *state;
        let members = state.families.get_mut(&family)?;
        let key = members.key(ask);
        let known = state.slots.note(&key, now).is_some();
        if !known {
            let names_are_wanted = !members.is_wide;
            self.add(state, &family, key, ask, names_are_wanted, now);
            return None;
        }
        let slot = state.slots.kept_mut(&key)?;
        if let Some(choice) = ask.choice {
            let names_are_wanted = !members.is_wide || slot.is_narrow(now);
            slot.choices
                .add(choice, ask.names, names_are_wanted, self.memory, now);
        }
        let recalled = slot.recall(&self.ages, now);
        let recalled = recalled.filter(|(kept, _)| kept.samples(ask.names).is_some());
        let recalled = recalled.map(|(kept, because)| (Arc::clone(kept), because.cloned()));
        if recalled.is_none() {
            slot.is_answered(&self.ages, now);
        }
        if !slot.is_asked {
            members.due_at(slot.due(&self.ages, members.refresh_after));
        }
        recalled
    }

    /// The last kept answer, if it may stand in after a failure.
    pub(super) fn stale(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Arc<Kept>> {
        let mut state = self.lock();
        let key = state.families.get(&ask.topic.family())?.key(ask);
        let kept = state.slots.kept_mut(&key)?.kept.as_ref()?;
        let stands_in = self.ages.may_stand_in(kept.evaluated_at(), now) && kept.samples(ask.names).is_some();
        stands_in.then(|| Arc::clone(kept))
    }

    /// Makes the family known. What was kept for another rule in the same place is dropped.
    fn know(&self, family: &Family, topic: &Topic, refresh_after: Duration) {
        let known = |state: &State| {
            let members = state.families.get(family);
            members.is_some_and(|members| members.topic.is_of_rule_of(topic))
        };
        if known(&self.lock()) {
            return;
        }
        // Rendered and parsed without holding up others.
        let (form, is_wide) = (topic.form(), topic.wide(&["any-name".to_owned()]).is_some());
        let mut state = self.lock();
        match state.families.get_mut(family) {
            Some(members) if members.form == form => members.topic = topic.clone(),
            _ => {
                state.drop_family(family);
                let family = Arc::new(family.clone());
                let members = Members {
                    family: Arc::clone(&family),
                    topic: topic.clone(),
                    form,
                    is_wide,
                    refresh_after,
                    keys: HashSet::new(),
                    due: None,
                };
                state.families.insert(family, members);
            }
        }
    }

    fn add(
        &self,
        state: &mut State,
        family: &Family,
        key: Key,
        ask: &Ask<'_>,
        names_are_wanted: bool,
        now: Timestamp,
    ) {
        let mut slot = Slot::new(self.ages.evaluation_time(now));
        if let Some(choice) = ask.choice {
            slot.choices
                .add(choice, ask.names, names_are_wanted, self.memory, now);
        }
        let key = Arc::new(key);
        let group = (family.rule.clone(), ask.namespace.map(str::to_owned));
        if let Some(members) = state.families.get_mut(family) {
            members.keys.insert(Arc::clone(&key));
        }
        let dropped = state.slots.add(key, group, slot, now);
        dropped.into_iter().for_each(|dropped| state.dropped(dropped));
    }

    /// Between 0 and 1, for each family another.
    fn jitter_of(&self, family: &Family) -> f64 {
        let hash = self.jitter.hash_one(family);
        (hash % 1024) as f64 / 1024.0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn key(&self, ask: &Ask<'_>) -> Key {
        let namespace = ask.namespace.filter(|_| self.topic.is_of_namespace());
        Key {
            family: Arc::clone(&self.family),
            namespace: namespace.map(str::to_owned),
            exactly: ask.choice.filter(|_| !self.is_wide).cloned(),
        }
    }

    fn due_at(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl State {
    fn drop_family(&mut self, family: &Family) {
        let Some(members) = self.families.remove(family) else {
            return;
        };
        for key in members.keys {
            if let Some(dropped) = self.slots.remove(&key) {
                self.dropped(dropped);
            }
        }
    }

    /// A question is no longer remembered.
    fn dropped(&mut self, (key, slot): (Arc<Key>, Slot)) {
        self.let_go(slot.kept.as_ref());
        if let Some(members) = self.families.get_mut(&key.family) {
            members.keys.remove(&key);
            if members.keys.is_empty() {
                self.families.remove(&key.family);
            }
        }
    }

    fn let_go(&mut self, kept: Option<&Arc<Kept>>) {
        if let Some(kept) = kept {
            self.kept -= 1;
            self.kept_bytes -= kept.size_bytes;
        }
    }
}

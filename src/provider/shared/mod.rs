//! Answers that many requests share, kept fresh while they are asked for.
//!
//! A request looks here first ([`Shared::recall`]), and asks the narrow question if nothing is found. What is asked for
//! again and again is refreshed in the background, the questions of many namespaces in one where that is safe. Where
//! many namespaces begin to ask at once, one question about all of them brings their answers.

mod answer;
mod choices;
mod demand;
mod held;
mod kept;
mod landing;
mod overview;
mod plan;
mod recall;
mod refresh;
mod rhythm;
mod rush;
mod slot;
mod topic;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::model::{ObjectChoice, ObjectNames, QuickMap, Timestamp};
use crate::prometheus::Ages;
use crate::telemetry::Metrics;

pub(super) use answer::{Found, found};
pub(super) use held::Held;
pub(super) use topic::Topic;

use demand::{Bounds, Demand};
use kept::Kept;
use overview::Overview;
use rhythm::Rhythm;
use rush::Rush;
use slot::Slot;
use topic::{Family, Group, Key, Known};

/// Questions that are remembered in all: room for ten thousand autoscalers with two metrics each.
const MOST: usize = 32_768;

/// Questions that are remembered of one rule in one namespace: more than that many metric selectors, or objects where
/// each is a question of its own, are answered but not refreshed.
const MOST_OF_NAMESPACE: usize = 64;

/// Most that is kept of all answers, in bytes as we reckon them. What comes then is not kept.
///
/// Room for ten thousand autoscalers with two metrics of ten pods each, more than twice over: a sample of a pod takes some 80.
const MOST_KEPT_BYTES: usize = 48 << 20;

/// What is asked for, and the answers that are kept for it.
#[derive(Debug)]
pub(super) struct Shared {
    ages: Ages,
    sync_period: Duration,
    /// Two sync periods: what is asked twice within it is refreshed, and what is not asked for as long is dropped.
    memory: Duration,
    /// How long a request waits for the answer about all namespaces before it asks for itself.
    patience: Duration,
    /// Another one in each process, so that replicas do not ask at the same moments.
    jitter: RandomState,
    metrics: Arc<Metrics>,
    /// Tells those who ask in the background that somebody waits.
    hurry: watch::Sender<()>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    slots: Demand<Key, Group, Slot>,
    families: QuickMap<Arc<Family>, Members>,
    overviews: QuickMap<Arc<Family>, Overview>,
    /// Families whose overview somebody waits for, and that is not asked for yet.
    hurried: Vec<Arc<Family>>,
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
    rhythm: Rhythm,
    keys: HashSet<Arc<Key>>,
    rush: Rush,
    /// When a wide question was answered last.
    wide_at: Option<Timestamp>,
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
    /// The objects chosen; none for an external metric.
    pub(super) names: &'a ObjectNames,
}

impl Shared {
    pub(super) fn new(
        ages: Ages,
        sync_period: Duration,
        request_timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> Shared {
        let memory = sync_period.saturating_mul(2);
        Shared {
            ages,
            sync_period,
            memory,
            // The last third is for the question of its own.
            patience: request_timeout / 3 * 2,
            jitter: RandomState::new(),
            metrics,
            hurry: watch::Sender::new(()),
            state: Mutex::new(State {
                slots: Demand::new(Bounds {
                    in_all: MOST,
                    of_group: MOST_OF_NAMESPACE,
                    memory,
                }),
                families: QuickMap::default(),
                overviews: QuickMap::default(),
                hurried: Vec::new(),
                kept: 0,
                kept_bytes: 0,
            }),
        }
    }

    /// The state, in which the family is known from now on; `None` if its answers are never refreshed. What was kept for
    /// another rule in the same place is dropped.
    fn knowing(&self, family: &Family, topic: &Topic) -> Option<MutexGuard<'_, State>> {
        let state = self.lock();
        let members = state.families.get(family);
        if members.is_some_and(|members| members.topic.is_of_rule_of(topic)) {
            return Some(state);
        }
        drop(state);
        let rhythm = self.rhythm_of(family)?;
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
                    rhythm,
                    keys: HashSet::new(),
                    rush: Rush::default(),
                    wide_at: None,
                    due: None,
                };
                state.families.insert(family, members);
            }
        }
        Some(state)
    }

    fn add(&self, state: &mut State, key: &Arc<Key>, ask: &Ask<'_>, now: Timestamp) {
        let slot = Slot::new(self.ages.evaluation_time(now));
        let group = (key.family.rule.clone(), ask.namespace.map(str::to_owned));
        if let Some(members) = state.families.get_mut(&*key.family) {
            members.keys.insert(Arc::clone(key));
        }
        let dropped = state.slots.add(Arc::clone(key), group, slot, now);
        dropped.into_iter().for_each(|dropped| state.dropped(dropped));
    }

    /// When answers of a family are refreshed; `None` if they never are.
    fn rhythm_of(&self, family: &Family) -> Option<Rhythm> {
        let of_all_replicas = BuildHasherDefault::<DefaultHasher>::default();
        let place = share(of_all_replicas.hash_one(family));
        let jitter = share(self.jitter.hash_one(family));
        Rhythm::new(&self.ages, place, jitter)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Between 0 and 1.
fn share(hash: u64) -> f64 {
    (hash % 1024) as f64 / 1024.0
}

impl Members {
    fn key(&self, ask: &Ask<'_>) -> Key {
        let namespace = ask.namespace.filter(|_| self.topic.is_of_namespace());
        Key {
            family: Known(Arc::clone(&self.family)),
            namespace: namespace.map(str::to_owned),
            exactly: ask.choice.filter(|_| !self.is_wide).cloned(),
        }
    }

    /// One of its questions is asked for, and is due at some time unless it is being asked.
    fn is_asked_for(&mut self, slot: &Slot, ages: &Ages) {
        if !slot.is_asked {
            self.due_at(slot.due(ages, &self.rhythm));
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
        self.drop_overview(family);
    }

    fn drop_overview(&mut self, family: &Family) {
        if let Some(overview) = self.overviews.remove(family) {
            self.kept_bytes -= overview.size_bytes();
        }
    }

    /// A question is no longer remembered.
    fn dropped(&mut self, (key, slot): (Arc<Key>, Slot)) {
        self.let_go(slot.kept.as_ref());
        if let Some(members) = self.families.get_mut(&*key.family) {
            members.keys.remove(&key);
            if members.keys.is_empty() {
                self.families.remove(&*key.family);
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

//! What is asked for, how lately, and what is dropped when there is too much of it. Pure: time comes in.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use hashlink::LinkedHashMap;
use hashlink::linked_hash_map::RawEntryMut;

use crate::model::{Timestamp, age};

/// How much is remembered of what callers ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Questions in all.
    pub(super) in_all: usize,
    /// Questions of one group: of one rule and one namespace, so that one caller cannot push out the others.
    pub(super) of_group: usize,
    /// A question not asked for this long is forgotten; asked twice within it, it is wanted.
    pub(super) memory: Duration,
}

/// Questions by key, each with what is kept of it, in the order they were last asked: the least recent first.
#[derive(Debug)]
pub(super) struct Demand<K, G, V> {
    bounds: Bounds,
    entries: LinkedHashMap<Arc<K>, Entry<G, V>>,
    groups: HashMap<G, HashSet<Arc<K>>>,
}

#[derive(Debug)]
struct Entry<G, V> {
    group: G,
    last: Timestamp,
    wanted: bool,
    kept: V,
}

impl<K: Eq + Hash, G: Clone + Eq + Hash, V> Demand<K, G, V> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Demand {
            bounds,
            entries: LinkedHashMap::new(),
            groups: HashMap::new(),
        }
    }

    /// A question is asked. What is kept of it; `None` if it is new.
    pub(super) fn note(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        self.note_if(key, now, |_| true)
    }

    /// A question is asked, if what is kept of it is as it should be; else it does not count, and there is `None`.
    pub(super) fn note_if(
        &mut self,
        key: &K,
        now: Timestamp,
        is_right: impl FnOnce(&V) -> bool,
    ) -> Option<&mut V> {
        let RawEntryMut::Occupied(mut entry) = self.entries.raw_entry_mut().from_key(key) else {
            return None;
        };
        if !is_right(&entry.get().kept) {
            return None;
        }
        entry.to_back();
        let entry = entry.into_mut();
        entry.wanted = age(entry.last, now) <= self.bounds.memory;
        entry.last = now;
        Some(&mut entry.kept)
    }

    /// A question is asked for the first time. Those that make room for it are returned.
    pub(super) fn add(&mut self, key: Arc<K>, group: G, kept: V, now: Timestamp) -> Vec<(Arc<K>, V)> {
        let mut dropped = Vec::new();
        if let Some(least) = self.least_of_full(&group) {
            dropped.extend(self.remove(&least));
        }
        while self.entries.len() >= self.bounds.in_all
            && let Some((least, entry)) = self.entries.pop_front()
        {
            dropped.push(self.removed(least, entry));
        }
        let of_group = self.groups.entry(group.clone()).or_default();
        of_group.insert(Arc::clone(&key));
        let entry = Entry {
            group,
            last: now,
            wanted: false,
            kept,
        };
        self.entries.insert(key, entry);
        dropped
    }

    /// A question is wanted, though it was asked only once: it costs nothing more.
    pub(super) fn want(&mut self, key: &K) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.wanted = true;
        }
    }

    /// What is kept of a question that is known.
    pub(super) fn kept_mut(&mut self, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).map(|entry| &mut entry.kept)
    }

    /// What is kept of a question that was asked twice in a while, and lately.
    pub(super) fn wanted(&mut self, key: &K, now: Timestamp) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        let is_wanted = entry.wanted && age(entry.last, now) <= self.bounds.memory;
        is_wanted.then_some(&mut entry.kept)
    }

    /// Forgets what is no longer asked for, and returns it.
    pub(super) fn forget(&mut self, now: Timestamp) -> Vec<(Arc<K>, V)> {
        let mut forgotten = Vec::new();
        while let Some((_, entry)) = self.entries.front()
            && age(entry.last, now) > self.bounds.memory
            && let Some((key, entry)) = self.entries.pop_front()
        {
            forgotten.push(self.removed(key, entry));
        }
        forgotten
    }

    /// Forgets one question.
    pub(super) fn remove(&mut self, key: &K) -> Option<(Arc<K>, V)> {
        let (key, entry) = self.entries.remove_entry(key)?;
        Some(self.removed(key, entry))
    }

    /// The question that makes room in a group without any: the least recent, and of those that were asked once if there
    /// are.
    fn least_of_full(&self, group: &G) -> Option<Arc<K>> {
        let keys = self.groups.get(group)?;
        if keys.len() < self.bounds.of_group {
            return None;
        }
        let known = keys.iter().filter_map(|key| Some((key, self.entries.get(key)?)));
        let least = known.min_by_key(|(_, entry)| (entry.wanted, entry.last));
        least.map(|(key, _)| Arc::clone(key))
    }

    /// Takes a question that is no longer remembered out of its group as well.
    fn removed(&mut self, key: Arc<K>, entry: Entry<G, V>) -> (Arc<K>, V) {
        if let Some(keys) = self.groups.get_mut(&entry.group) {
            keys.remove(&key);
            if keys.is_empty() {
                self.groups.remove(&entry.group);
            }
        }
        (key, entry.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        in_all: 6,
        of_group: 3,
        memory: Duration::from_secs(30),
    };

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(at).unwrap()
    }

    /// Questions are texts, and their first letter is the group.
    fn ask(demand: &mut Demand<String, char, ()>, question: &str, at: i64) -> Vec<String> {
        let (key, now) = (question.to_owned(), second(at));
        match demand.note(&key, now) {
            Some(()) => Vec::new(),
            None => keys(demand.add(Arc::new(key), question.chars().next().unwrap(), (), now)),
        }
    }

    fn keys(entries: Vec<(Arc<String>, ())>) -> Vec<String> {
        entries.into_iter().map(|(key, ())| key.to_string()).collect()
    }

    fn is_wanted(demand: &mut Demand<String, char, ()>, question: &str, at: i64) -> bool {
        demand.wanted(&question.to_owned(), second(at)).is_some()
    }

    #[test]
    fn question_is_wanted_once_it_is_asked_twice_within_two_periods() {
        let mut demand = Demand::new(BOUNDS);
        ask(&mut demand, "a", 0);
        assert!(!is_wanted(&mut demand, "a", 0));
        ask(&mut demand, "a", 30);
        assert!(is_wanted(&mut demand, "a", 30));
        assert!(is_wanted(&mut demand, "a", 60));
        assert!(!is_wanted(&mut demand, "a", 61));
    }

    #[test]
    fn question_that_costs_nothing_more_is_wanted_while_it_was_asked_lately() {
        let mut demand = Demand::new(BOUNDS);
        ask(&mut demand, "a", 0);
        demand.want(&"a".to_owned());
        assert!(is_wanted(&mut demand, "a", 30));
        assert!(!is_wanted(&mut demand, "a", 31));
    }

    #[test]
    fn question_asked_too_seldom_is_not_wanted() {
        let mut demand = Demand::new(BOUNDS);
        for at in [0, 31, 62] {
            ask(&mut demand, "a", at);
            assert!(!is_wanted(&mut demand, "a", at));
        }
    }

    #[test]
    fn what_is_no_longer_asked_for_is_forgotten() {
        let mut demand = Demand::new(BOUNDS);
        ask(&mut demand, "a", 0);
        ask(&mut demand, "b", 10);
        ask(&mut demand, "a", 20);
        assert_eq!(keys(demand.forget(second(40))), [""; 0]);
        assert_eq!(keys(demand.forget(second(41))), ["b"]);
        assert_eq!(keys(demand.forget(second(51))), ["a"]);
        assert!(demand.entries.is_empty());
        assert!(demand.groups.is_empty());
    }

    #[test]
    fn flood_of_one_group_pushes_out_its_own_least_recent_only() {
        let mut demand = Demand::new(BOUNDS);
        ask(&mut demand, "b", 0);
        ask(&mut demand, "a1", 1);
        ask(&mut demand, "a2", 2);
        ask(&mut demand, "a3", 3);
        ask(&mut demand, "a1", 4);
        assert_eq!(ask(&mut demand, "a4", 5), ["a2"]);
        for number in 5..100 {
            ask(&mut demand, &format!("a{number}"), number);
        }
        assert_eq!(demand.entries.len(), 4);
        assert!(demand.note(&"b".to_owned(), second(100)).is_some());
        assert!(
            demand.note(&"a1".to_owned(), second(100)).is_some(),
            "it was asked twice"
        );
    }

    #[test]
    fn too_many_groups_push_out_the_least_recent_of_all() {
        let mut demand = Demand::new(BOUNDS);
        for (at, question) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
            ask(&mut demand, question, at as i64);
        }
        ask(&mut demand, "a", 6);
        assert_eq!(ask(&mut demand, "g", 7), ["b"]);
        assert_eq!(demand.entries.len(), 6);
    }
}

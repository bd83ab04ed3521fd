//! Last good values, for rules whose policy serves them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::{ExternalValue, GroupResource, MetricValue, Timestamp, age};

/// More keys than this are not remembered; a caller cannot make the memory grow.
const MOST: usize = 10_000;

/// Last good values by what they describe.
#[derive(Debug, Default)]
pub(super) struct LastValues {
    /// Of one object.
    pub(super) custom: Remembered<ObjectKey, MetricValue>,
    /// Of a whole external answer.
    pub(super) external: Remembered<AnswerKey, Vec<ExternalValue>>,
}

/// One object, as one rule and one metric selector see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectKey {
    pub(super) rule: String,
    pub(super) metric: String,
    /// With its group: two groups may have a plural, and objects of it with one name.
    pub(super) resource: GroupResource,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) selector: String,
}

/// Which external answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AnswerKey {
    pub(super) rule: String,
    pub(super) metric: String,
    pub(super) namespace: String,
    pub(super) selector: String,
}

/// Values with their evaluation time, bounded in number.
#[derive(Debug)]
pub(super) struct Remembered<K, V>(Mutex<HashMap<K, (V, Timestamp, Duration)>>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Remembered(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// Remembers a value that may be served until it is `within` old.
    pub(super) fn put(&self, key: K, value: V, at: Timestamp, within: Duration) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, since, within)| age(*since, at) <= *within);
        }
        if known.len() < MOST || known.contains_key(&key) {
            known.insert(key, (value, at, within));
        }
    }

    /// The last value, if its evaluation time is no older than `within`.
    pub(super) fn get(&self, key: &K, now: Timestamp, within: Duration) -> Option<V> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, at, _) = known.get(key)?;
        (age(*at, now) <= within).then(|| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: i64) -> Timestamp {
        Timestamp::from_second(at).unwrap()
    }

    #[test]
    fn a_value_is_served_until_it_is_exactly_as_old_as_allowed() {
        let last = Remembered::default();
        last.put("cart", 1, second(100), Duration::from_secs(15));
        assert_eq!(last.get(&"cart", second(115), Duration::from_secs(15)), Some(1));
        assert_eq!(last.get(&"cart", second(116), Duration::from_secs(15)), None);
    }

    #[test]
    fn a_value_of_the_future_is_no_younger_than_one_of_the_past() {
        let last = Remembered::default();
        last.put("cart", 1, second(100), Duration::from_secs(15));
        assert_eq!(last.get(&"cart", second(85), Duration::from_secs(15)), Some(1));
        assert_eq!(last.get(&"cart", second(84), Duration::from_secs(15)), None);
    }

    #[test]
    fn a_flood_of_keys_is_not_remembered_beyond_the_limit() {
        let last = Remembered::default();
        for key in 0..MOST + 10 {
            last.put(key, key, second(100), Duration::from_secs(15));
        }
        assert_eq!(last.get(&MOST, second(100), Duration::from_secs(15)), None);
        last.put(MOST, MOST, second(200), Duration::from_secs(15));
        assert_eq!(last.get(&MOST, second(200), Duration::from_secs(15)), Some(MOST));
    }
}

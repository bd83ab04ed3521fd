//! Which label sets carry a label. Pure.

use std::hash::BuildHasher;
use std::slice;
use std::sync::Arc;

use crate::model::{Labels, Operator, QuickMap, QuickState, Requirement, Selector};

/// The label sets of a namespace by each label they carry, so that a selector is compared with few of them.
///
/// Sets are told apart by where they are: equal ones are the same.
#[derive(Debug, Default)]
pub(super) struct Carriers {
    hasher: QuickState,
    /// By the hash of name and value: a set that comes up because of another label is compared in vain.
    sets: QuickMap<u64, Sets>,
}

/// Most labels that tell workloads apart are carried by one set.
#[derive(Debug)]
enum Sets {
    One(Arc<Labels>),
    Several(Vec<Arc<Labels>>),
}

impl Carriers {
    /// There is one more set.
    pub(super) fn add(&mut self, labels: &Arc<Labels>) {
        for label in labels.iter() {
            let hash = self.hasher.hash_one(label);
            match self.sets.get_mut(&hash) {
                Some(sets) => sets.add(labels),
                None => {
                    self.sets.insert(hash, Sets::One(Arc::clone(labels)));
                }
            }
        }
    }

    /// No object carries a set any more.
    pub(super) fn remove(&mut self, labels: &Arc<Labels>) {
        for label in labels.iter() {
            let hash = self.hasher.hash_one(label);
            if self.sets.get_mut(&hash).is_some_and(|sets| sets.remove(labels)) {
                self.sets.remove(&hash);
            }
        }
    }

    /// The only sets that may match a selector; `None` if any may.
    pub(super) fn of(&self, selector: &Selector) -> Option<&[Arc<Labels>]> {
        let wanted = selector.requirements().iter().filter_map(only_label);
        let carriers = wanted.map(|label| {
            let sets = self.sets.get(&self.hasher.hash_one(label));
            sets.map_or(&[][..], Sets::as_slice)
        });
        carriers.min_by_key(|sets| sets.len())
    }
}

impl Sets {
    fn as_slice(&self) -> &[Arc<Labels>] {
        match self {
            Sets::One(labels) => slice::from_ref(labels),
            Sets::Several(sets) => sets,
        }
    }

    fn add(&mut self, labels: &Arc<Labels>) {
        match self {
            Sets::One(other) => *self = Sets::Several(vec![Arc::clone(other), Arc::clone(labels)]),
            Sets::Several(sets) => sets.push(Arc::clone(labels)),
        }
    }

    /// Whether none is left.
    fn remove(&mut self, labels: &Arc<Labels>) -> bool {
        match self {
            Sets::One(only) => Arc::ptr_eq(only, labels),
            Sets::Several(sets) => {
                if let Some(place) = sets.iter().position(|known| Arc::ptr_eq(known, labels)) {
                    sets.swap_remove(place);
                }
                sets.is_empty()
            }
        }
    }
}

/// The label that a set must carry to meet a requirement, if there is one.
fn only_label(requirement: &Requirement) -> Option<(&str, &str)> {
    match (requirement.operator, &requirement.values[..]) {
        (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => {
            Some((&requirement.key, value))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Arc<Labels> {
        Arc::new(pairs.iter().copied().collect())
    }

    /// How many sets a selector is compared with; `None` for all.
    fn compared(carriers: &Carriers, selector: &str) -> Option<usize> {
        carriers.of(&selector.parse().unwrap()).map(<[_]>::len)
    }

    #[test]
    fn selector_is_compared_with_the_carriers_of_its_rarest_label() {
        let mut carriers = Carriers::default();
        for app in ["cart", "till", "shelf"] {
            carriers.add(&set(&[("app", app), ("tier", "web")]));
        }
        assert_eq!(compared(&carriers, "tier=web"), Some(3));
        assert_eq!(compared(&carriers, "app in (till),tier==web"), Some(1));
        assert_eq!(compared(&carriers, "app=moon,tier=web"), Some(0));
        for of_many in [
            "",
            "app",
            "!app",
            "app!=cart",
            "app in (cart,till)",
            "app notin (cart)",
        ] {
            assert_eq!(compared(&carriers, of_many), None, "{of_many}");
        }
        assert_eq!(compared(&carriers, "app!=cart,tier=web"), Some(3));
    }

    #[test]
    fn set_that_is_gone_is_not_compared_and_leaves_nothing() {
        let mut carriers = Carriers::default();
        let sets = ["cart", "till", "shelf"].map(|app| set(&[("app", app), ("tier", "web")]));
        sets.iter().for_each(|labels| carriers.add(labels));
        carriers.remove(&sets[0]);
        assert_eq!(compared(&carriers, "app=cart"), Some(0));
        assert_eq!(compared(&carriers, "tier=web"), Some(2));
        sets[1..].iter().for_each(|labels| carriers.remove(labels));
        assert!(carriers.sets.is_empty());
    }
}

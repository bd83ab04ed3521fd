//! Names and labels of the objects of one resource.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, OnceLock};

use super::carriers::Carriers;
use crate::model::{Labels, ObjectNames, QuickMap, Selector};

/// Objects by namespace and name. Cluster-scoped ones have the namespace "".
///
/// Pods of one workload mostly carry the same labels, so equal label sets are kept once.
#[derive(Debug, Default)]
pub(super) struct Store {
    namespaces: QuickMap<Box<str>, Namespace>,
    label_sets: HashSet<Arc<Labels>>,
    len: usize,
}

/// The objects of one namespace.
#[derive(Debug, Default)]
struct Namespace {
    labels: BTreeMap<Arc<str>, Arc<Labels>>,
    /// The same the other way round: a selector is compared once with the labels that many objects carry.
    names: QuickMap<Arc<Labels>, Alike>,
    carriers: Carriers,
    edition: Edition,
}

/// Objects that carry the same labels.
#[derive(Debug, Default)]
struct Alike {
    names: BTreeSet<Arc<str>>,
    /// The same for those who ask, until it changes.
    told: OnceLock<ObjectNames>,
}

/// The names and labels of a namespace's objects as they were at a moment: after each change it is another.
#[derive(Clone, Debug, Default)]
pub struct Edition(Arc<()>);

impl PartialEq for Edition {
    fn eq(&self, other: &Edition) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Edition {}

/// An object with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Empty for cluster-scoped resources.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: Labels,
}

impl Store {
    /// Names in a namespace that a selector matches.
    pub(super) fn matching(&self, namespace: &str, selector: &Selector) -> ObjectNames {
        let Some(objects) = self.namespaces.get(namespace) else {
            return ObjectNames::default();
        };
        let matching = match objects.carriers.of(selector) {
            Some(sets) => objects.carried(sets, selector),
            None => objects.carried(objects.names.keys(), selector),
        };
        match matching.as_slice() {
            [only] => only.told(),
            several => several.iter().flat_map(|alike| &alike.names).cloned().collect(),
        }
    }

    /// The edition of a namespace's objects; `None` if there are none.
    pub(super) fn edition(&self, namespace: &str) -> Option<Edition> {
        let namespace = self.namespaces.get(namespace)?;
        Some(namespace.edition.clone())
    }

    /// Objects that a selector matches, sorted by namespace and name; in all namespaces where none is given.
    pub(super) fn list(&self, namespace: Option<&str>, selector: &Selector) -> Vec<Object> {
        let is_asked = |home: &str| namespace.is_none_or(|namespace| namespace == home);
        let asked = self.namespaces.iter().filter(|(home, _)| is_asked(home));
        let mut listed: Vec<Object> = asked
            .flat_map(|(home, objects)| {
                objects
                    .labels
                    .iter()
                    .map(move |(name, labels)| (home, name, labels))
            })
            .filter(|(_, _, labels)| selector.matches(labels))
            .map(|(home, name, labels)| Object {
                namespace: home.to_string(),
                name: name.to_string(),
                labels: Labels::clone(labels),
            })
            .collect();
        listed.sort_by(|one, other| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)));
        listed
    }

    /// How many objects there are, in all namespaces.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an object, or gives it these labels.
    pub(super) fn put(&mut self, namespace: &str, name: &str, labels: Labels) {
        let labels = self.shared(labels);
        let objects = match self.namespaces.get_mut(namespace) {
            Some(objects) => objects,
            None => self.namespaces.entry(namespace.into()).or_default(),
        };
        match objects.put(name, labels) {
            Some(before) => self.release(&before),
            None => self.len += 1,
        }
    }

    /// Takes an object out, if it is there.
    pub(super) fn remove(&mut self, namespace: &str, name: &str) {
        let Some(objects) = self.namespaces.get_mut(namespace) else {
            return;
        };
        let removed = objects.remove(name);
        if objects.labels.is_empty() {
            self.namespaces.remove(namespace);
        }
        if let Some(labels) = removed {
            self.len -= 1;
            self.release(&labels);
        }
    }

    fn shared(&mut self, labels: Labels) -> Arc<Labels> {
        if let Some(known) = self.label_sets.get(&labels) {
            return known.clone();
        }
        let labels = Arc::new(labels);
        self.label_sets.insert(labels.clone());
        labels
    }

    /// Forgets a label set that no object carries any more.
    fn release(&mut self, labels: &Arc<Labels>) {
        // One is the caller's, one is in the set.
        if Arc::strong_count(labels) == 2 {
            self.label_sets.remove(labels);
        }
    }
}

impl Alike {
    fn told(&self) -> ObjectNames {
        let told = || self.names.iter().cloned().collect();
        self.told.get_or_init(told).clone()
    }

    fn add(&mut self, name: Arc<str>) {
        self.told.take();
        self.names.insert(name);
    }

    /// Whether none is left.
    fn remove(&mut self, name: &str) -> bool {
        self.told.take();
        self.names.remove(name);
        self.names.is_empty()
    }
}

impl Namespace {
    /// The objects of each of these label sets that a selector matches.
    fn carried<'a>(
        &'a self,
        sets: impl IntoIterator<Item = &'a Arc<Labels>>,
        selector: &Selector,
    ) -> Vec<&'a Alike> {
        let matching = sets.into_iter().filter(|labels| selector.matches(labels));
        matching.filter_map(|labels| self.names.get(labels)).collect()
    }

    /// The labels that the object had before.
    fn put(&mut self, name: &str, labels: Arc<Labels>) -> Option<Arc<Labels>> {
        // Most changes of an object are of its status.
        if self
            .labels
            .get(name)
            .is_some_and(|known| Arc::ptr_eq(known, &labels))
        {
            return Some(labels);
        }
        let before = self.remove(name);
        self.edition = Edition::default();
        let name: Arc<str> = name.into();
        let alike = self.names.entry(Arc::clone(&labels)).or_insert_with(|| {
            self.carriers.add(&labels);
            Alike::default()
        });
        alike.add(Arc::clone(&name));
        self.labels.insert(name, labels);
        before
    }

    /// The labels that the object had.
    fn remove(&mut self, name: &str) -> Option<Arc<Labels>> {
        let labels = self.labels.remove(name)?;
        self.edition = Edition::default();
        let alike = self.names.get_mut(&labels);
        if alike.is_some_and(|alike| alike.remove(name)) {
            self.names.remove(&labels);
            self.carriers.remove(&labels);
        }
        Some(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn names(store: &Store, namespace: &str, selector: &str) -> Vec<String> {
        let names = store.matching(namespace, &selector.parse().unwrap());
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn objects_are_found_by_namespace_and_labels_in_order() {
        let mut store = Store::default();
        store.put("shop", "cart-1", labels(&[("app", "cart")]));
        store.put("shop", "cart-0", labels(&[("app", "cart")]));
        store.put("shop", "till-0", labels(&[("app", "till")]));
        store.put("bank", "cart-0", labels(&[("app", "cart")]));
        assert_eq!(names(&store, "shop", "app=cart"), ["cart-0", "cart-1"]);
        assert_eq!(names(&store, "bank", ""), ["cart-0"]);
        assert_eq!(names(&store, "moon", ""), Vec::<String>::new());
        assert_eq!(store.len(), 4);
    }

    #[test]
    fn other_labels_replace_the_former_ones() {
        let mut store = Store::default();
        store.put("shop", "cart-0", labels(&[("app", "cart"), ("track", "stable")]));
        store.put("shop", "cart-0", labels(&[("app", "cart")]));
        assert_eq!(names(&store, "shop", "track"), Vec::<String>::new());
        assert_eq!(names(&store, "shop", "app=cart"), ["cart-0"]);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn edition_is_another_after_each_change_of_names_or_labels_and_after_no_other() {
        let mut store = Store::default();
        store.put("shop", "cart-0", labels(&[("app", "cart")]));
        let edition = |store: &Store| store.edition("shop");
        let first = edition(&store);
        store.put("shop", "cart-0", labels(&[("app", "cart")]));
        store.put("bank", "cart-0", labels(&[("app", "cart")]));
        store.remove("shop", "till-0");
        assert_eq!(edition(&store), first);
        store.put("shop", "cart-0", labels(&[("app", "till")]));
        let relabelled = edition(&store);
        store.put("shop", "cart-1", labels(&[("app", "till")]));
        let added = edition(&store);
        store.remove("shop", "cart-1");
        let removed = edition(&store);
        let editions = [first, relabelled, added, removed];
        for (position, edition) in editions.iter().enumerate() {
            assert!(
                edition.is_some() && !editions[..position].contains(edition),
                "{position}"
            );
        }
        assert_eq!(store.edition("moon"), None);
    }

    #[test]
    fn equal_label_sets_are_kept_once_and_only_while_an_object_carries_them() {
        let mut store = Store::default();
        for name in ["a", "b", "c"] {
            store.put("shop", name, labels(&[("app", "cart")]));
        }
        store.put("shop", "c", labels(&[("app", "cart")]));
        assert_eq!((store.label_sets.len(), store.len()), (1, 3));
        store.put("shop", "c", labels(&[("app", "till")]));
        assert_eq!(store.label_sets.len(), 2);
        for name in ["a", "b", "c", "d"] {
            store.remove("shop", name);
        }
        assert_eq!(store.label_sets.len(), 0);
        assert_eq!(store.namespaces.len(), 0);
        assert_eq!(store.len(), 0);
    }
}

//! Names of several objects.

use std::ops::Deref;
use std::sync::Arc;

/// Names of objects, sorted, each once. A copy has them in common with what it is a copy of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectNames(Arc<[Arc<str>]>);

impl ObjectNames {
    /// The place of a name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.binary_search_by(|known| (**known).cmp(name)).ok()
    }

    /// Whether all others are among them.
    pub fn hold(&self, others: &ObjectNames) -> bool {
        others.iter().all(|other| self.place(other).is_some())
    }
}

impl Deref for ObjectNames {
    type Target = [Arc<str>];

    fn deref(&self) -> &[Arc<str>] {
        &self.0
    }
}

impl<N: Into<Arc<str>>> FromIterator<N> for ObjectNames {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> ObjectNames {
        let mut names: Vec<Arc<str>> = names.into_iter().map(N::into).collect();
        if !names.is_sorted_by(|one, other| one < other) {
            names.sort_unstable();
            names.dedup();
        }
        ObjectNames(names.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_each_is_there_once() {
        let names = ObjectNames::from_iter(["b", "a", "b"]);
        assert_eq!(*names, [Arc::from("a"), Arc::from("b")]);
        assert_eq!(
            ["a", "b", "c"].map(|name| names.place(name)),
            [Some(0), Some(1), None]
        );
    }

    #[test]
    fn names_hold_others_if_all_are_among_them() {
        let names = ObjectNames::from_iter(["a", "b"]);
        assert!(names.hold(&ObjectNames::default()) && names.hold(&ObjectNames::from_iter(["b"])));
        assert!(!names.hold(&ObjectNames::from_iter(["b", "c"])));
    }
}

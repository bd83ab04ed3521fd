//! Label sets that come label by label, one after the other.

use std::collections::BTreeMap;
use std::mem;

use super::texts::{self, TooMuch};
use super::{Labels, Names};

/// Label sets in the making, which will have their values in one allocation.
///
/// Most sets have the names of the one before, in the same order, and then have the list of them in common.
#[derive(Default)]
pub struct GrowingSets {
    /// Of each set that is whole.
    names: Vec<Names>,
    values: texts::Growing,
    /// Of the set in the making there are the values of so many of the names of the set before.
    count: usize,
    /// All its labels, once one came whose name was not the next of those names.
    others: BTreeMap<Box<str>, Box<str>>,
}

impl GrowingSets {
    /// Sets a label, replacing its value if it had one.
    pub fn insert(&mut self, name: &str, value: &str) {
        let next = self.names.last().and_then(|names| names.get(self.count));
        if self.others.is_empty() && next.is_some_and(|next| **next == *name) {
            self.count += 1;
            return self.values.push(value);
        }
        self.set_apart();
        self.others.insert(name.into(), value.into());
    }

    /// The set is whole; what is set then is of the next.
    pub fn end_set(&mut self) -> Result<(), TooMuch> {
        let before = self.names.last().cloned().unwrap_or_default();
        let names = match self.others.is_empty() && self.count == before.len() {
            true => before,
            false => self.end_others(before),
        };
        self.names.push(names);
        self.count = 0;
        self.values.end_set()
    }

    /// The sets.
    pub fn finish(self) -> impl Iterator<Item = Labels> {
        let sets = self.names.into_iter().zip(self.values.finish());
        sets.map(|(names, values)| Labels { names, values })
    }

    /// Puts the values of a set in the order of its names, and gives these.
    fn end_others(&mut self, before: Names) -> Names {
        self.set_apart();
        let others = mem::take(&mut self.others);
        others.values().for_each(|value| self.values.push(value));
        match others.keys().eq(&*before) {
            true => before,
            false => others.into_keys().collect(),
        }
    }

    fn set_apart(&mut self) {
        if let Some(before) = self.names.last() {
            let names = before.iter().take(mem::take(&mut self.count));
            self.others
                .extend(names.cloned().zip(self.values.take_unfinished()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn check(before: &Labels, pairs: &[(&str, &str)]) -> (String, bool) {
        let mut growing = GrowingSets::default();
        before
            .iter()
            .for_each(|(name, value)| growing.insert(name, value));
        growing.end_set().unwrap();
        pairs.iter().for_each(|(name, value)| growing.insert(name, value));
        growing.end_set().unwrap();
        let sets: Vec<Labels> = growing.finish().collect();
        assert_eq!(&sets[0], before);
        (sets[1].to_string(), Arc::ptr_eq(&sets[1].names, &sets[0].names))
    }

    #[test]
    fn names_are_shared_with_the_set_before_in_whatever_order_they_come() {
        let before = Labels::from_iter([("namespace", "mail"), ("pod", "a")]);
        let shared = (r#"{namespace="shop",pod="b"}"#.to_owned(), true);
        assert_eq!(check(&before, &[("namespace", "shop"), ("pod", "b")]), shared);
        assert_eq!(check(&before, &[("pod", "b"), ("namespace", "shop")]), shared);
        let none = Labels::default();
        assert_eq!(check(&none, &[]), ("{}".to_owned(), true));
    }

    #[test]
    fn set_with_other_names_is_sorted_by_them_and_the_last_value_of_a_name_counts() {
        let before = Labels::from_iter([("namespace", "mail"), ("pod", "a")]);
        let other = |pairs: &[(&str, &str)], text: &str| {
            assert_eq!(check(&before, pairs), (text.to_owned(), false));
        };
        other(&[], "{}");
        other(&[("namespace", "shop")], r#"{namespace="shop"}"#);
        other(
            &[("namespace", "shop"), ("zone", "z")],
            r#"{namespace="shop",zone="z"}"#,
        );
        other(
            &[("namespace", "shop"), ("app", "x")],
            r#"{app="x",namespace="shop"}"#,
        );
        other(
            &[("namespace", "shop"), ("namespace", "mail")],
            r#"{namespace="mail"}"#,
        );
        other(
            &[("namespace", "n"), ("pod", "p"), ("zone", "z"), ("pod", "q")],
            r#"{namespace="n",pod="q",zone="z"}"#,
        );
    }
}

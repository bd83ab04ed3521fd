//! Labels that come one by one.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use super::texts;
use super::{Labels, Names};

/// A label set in the making.
///
/// Most sets have the names of the one before, in the same order, and then have the list of them in common.
#[derive(Default)]
pub struct GrowingLabels {
    names: Names,
    /// The values of so many of the names.
    count: usize,
    values: texts::Growing,
    /// All labels, once one came whose name was not the next of the names.
    others: BTreeMap<Box<str>, Box<str>>,
}

impl GrowingLabels {
    /// Without labels yet; they are likely to be like those of the set before, if there is one.
    pub fn like(before: Option<&Labels>) -> GrowingLabels {
        let Some(before) = before else {
            return GrowingLabels::default();
        };
        GrowingLabels {
            names: Arc::clone(&before.names),
            values: texts::Growing::with_capacity(before.values.len()),
            ..GrowingLabels::default()
        }
    }

    /// Sets a label, replacing its value if it had one.
    pub fn insert(&mut self, name: &str, value: &str) {
        let next = self.names.get(self.count);
        if self.others.is_empty() && next.is_some_and(|next| **next == *name) {
            self.count += 1;
            return self.values.push(value);
        }
        self.set_apart();
        self.others.insert(name.into(), value.into());
    }

    /// The labels.
    pub fn finish(mut self) -> Labels {
        if self.others.is_empty() && self.count == self.names.len() {
            let (names, values) = (self.names, self.values.finish());
            return Labels { names, values };
        }
        self.set_apart();
        let mut values = texts::Growing::default();
        self.others.values().for_each(|value| values.push(value));
        let names = match self.others.keys().eq(&*self.names) {
            true => self.names,
            false => self.others.into_keys().collect(),
        };
        let values = values.finish();
        Labels { names, values }
    }

    fn set_apart(&mut self) {
        let values = mem::take(&mut self.values).finish();
        let names = self.names.iter().take(mem::take(&mut self.count));
        let pairs = names.cloned().zip(values.iter().map(Box::from));
        self.others.extend(pairs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &Labels, pairs: &[(&str, &str)]) -> (String, bool) {
        let mut growing = GrowingLabels::like(Some(before));
        pairs.iter().for_each(|(name, value)| growing.insert(name, value));
        let labels = growing.finish();
        (labels.to_string(), Arc::ptr_eq(&labels.names, &before.names))
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

//! Label sets.

mod growing;
mod packed;
mod texts;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use growing::GrowingSets;
pub use packed::pack;
use texts::Texts;
pub use texts::TooMuch;

/// Label names and their values, sorted by name.
///
/// Answers hold hundred thousands of sets with one or two labels each: sets of the same names can have the list of them in
/// common, and the values of many sets are in one allocation ([`GrowingSets`], [`pack`]).
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    names: Names,
    values: Texts,
}

type Names = Arc<[Box<str>]>;

impl Labels {
    /// The value of a label, or `None` when the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().nth(self.place(name)?)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| **known == *name)
    }

    /// Sets a label, replacing its value if it had one.
    pub fn insert(&mut self, name: &str, value: &str) {
        *self = self.iter().chain([(name, value)]).collect();
    }

    /// Name and value of each label, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(|name| &**name).zip(self.values.iter())
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Bytes that its values take of an allocation.
    pub fn values_bytes(&self) -> usize {
        self.values.len()
    }
}

impl Ord for Labels {
    fn cmp(&self, other: &Labels) -> Ordering {
        match Arc::ptr_eq(&self.names, &other.names) {
            true => self.values.iter().cmp(other.values.iter()),
            false => self.iter().cmp(other.iter()),
        }
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Labels) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut sets = GrowingSets::default();
        let pairs = pairs.into_iter();
        pairs.for_each(|(name, value)| sets.insert(name.as_ref(), value.as_ref()));
        sets.end_set().expect("a set is far smaller");
        sets.finish().next().unwrap_or_default()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by_name: BTreeMap<_, _> = self.iter().collect();
        f.debug_tuple("Labels").field(&by_name).finish()
    }
}

/// The form Prometheus prints: `{code="200",pod="cart-0"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (position, (name, value)) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_is_found_and_replaced() {
        let mut labels = Labels::from_iter([("pod", "a"), ("namespace", "shop")]);
        assert_eq!(labels.get("pod"), Some("a"));
        assert_eq!(labels.get("po"), None);
        labels.insert("pod", "b");
        labels.insert("app", "");
        assert_eq!(labels.to_string(), r#"{app="",namespace="shop",pod="b"}"#);
    }

    #[test]
    fn sets_are_ordered_by_the_first_name_or_value_that_differs() {
        let sets = [
            Labels::default(),
            Labels::from_iter([("a", "10")]),
            Labels::from_iter([("a", "10"), ("b", "1")]),
            Labels::from_iter([("a", "9")]),
            Labels::from_iter([("b", "1")]),
        ];
        assert!(sets.is_sorted_by(|one, other| one < other));
    }
}

//! Label sets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Label names and their values, sorted by name.
///
/// A list without room to spare, since answers hold hundred thousands of sets of one or two labels; their names are few,
/// and can be shared.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Vec<(Arc<str>, Box<str>)>);

impl Labels {
    /// The value of a label, or `None` when the label is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        let position = self.position(name).ok()?;
        Some(&self.0[position].1)
    }

    /// Sets a label, replacing its value if it had one.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: impl Into<Box<str>>) {
        let (name, value) = (name.into(), value.into());
        match self.position(&name) {
            Ok(position) => self.0[position].1 = value,
            Err(position) => {
                self.0.reserve_exact(1);
                self.0.insert(position, (name, value));
            }
        }
    }

    /// Takes a label off.
    pub fn remove(&mut self, name: &str) {
        if let Ok(position) = self.position(name) {
            self.0.remove(position);
        }
    }

    /// Name and value of each label, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Keeps the texts of its names where others have the same, in place of its own.
    pub fn share_names(&mut self, others: &Labels) {
        for ((name, _), (other, _)) in self.0.iter_mut().zip(&others.0) {
            if *name == *other {
                *name = Arc::clone(other);
            }
        }
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }
}

impl<N: Into<Arc<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        let mut labels = Labels(Vec::with_capacity(pairs.size_hint().0));
        pairs.for_each(|(name, value)| labels.insert(name, value));
        labels.0.shrink_to_fit();
        labels
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
        for (position, (name, value)) in self.0.iter().enumerate() {
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
    fn names_that_others_have_too_are_shared_and_the_rest_stays() {
        let others = Labels::from_iter([("namespace", "mail"), ("pod", "a")]);
        let mut labels = Labels::from_iter([("namespace", "shop"), ("zone", "z")]);
        labels.share_names(&others);
        assert!(Arc::ptr_eq(&labels.0[0].0, &others.0[0].0));
        assert_eq!(labels.to_string(), r#"{namespace="shop",zone="z"}"#);
    }

    #[test]
    fn labels_have_no_room_to_spare() {
        let mut labels = Labels::default();
        for name in ["c", "a", "b"] {
            labels.insert(name, "value");
            assert_eq!(labels.0.capacity(), labels.0.len());
        }
    }
}

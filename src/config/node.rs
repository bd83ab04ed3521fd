//! What was written, as a tree in which every value knows its place.

use std::collections::BTreeMap;

use crate::model::Place;

/// One value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Line of the value's key, or of the value itself in a list.
    pub(crate) place: Place,
    /// The value.
    pub(crate) value: Value,
}

/// A value as written. What a scalar means is decided by the key it stands under.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Nothing, `null` or `~`: as if the key were left out.
    Null,
    /// Any text, number or truth value, as it was spelled.
    Scalar(String),
    /// Values in order.
    List(Vec<Node>),
    /// Keys and values in the order of the file; each key once.
    Mapping(Vec<(String, Node)>),
}

impl Value {
    /// The name of its kind in a message.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::List(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }
}

impl Node {
    /// What is there if nothing is written at all.
    pub(crate) fn nothing() -> Node {
        Node {
            place: Place {
                file: String::new(),
                line: None,
                key: String::new(),
            },
            value: Value::Null,
        }
    }

    /// The value of a key of this mapping; `None` if it is absent or null.
    pub(crate) fn child(&self, key: &str) -> Option<&Node> {
        let Value::Mapping(entries) = &self.value else {
            return None;
        };
        let (_, node) = entries.iter().find(|(name, _)| name == key)?;
        (!matches!(node.value, Value::Null)).then_some(node)
    }

    /// Whether it is an empty text.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.value, Value::Scalar(text) if text.is_empty())
    }

    /// The line of every key and list item below this node, by its path from here.
    pub(crate) fn lines(&self) -> BTreeMap<String, u64> {
        let mut lines = BTreeMap::new();
        self.collect_lines(self.place.key.len(), &mut lines);
        lines
    }

    fn collect_lines(&self, prefix: usize, lines: &mut BTreeMap<String, u64>) {
        let path = self.place.key[prefix..].trim_start_matches('.');
        if let (Some(line), false) = (self.place.line, path.is_empty()) {
            lines.insert(path.to_owned(), line);
        }
        match &self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(items) => items.iter().for_each(|item| item.collect_lines(prefix, lines)),
            Value::Mapping(entries) => entries
                .iter()
                .for_each(|(_, node)| node.collect_lines(prefix, lines)),
        }
    }
}

/// The path of a key below another.
pub(crate) fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

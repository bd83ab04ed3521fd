//! Sections: the keys a mapping may have, and reading a mapping by them.
//!
//! The same table tells the decoder what it knows, gives the defaults, and is printed as the reference.

use crate::model::{Labels, Place};

use super::faults::{Faults, nearest, quoted};
use super::node::{Node, Value, join};

/// The keys of one mapping.
#[derive(Debug)]
pub(crate) struct Section {
    /// Title in the reference.
    pub(crate) title: &'static str,
    /// What the mapping is, in markdown, one sentence a line.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "printed in the reference, which a test writes")
    )]
    pub(crate) about: &'static str,
    /// Its keys.
    pub(crate) fields: &'static [Field],
    /// Keys it has in common with other sections.
    pub(crate) shared: &'static [Field],
}

/// One key.
#[derive(Debug)]
pub(crate) struct Field {
    /// As it is written.
    pub(crate) key: &'static str,
    /// What may stand there: `duration`, `text`, `list of …`.
    pub(crate) kind: &'static str,
    /// What is taken when the key is left out, in the words of the file.
    pub(crate) default: Option<&'static str>,
    /// A value in YAML.
    pub(crate) example: &'static str,
    /// What it means, in markdown.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "printed in the reference, which a test writes")
    )]
    pub(crate) about: &'static str,
}

impl Field {
    /// A key without a default.
    pub(crate) const fn new(
        key: &'static str,
        kind: &'static str,
        example: &'static str,
        about: &'static str,
    ) -> Self {
        Field {
            key,
            kind,
            default: None,
            example,
            about,
        }
    }

    /// The same key with a default.
    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

impl Section {
    /// Every key of the section.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static Field> {
        self.fields.iter().chain(self.shared)
    }

    fn field(&self, key: &str) -> &'static Field {
        self.all()
            .find(|field| field.key == key)
            .unwrap_or_else(|| panic!("`{key}` is not in the table of {}", self.title))
    }
}

/// Reads a scalar: the value, or what is wrong with the text.
pub(crate) type Parse<T> = fn(&str) -> Result<T, String>;

/// A mapping that is read by its section.
///
/// After a fault any value is handed on, because whoever collects the faults refuses the whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping<'n> {
    node: &'n Node,
    section: &'static Section,
}

impl<'n> Mapping<'n> {
    /// Checks that the node is a mapping with known keys. Nothing at all is an empty mapping.
    pub(crate) fn open(node: &'n Node, section: &'static Section, faults: &mut Faults) -> Self {
        let mapping = Mapping { node, section };
        match &node.value {
            Value::Null => {}
            Value::Mapping(entries) => entries
                .iter()
                .filter(|(key, _)| !section.all().any(|field| field.key == *key))
                .for_each(|(key, entry)| mapping.unknown(key, entry, faults)),
            Value::Scalar(_) | Value::List(_) => faults.hinted(
                node.place.clone(),
                format!("expected a mapping, found {}", node.value.kind()),
                mapping.known_keys(),
            ),
        }
        mapping
    }

    fn unknown(&self, key: &str, entry: &Node, faults: &mut Faults) {
        let hint = match nearest(key, self.section.all().map(|field| field.key)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => self.known_keys(),
        };
        faults.hinted(entry.place.clone(), "unknown key", hint);
    }

    fn known_keys(&self) -> String {
        format!(
            "the keys are {}",
            quoted(self.section.all().map(|field| field.key))
        )
    }

    /// Where the mapping stands.
    pub(crate) fn place(&self) -> &'n Place {
        &self.node.place
    }

    /// The value under a key, if there is one.
    pub(crate) fn child(&self, key: &str) -> Option<&'n Node> {
        debug_assert!(self.section.field(key).key == key);
        self.node.child(key)
    }

    /// A scalar that may be left out.
    pub(crate) fn optional<T>(&self, key: &str, parse: Parse<T>, faults: &mut Faults) -> Option<T> {
        let node = self.child(key)?;
        let field = self.section.field(key);
        scalar(node, field, parse, faults)
    }

    /// A scalar that has a default.
    pub(crate) fn defaulted<T>(&self, key: &str, parse: Parse<T>, faults: &mut Faults) -> T {
        let field = self.section.field(key);
        let default = || {
            let default = field.default.expect("the table gives a default for this key");
            parse(default).expect("the default in the table is well-formed")
        };
        self.optional(key, parse, faults).unwrap_or_else(default)
    }

    /// A scalar that must be there.
    pub(crate) fn required<T: Default>(&self, key: &str, parse: Parse<T>, faults: &mut Faults) -> T {
        if self.child(key).is_none() {
            self.missing(key, faults);
        }
        self.optional(key, parse, faults).unwrap_or_default()
    }

    /// Reports that a key is needed. A value that is no mapping at all has been reported already.
    pub(crate) fn missing(&self, key: &str, faults: &mut Faults) {
        if matches!(self.node.value, Value::Null | Value::Mapping(_)) {
            let field = self.section.field(key);
            faults.hinted(
                self.place().clone(),
                format!("`{key}` is missing"),
                example(field),
            );
        }
    }

    /// The items of a list; none if the key is left out.
    pub(crate) fn items(&self, key: &str, faults: &mut Faults) -> &'n [Node] {
        match self.child(key) {
            None => &[],
            Some(Node {
                value: Value::List(items),
                ..
            }) => items,
            Some(node) => {
                wrong_kind(node, self.section.field(key), faults);
                &[]
            }
        }
    }

    /// A list of scalars, by default those of the table, else none. Outside a file, where there are no lists, one
    /// text with commas.
    pub(crate) fn texts(&self, key: &str, faults: &mut Faults) -> Vec<String> {
        let field = self.section.field(key);
        let parted = |text: &str| text.split(',').map(|item| item.trim().to_owned()).collect();
        match self.child(key) {
            Some(Node {
                value: Value::Scalar(text),
                place,
            }) if place.line.is_none() => parted(text),
            None => field
                .default
                .map_or_else(Vec::new, |list| parted(list.trim_matches(['[', ']']))),
            Some(_) => {
                let items = self.items(key, faults).iter();
                items
                    .filter_map(|item| scalar(item, field, super::scalar::text, faults))
                    .collect()
            }
        }
    }

    /// Keys and values of a mapping whose keys are the user's own, in the order of the file.
    pub(crate) fn entries(&self, key: &str, faults: &mut Faults) -> &'n [(String, Node)] {
        match self.child(key) {
            None => &[],
            Some(Node {
                value: Value::Mapping(entries),
                ..
            }) => entries,
            Some(node) => {
                wrong_kind(node, self.section.field(key), faults);
                &[]
            }
        }
    }

    /// Labels: names that are the user's own, and texts.
    pub(crate) fn labels(&self, key: &str, faults: &mut Faults) -> Labels {
        let entries = self.entries(key, faults).iter();
        entries
            .filter_map(|(name, node)| Some((name.clone(), label_value(node, faults)?)))
            .collect()
    }

    /// Reports a fault at a key, or at the mapping if the key is not there.
    pub(crate) fn fault(&self, key: &str, message: impl Into<String>, faults: &mut Faults) {
        faults.hinted(self.at(key), message, example(self.section.field(key)));
    }

    /// The place of a key.
    pub(crate) fn at(&self, key: &str) -> Place {
        match self.child(key) {
            Some(node) => node.place.clone(),
            None => Place {
                key: join(&self.place().key, key),
                ..self.place().clone()
            },
        }
    }
}

fn scalar<T>(node: &Node, field: &Field, parse: Parse<T>, faults: &mut Faults) -> Option<T> {
    let Value::Scalar(text) = &node.value else {
        wrong_kind(node, field, faults);
        return None;
    };
    match parse(text) {
        Ok(value) => Some(value),
        Err(message) => {
            faults.hinted(node.place.clone(), message, example(field));
            None
        }
    }
}

/// Nothing is the empty text.
fn label_value(node: &Node, faults: &mut Faults) -> Option<String> {
    match &node.value {
        Value::Null => Some(String::new()),
        Value::Scalar(text) => Some(text.clone()),
        Value::List(_) | Value::Mapping(_) => {
            let message = format!("expected the value of a label, found {}", node.value.kind());
            faults.report(node.place.clone(), message);
            None
        }
    }
}

fn wrong_kind(node: &Node, field: &Field, faults: &mut Faults) {
    let message = format!("expected {}, found {}", field.kind, node.value.kind());
    faults.hinted(node.place.clone(), message, example(field));
}

fn example(field: &Field) -> String {
    format!("for example `{}: {}`", field.key, field.example)
}

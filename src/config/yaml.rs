//! YAML text → tree with places.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use crate::model::{Diagnostic, Place};

use super::faults::Faults;
use super::node::{Node, Value, join};

/// Reads one YAML document. An empty text is an empty mapping.
///
/// A text that is not YAML has one fault, the place where reading stopped; keys written twice are reported all.
pub(crate) fn parse(text: &str, file: &str, faults: &mut Faults) -> Option<Node> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
        // A file of a hundred thousand objects is as long as it has to be; what aliases repeat has its own bounds.
        budget: serde_saphyr::budget! {
            max_nodes: 16 + 2 * text.len(),
            max_events: 16 + 4 * text.len(),
        },
    };
    match serde_saphyr::from_str_with_options::<Option<Spanned<Raw>>>(text, options) {
        Ok(root) => {
            let root = root.map_or(Raw::Null, |root| root.value);
            let mut builder = Builder { text, file, faults };
            Some(builder.node(&root, None, String::new()))
        }
        Err(error) => {
            faults.push(not_yaml(&error, file));
            None
        }
    }
}

fn not_yaml(error: &serde_saphyr::Error, file: &str) -> Diagnostic {
    let cause = error.without_snippet();
    Diagnostic {
        place: Place {
            file: file.to_owned(),
            line: error.location().as_ref().and_then(line),
            key: String::new(),
        },
        message: match cause {
            serde_saphyr::Error::MultipleDocuments { .. } => "a second document begins here".to_owned(),
            other => format!("not readable as YAML: {}", without_place(&other.to_string())),
        },
        hint: match cause {
            serde_saphyr::Error::MultipleDocuments { .. } => {
                Some("put everything into one document, without `---` between its parts".to_owned())
            }
            _ => Some("look at brackets, quotes and indentation there and just above".to_owned()),
        },
    }
}

/// The library's words without the place, which the diagnostic begins with.
fn without_place(message: &str) -> &str {
    let message = message.split(" at line ").next().unwrap_or_default();
    message.strip_prefix("error: ").unwrap_or(message)
}

fn line(location: &Location) -> Option<u64> {
    (*location != Location::UNKNOWN).then(|| location.line())
}

/// The document as the YAML library hands it over, with locations beside the values.
enum Raw {
    Null,
    /// Text that is known as such: quoted, a block, or plain and not like anything else.
    Text(String),
    /// A number or truth value. Its spelling is taken from the source, so that `1.10` stays `1.10`.
    Typed(String),
    List(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

/// Turns raw values into nodes: spelling, places and repeated keys.
struct Builder<'a> {
    text: &'a str,
    file: &'a str,
    faults: &'a mut Faults,
}

impl Builder<'_> {
    fn node(&mut self, raw: &Raw, at: Option<&Location>, key: String) -> Node {
        let place = self.place(at, key);
        let value = match raw {
            Raw::Null => Value::Null,
            Raw::Text(text) => Value::Scalar(text.clone()),
            Raw::Typed(text) => Value::Scalar(text.clone()),
            Raw::List(items) => Value::List(self.items(items, &place.key)),
            Raw::Mapping(entries) => Value::Mapping(self.entries(entries, &place.key)),
        };
        Node { place, value }
    }

    fn items(&mut self, items: &[Spanned<Raw>], parent: &str) -> Vec<Node> {
        let items = items.iter().enumerate();
        items
            .map(|(index, item)| {
                let mut node = self.node(&item.value, Some(&item.defined), format!("{parent}[{index}]"));
                self.respell(&mut node, item);
                node
            })
            .collect()
    }

    fn entries(&mut self, entries: &[(Spanned<Raw>, Spanned<Raw>)], parent: &str) -> Vec<(String, Node)> {
        let mut nodes: Vec<(String, Node)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let Some(name) = self.key(key, parent) else {
                continue;
            };
            let mut node = self.node(&value.value, Some(&key.defined), join(parent, &name));
            self.respell(&mut node, value);
            match nodes.iter().find(|(earlier, _)| *earlier == name) {
                Some((_, earlier)) => self.repeated(&node, earlier),
                None => nodes.push((name, node)),
            }
        }
        nodes
    }

    fn key(&mut self, key: &Spanned<Raw>, parent: &str) -> Option<String> {
        match &key.value {
            Raw::Text(text) => Some(text.clone()),
            Raw::Typed(text) => Some(self.spelling(&key.defined).unwrap_or(text).to_owned()),
            Raw::Null | Raw::List(_) | Raw::Mapping(_) => {
                let place = self.place(Some(&key.defined), parent.to_owned());
                self.faults.report(place, "a key must be a single word");
                None
            }
        }
    }

    /// Gives a number or truth value the spelling it has in the file.
    fn respell(&self, node: &mut Node, raw: &Spanned<Raw>) {
        if let (Raw::Typed(_), Some(spelling)) = (&raw.value, self.spelling(&raw.defined)) {
            node.value = Value::Scalar(spelling.to_owned());
        }
    }

    fn spelling(&self, location: &Location) -> Option<&str> {
        let start = usize::try_from(location.span().byte_offset()?).ok()?;
        let length = usize::try_from(location.span().byte_len()?).ok()?;
        let spelling = self.text.get(start..start + length)?.trim();
        (!spelling.is_empty()).then_some(spelling)
    }

    fn repeated(&mut self, node: &Node, earlier: &Node) {
        let message = match earlier.place.line {
            Some(line) => format!("this key stands already in line {line}"),
            None => "this key is written twice".to_owned(),
        };
        self.faults
            .hinted(node.place.clone(), message, "take one of the two out");
    }

    fn place(&self, at: Option<&Location>, key: String) -> Place {
        Place {
            file: self.file.to_owned(),
            line: at.and_then(line),
            key,
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

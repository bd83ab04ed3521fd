//! Layers of settings: file, environment, flags, each over the one before.
//!
//! Defaults are the lowest layer; they stand in the tables of the sections and fill what no layer gives.

use std::collections::BTreeMap;

use config::{Case, ConfigError, Environment, Map, Source, Value as Layered, ValueKind};

use crate::model::Place;

use super::faults::Faults;
use super::node::{Node, Value, join};
use super::settings::RULE_KEYS;

/// A setting given by a flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The flag as typed, `--prometheus-url`.
    pub flag: String,
    /// Path of the key in the file: `backends.default.url`.
    pub key: String,
    /// What it is set to.
    pub value: OverrideValue,
}

/// What a flag sets a key to.
#[derive(Clone, Debug, PartialEq)]
pub enum OverrideValue {
    /// A single value, as text.
    Text(String),
    /// A list.
    List(Vec<OverrideValue>),
    /// A mapping.
    Mapping(Vec<(String, OverrideValue)>),
}

/// Prefix of environment variables: `PROMQL_ADAPTER__FRESH_FOR` sets `freshFor`.
const PREFIX: &str = "PROMQL_ADAPTER";
const SEPARATOR: &str = "__";

/// Puts the layers over one another. Each value of the result has the place it comes from.
pub(crate) fn merge(
    file: &Node,
    environment: &BTreeMap<String, String>,
    overrides: &[Override],
    faults: &mut Faults,
) -> Node {
    let lines = file.lines();
    let layers = [file_layer(file)]
        .into_iter()
        .chain(environment_layers(environment, faults))
        .chain(overrides.iter().map(flag_layer));
    let built = layers
        .fold(config::Config::builder(), |builder, layer| {
            builder.add_source(layer)
        })
        .build();
    match built {
        Ok(merged) => {
            let back = Back {
                file: &file.place.file,
                lines,
            };
            back.node(&merged.cache, String::new())
        }
        Err(error) => {
            faults.report(file.place.clone(), error.to_string());
            Node {
                place: file.place.clone(),
                value: Value::Null,
            }
        }
    }
}

/// One layer: keys, or paths of keys, and their values.
#[derive(Clone, Debug)]
struct Layer(Map<String, Layered>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Layered>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// The file without its rules.
fn file_layer(file: &Node) -> Layer {
    let Value::Mapping(entries) = &file.value else {
        return Layer(Map::new());
    };
    let settings = entries
        .iter()
        .filter(|(key, _)| !RULE_KEYS.contains(&key.as_str()));
    Layer(settings.map(|(key, node)| (key.clone(), layered(node))).collect())
}

fn layered(node: &Node) -> Layered {
    let kind = match &node.value {
        Value::Null => ValueKind::Nil,
        Value::Scalar(text) => ValueKind::String(text.clone()),
        Value::List(items) => ValueKind::Array(items.iter().map(layered).collect()),
        Value::Mapping(entries) => {
            let entries = entries.iter();
            ValueKind::Table(entries.map(|(key, node)| (key.clone(), layered(node))).collect())
        }
    };
    let line = node.place.line.map_or_else(String::new, |line| line.to_string());
    Layered::new(Some(&line), kind)
}

/// One layer for each variable, so that each value knows the name of its variable.
fn environment_layers(environment: &BTreeMap<String, String>, faults: &mut Faults) -> Vec<Layer> {
    let prefix = format!("{PREFIX}{SEPARATOR}");
    let variables = environment.iter().filter(|(name, _)| name.starts_with(&prefix));
    variables
        .filter_map(|(name, value)| {
            let origin = format!("environment variable {name}");
            variable_layer(name, value, &origin)
                .map_err(|message| {
                    faults.report(
                        Place {
                            file: origin,
                            line: None,
                            key: String::new(),
                        },
                        message,
                    )
                })
                .ok()
        })
        .collect()
}

fn variable_layer(name: &str, value: &str, origin: &String) -> Result<Layer, String> {
    let source = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .convert_case(Case::Camel)
        .ignore_empty(true)
        .source(Some(Map::from([(name.to_owned(), value.to_owned())])));
    let keys = source.collect().map_err(|error| error.to_string())?;
    if keys.keys().any(|key| RULE_KEYS.contains(&key.as_str())) {
        return Err("rules are read from the file only".to_owned());
    }
    let keys = keys.into_iter();
    Ok(Layer(
        keys.map(|(key, value)| (key, Layered::new(Some(origin), value.kind)))
            .collect(),
    ))
}

fn flag_layer(over: &Override) -> Layer {
    let origin = format!("flag {}", over.flag);
    Layer(Map::from([(over.key.clone(), flag_value(&over.value, &origin))]))
}

fn flag_value(value: &OverrideValue, origin: &String) -> Layered {
    let kind = match value {
        OverrideValue::Text(text) => ValueKind::String(text.clone()),
        OverrideValue::List(items) => {
            ValueKind::Array(items.iter().map(|item| flag_value(item, origin)).collect())
        }
        OverrideValue::Mapping(entries) => {
            let entries = entries.iter();
            ValueKind::Table(
                entries
                    .map(|(key, value)| (key.clone(), flag_value(value, origin)))
                    .collect(),
            )
        }
    };
    Layered::new(Some(origin), kind)
}

/// The way back from merged values to nodes with places.
struct Back<'a> {
    file: &'a str,
    /// Lines of the file by key, for mappings: the merge makes them anew, without origin.
    lines: BTreeMap<String, u64>,
}

impl Back<'_> {
    fn node(&self, layered: &Layered, key: String) -> Node {
        let value = match &layered.kind {
            ValueKind::Nil => Value::Null,
            ValueKind::Array(items) => {
                let items = items.iter().enumerate();
                Value::List(
                    items
                        .map(|(index, item)| self.node(item, format!("{key}[{index}]")))
                        .collect(),
                )
            }
            ValueKind::Table(entries) => Value::Mapping(self.entries(entries, &key)),
            scalar => Value::Scalar(scalar.to_string()),
        };
        Node {
            place: self.place(layered, key),
            value,
        }
    }

    /// In alphabetical order, because the merge has lost the order of the file.
    fn entries(&self, entries: &Map<String, Layered>, parent: &str) -> Vec<(String, Node)> {
        let sorted: BTreeMap<&String, &Layered> = entries.iter().collect();
        let nodes = sorted.into_iter();
        nodes
            .map(|(key, value)| (key.clone(), self.node(value, join(parent, key))))
            .collect()
    }

    /// The origin is a line of the file, or the name of a variable or flag, or nothing.
    fn place(&self, layered: &Layered, key: String) -> Place {
        let origin = layered.origin().unwrap_or_default();
        let in_file = origin.is_empty() || origin.parse::<u64>().is_ok();
        Place {
            file: if in_file { self.file } else { origin }.to_owned(),
            line: origin
                .parse()
                .ok()
                .or_else(|| self.lines.get(&key).copied().filter(|_| in_file)),
            key,
        }
    }
}

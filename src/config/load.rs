//! From text to settings and rules.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{Diagnostic, Place};

use super::backend::Backend;
use super::faults::{Faults, nearest, quoted};
use super::layers::{Override, merge};
use super::node::{Node, Value};
use super::objects_file::ObjectsFile;
use super::rules_file::{Api, RulesFile, WrittenRule, read_rules_file};
use super::settings::{Settings, read_settings};
use super::yaml;

/// Everything the user configured.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What the layers make together.
    pub settings: Settings,
    /// What the file says about rules.
    pub rules: RulesFile,
    /// Objects that are given here, in place of those of a cluster or of `objectsFile`: the quickstart's.
    pub objects: Option<ObjectsFile>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    /// All faults of reading.
    pub faults: Vec<Diagnostic>,
    /// The rules as far as they can be read, so that their other faults can be told at the same time.
    pub rules: RulesFile,
}

impl From<Vec<Diagnostic>> for Refused {
    fn from(faults: Vec<Diagnostic>) -> Refused {
        Refused {
            faults,
            rules: RulesFile::default(),
        }
    }
}

/// Reads the file at `path` and the environment of the process, and puts the flags over both.
pub fn read(path: &Path, overrides: &[Override]) -> Result<Configuration, Refused> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    // A variable that is not Unicode cannot be one of ours.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    load(&text, &name, &environment, overrides)
}

/// The text of a file the user named, or why it cannot be read.
pub(crate) fn read_text(path: &Path) -> Result<String, Vec<Diagnostic>> {
    std::fs::read_to_string(path).map_err(|error| {
        vec![Diagnostic {
            place: Place {
                file: path.display().to_string(),
                line: None,
                key: String::new(),
            },
            message: format!("cannot be read: {error}"),
            hint: None,
        }]
    })
}

/// Reads the text of a file called `name`, puts environment and flags over it, and yields all faults at once.
pub fn load(
    text: &str,
    name: &str,
    environment: &BTreeMap<String, String>,
    overrides: &[Override],
) -> Result<Configuration, Refused> {
    let mut faults = Faults::default();
    let Some(file) = yaml::parse(text, name, &mut faults) else {
        return Ok(faults.or(None)?);
    };
    if let Value::Scalar(_) | Value::List(_) = file.value {
        let message = format!(
            "expected a mapping with keys like `rules`, found {}",
            file.value.kind()
        );
        faults.report(file.place.clone(), message);
    }
    let rules = read_rules_file(&file, &mut faults);
    let merged = merge(&file, environment, overrides, &mut faults);
    let settings = read_settings(&merged, &mut faults);
    check_backends(&rules, &settings, &mut faults);
    check_max_age(&rules, &settings, &merged, &mut faults);
    check_objects(&settings, &merged, &mut faults);
    check_pods(&settings, &merged, &mut faults);
    match faults.or(Some(settings)) {
        Ok(settings) => Ok(Configuration {
            settings,
            rules,
            objects: None,
        }),
        Err(faults) => Err(Refused { faults, rules }),
    }
}

/// Every rule must name a backend that there is.
fn check_backends(rules: &RulesFile, settings: &Settings, faults: &mut Faults) {
    let names = || settings.backends.keys().map(String::as_str);
    let of_rules = rules.rules.iter().map(|rule| (&rule.backend, rule.at("backend")));
    let of_resources = rules
        .resource_rules
        .iter()
        .flat_map(|rules| [&rules.cpu, &rules.memory]);
    let of_resources = of_resources
        .flatten()
        .map(|rule| (&rule.backend, rule.at("backend")));
    for (backend, place) in of_rules.chain(of_resources) {
        if !settings.backends.contains_key(backend) {
            let hint = match nearest(backend, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the backends are {}", quoted(names())),
            };
            faults.hinted(place, format!("there is no backend `{backend}`"), hint);
        }
    }
}

/// Objects come from one place.
fn check_objects(settings: &Settings, merged: &Node, faults: &mut Faults) {
    let kubeconfig = merged.child("kubernetes").and_then(|it| it.child("kubeconfig"));
    if let (Some(_), Some(node)) = (&settings.objects_file, kubeconfig) {
        faults.hinted(
            node.place.clone(),
            "objects come from a cluster or from `objectsFile`, not from both",
            "leave one of them out",
        );
    }
}

/// Pods are found in a cluster; a file does not say where they listen.
fn check_pods(settings: &Settings, merged: &Node, faults: &mut Faults) {
    if settings.objects_file.is_none() {
        return;
    }
    for (name, backend) in &settings.backends {
        let Backend::Embedded(embedded) = backend else {
            continue;
        };
        let node = merged.child("backends").and_then(|backends| backends.child(name));
        if let (true, Some(node)) = (embedded.scrapes_pods(), node) {
            faults.hinted(
                node.place.clone(),
                "pods to scrape are found in a cluster, and objects come from `objectsFile`",
                "name what is scraped under `embedded.targets`",
            );
        }
    }
}

/// Upstream refuses this for custom rules only, and so do we.
fn check_max_age(rules: &RulesFile, settings: &Settings, merged: &Node, faults: &mut Faults) {
    let custom = |rule: &WrittenRule| rule.api == Api::Custom;
    let (Some(age), Some(node)) = (settings.metrics_max_age, merged.child("metricsMaxAge")) else {
        return;
    };
    if age < settings.metrics_relist_interval && rules.rules.iter().any(custom) {
        faults.hinted(
            node.place.clone(),
            "must not be shorter than `metricsRelistInterval`, or metrics vanish between two discoveries",
            "leave it out, or make it as long as `metricsRelistInterval`",
        );
    }
}

//! Settings of the process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::access::{AccessSettings, read_access};
use super::backend::{Backend, DEFAULT_BACKEND, read_backend, upstream_default};
use super::faults::Faults;
use super::kubernetes::{KubernetesSettings, read_kubernetes};
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};
use super::serving::{ServingSettings, read_serving};

/// All settings beside the rules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Backends by name; rules use `default` unless they name another.
    pub backends: BTreeMap<String, Backend>,
    /// File of resources and objects, for running without a cluster.
    pub objects_file: Option<PathBuf>,
    /// The cluster.
    pub kubernetes: KubernetesSettings,
    /// An answer is fresh until its evaluation time is this old. Default 10 s.
    pub fresh_for: Duration,
    /// How long the last answer may be served after the backend failed, from its evaluation time. Default 15 s; 0 turns it off.
    pub serve_stale_for: Duration,
    /// How long a failure is shared before the backend is asked again. Default 5 s.
    pub failure_hold: Duration,
    /// Evaluation times are multiples of this. Default 5 s.
    pub evaluation_grid: Duration,
    /// How often each autoscaler asks. Default 15 s.
    pub sync_period: Duration,
    /// Deadline of one request to the adapter. Default 3 s.
    pub request_timeout: Duration,
    /// `metricsRelistInterval`, `--metrics-relist-interval`. Default 10 min.
    pub metrics_relist_interval: Duration,
    /// `metricsMaxAge`, `--metrics-max-age`. `None` unless given; then `/series` is used for every rule.
    pub metrics_max_age: Option<Duration>,
    /// Upstream's unescaped pass-through of selector values as regular expressions. Default false.
    pub raw_selector_values: bool,
    /// Listeners.
    pub serving: ServingSettings,
    /// Who may ask.
    pub access: AccessSettings,
}

/// The keys that hold rules. They stand in the file only, no other layer can change them.
pub(crate) const RULE_KEYS: [&str; 3] = ["rules", "externalRules", "resourceRules"];

pub(crate) const SETTINGS: Section = Section {
    title: "Top level",
    about: "The keys `rules`, `externalRules` and `resourceRules` are described in [rules.md](rules.md).",
    fields: &[
        Field::new(
            "rules",
            "list of rules",
            "[]",
            "Rules for `custom.metrics.k8s.io`. Read from the file only.",
        ),
        Field::new(
            "externalRules",
            "list of rules",
            "[]",
            "Rules for `external.metrics.k8s.io`. Read from the file only.",
        ),
        Field::new(
            "resourceRules",
            "mapping",
            "{}",
            "Rules for `metrics.k8s.io`, which is served only with them. Read from the file only.",
        ),
        Field::new(
            "backends",
            "mapping of name to backend",
            "{default: {url: 'http://prometheus:9090'}}",
            "Where to ask. A rule asks `default` unless it names another.\n\
             Left out: one backend `default` at `https://localhost`.",
        ),
        Field::new(
            "objectsFile",
            "path",
            "objects.yaml",
            "File of resources and objects, for running without a cluster.",
        ),
        Field::new(
            "kubernetes",
            "mapping",
            "{kubeconfig: /etc/adapter/kubeconfig}",
            "The cluster.",
        ),
        Field::new(
            "freshFor",
            "duration",
            "10s",
            "An answer is served again without asking until its evaluation time is this old.",
        )
        .or("10s"),
        Field::new(
            "serveStaleFor",
            "duration",
            "15s",
            "How long the last answer may be served after the backend failed, counted from its evaluation time.\n\
             Afterwards the request fails and the autoscaler holds. `0` turns it off.",
        )
        .or("15s"),
        Field::new(
            "failureHold",
            "duration",
            "5s",
            "How long a failure is shared by all who ask before the backend is asked again.",
        )
        .or("5s"),
        Field::new(
            "evaluationGrid",
            "duration",
            "1s",
            "Evaluation times are multiples of this, so that equal questions of all replicas are equal. `0` turns it off.",
        )
        .or("1s"),
        Field::new(
            "syncPeriod",
            "duration",
            "15s",
            "How often each autoscaler asks: `--horizontal-pod-autoscaler-sync-period` of kube-controller-manager.\n\
             What is asked for twice within two of these periods is refreshed before it goes stale, and dropped when it is not asked for as long.",
        )
        .or("15s"),
        Field::new(
            "requestTimeout",
            "duration",
            "3s",
            "Deadline of one request to the adapter.",
        )
        .or("3s"),
        Field::new(
            "metricsRelistInterval",
            "duration",
            "10m",
            "How often rules that need discovery look for series.",
        )
        .or("10m"),
        Field::new(
            "metricsMaxAge",
            "duration",
            "10m",
            "How far back discovery looks.\n\
             If it is given, every rule asks `/series`, and it must not be shorter than `metricsRelistInterval`.",
        ),
        Field::new(
            "rawSelectorValues",
            "true or false",
            "true",
            "Pass values of `in` and `notin` selectors on as regular expressions, as prometheus-adapter does, instead of escaping them.",
        )
        .or("false"),
        Field::new(
            "serving",
            "mapping",
            "{securePort: 6443}",
            "Where and how the adapter listens.",
        ),
        Field::new("access", "mapping", "{allowedTtl: 1m}", "Who may ask."),
    ],
    shared: &[],
};

/// Reads the settings from what the layers make together.
pub(crate) fn read_settings(root: &Node, faults: &mut Faults) -> Settings {
    let file = Mapping::open(root, &SETTINGS, faults);
    let empty = |key| Node {
        place: file.at(key),
        value: super::node::Value::Null,
    };
    let section = |key| file.child(key).cloned().unwrap_or_else(|| empty(key));
    Settings {
        backends: read_backends(&file, faults),
        objects_file: file.optional("objectsFile", scalar::path, faults),
        kubernetes: read_kubernetes(&section("kubernetes"), faults),
        fresh_for: file.defaulted("freshFor", scalar::duration, faults),
        serve_stale_for: file.defaulted("serveStaleFor", scalar::duration, faults),
        failure_hold: file.defaulted("failureHold", scalar::duration, faults),
        evaluation_grid: file.defaulted("evaluationGrid", scalar::duration, faults),
        sync_period: file.defaulted("syncPeriod", scalar::positive_duration, faults),
        request_timeout: file.defaulted("requestTimeout", scalar::positive_duration, faults),
        metrics_relist_interval: file.defaulted("metricsRelistInterval", scalar::positive_duration, faults),
        // Upstream's default is 0 and means the relist interval, which is what leaving it out does.
        metrics_max_age: file
            .optional("metricsMaxAge", scalar::duration, faults)
            .filter(|age| !age.is_zero()),
        raw_selector_values: file.defaulted("rawSelectorValues", scalar::boolean, faults),
        serving: read_serving(&section("serving"), faults),
        access: read_access(&section("access"), faults),
    }
}

fn read_backends(file: &Mapping<'_>, faults: &mut Faults) -> BTreeMap<String, Backend> {
    let entries = file.entries("backends", faults);
    if entries.is_empty() {
        return BTreeMap::from([(DEFAULT_BACKEND.to_owned(), upstream_default())]);
    }
    entries
        .iter()
        .map(|(name, node)| (name.clone(), read_backend(name, node, faults)))
        .collect()
}

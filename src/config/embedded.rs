//! Settings of a backend of our own, which scrapes for itself.

use std::time::Duration;

use crate::model::{Labels, Selector};

use super::faults::Faults;
use super::node::{Node, Value};
use super::scalar;
use super::section::{Field, Mapping, Section};

/// A backend of our own: what it scrapes, and how.
#[derive(Clone, Debug)]
pub struct EmbeddedBackend {
    /// How it scrapes, and how much it keeps.
    pub settings: EmbeddedSettings,
    /// Targets that are always scraped.
    pub targets: Vec<StaticTarget>,
    /// Whether pods are scraped that ask for it by their annotations. Default false.
    pub annotated_pods: bool,
    /// Pods that are scraped because of their labels.
    pub pods: Vec<ScrapedPods>,
}

/// How an embedded backend scrapes, and how much of it it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedSettings {
    /// From one scrape of a target to the next; not nothing. Default 5 s.
    pub scrape_interval: Duration,
    /// Deadline of one scrape, from asking for the connection to the last byte; never more than the interval.
    /// Default 3 s.
    pub scrape_timeout: Duration,
    /// Scrapes under way at once. Default 200.
    pub max_concurrent_scrapes: usize,
    /// Samples that one scrape may bring, those that no rule reads among them; a target with more counts as down.
    /// Default 50,000.
    pub max_samples_per_scrape: usize,
    /// Largest answer of a target in bytes after decompression; a target with more counts as down. Default 16 MiB.
    pub max_scrape_bytes: usize,
    /// Bytes that the samples of all targets may take in memory. Default 256 MiB.
    pub memory_limit_bytes: usize,
}

/// A target that is always scraped.
#[derive(Clone, Debug)]
pub struct StaticTarget {
    /// What is fetched.
    pub url: String,
    /// Labels of all its series, `instance` among them.
    pub labels: Labels,
}

/// The label that says where a series was scraped.
const INSTANCE: &str = "instance";

impl StaticTarget {
    /// With these labels, and `instance` if it is not one of them.
    pub fn new(url: &str, mut labels: Labels) -> StaticTarget {
        if labels.get(INSTANCE).is_none() {
            labels.insert(INSTANCE, host(url));
        }
        StaticTarget {
            url: url.to_owned(),
            labels,
        }
    }
}

/// Host and port of a URL, as far as it has them.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Pods that are scraped because of their labels.
#[derive(Clone, Debug)]
pub struct ScrapedPods {
    /// Which pods.
    pub selector: Selector,
    /// Of one namespace; of all if `None`.
    pub namespace: Option<String>,
    /// Port of the pod.
    pub port: u16,
    /// Path there. Default `/metrics`.
    pub path: String,
    /// Labels of all their series, beside those that name the pod.
    pub labels: Labels,
}

impl EmbeddedBackend {
    /// Whether targets come from the pods of a cluster.
    pub fn scrapes_pods(&self) -> bool {
        self.annotated_pods || !self.pods.is_empty()
    }
}

/// Time for one scrape, unless the interval is shorter.
const LONGEST_SCRAPE: Duration = Duration::from_secs(3);

pub(crate) const EMBEDDED: Section = Section {
    title: "`backends.NAME.embedded`",
    about: "A backend of the adapter's own: it scrapes targets itself and keeps what the rules read of the last minutes in memory.\n\
            [When to use it](../concepts/backends.md#the-embedded-backend).\n\
            At least one of `targets`, `annotatedPods` and `pods` says what to scrape.",
    fields: &[
        Field::new(
            "targets",
            "list of targets",
            "[{url: 'http://10.0.0.7:8080/metrics', labels: {namespace: shop, pod: cart-0}}]",
            "Targets that are always scraped.",
        ),
        Field::new(
            "annotatedPods",
            "true or false",
            "true",
            "Scrape the running pods that have the annotation `prometheus.io/scrape: \"true\"`.\n\
             Their annotation `prometheus.io/port` says where, else all ports that their containers declare for TCP are scraped; `prometheus.io/path` gives the path, `/metrics` if there is none, and `prometheus.io/scheme` may be `https`.\n\
             Their series get the labels `namespace`, `pod`, `container` and `instance`.",
        )
        .or("false"),
        Field::new(
            "pods",
            "list of pods",
            "[{labelSelector: app=cart, port: 8080}]",
            "Running pods that are scraped because of their labels. A pod and port is scraped once, as the first entry says that it fits.",
        ),
        Field::new(
            "scrapeInterval",
            "duration",
            "1s",
            "From one scrape of a target to the next.",
        )
        .or("5s"),
        Field::new(
            "scrapeTimeout",
            "duration",
            "2s",
            "Time for one scrape, no longer than `scrapeInterval`. Left out: 3 s, or the interval if that is shorter.",
        ),
        Field::new(
            "maxConcurrentScrapes",
            "whole number",
            "50",
            "How many scrapes may be under way at once.",
        )
        .or("200"),
        Field::new(
            "maxSamplesPerScrape",
            "whole number",
            "10000",
            "Most samples of one scrape, those that no rule reads among them; a target with more counts as down.",
        )
        .or("50000"),
        Field::new(
            "maxScrapeBytes",
            "whole number",
            "1048576",
            "Largest answer of a target in bytes, after decompression; a target with more counts as down.",
        )
        .or("16777216"),
        Field::new(
            "memoryLimitBytes",
            "whole number",
            "67108864",
            "Most bytes that the samples of all targets may take. Of a scrape whose new series do not fit nothing is taken.",
        )
        .or("268435456"),
    ],
    shared: &[],
};

pub(crate) const TARGET: Section = Section {
    title: "An entry of `embedded.targets`",
    about: "A target that is always scraped.",
    fields: &[
        Field::new(
            "url",
            "URL",
            "'http://10.0.0.7:8080/metrics'",
            "What is fetched, with its path.",
        ),
        Field::new(
            "labels",
            "mapping of text to text",
            "{namespace: shop, pod: cart-0}",
            "Labels of all its series. They get `instance` too, host and port, unless it is given.",
        ),
    ],
    shared: &[],
};

pub(crate) const PODS: Section = Section {
    title: "An entry of `embedded.pods`",
    about: "Running pods that are scraped because of their labels.",
    fields: &[
        Field::new(
            "labelSelector",
            "label selector",
            "'app in (cart,till)'",
            "Which pods, as `kubectl get pods -l` takes it.",
        ),
        Field::new("namespace", "text", "shop", "Of one namespace. Left out: of all."),
        Field::new("port", "port", "8080", "Port of the pod."),
        Field::new("path", "path of a URL", "/internal/metrics", "Path there.").or("/metrics"),
        Field::new(
            "labels",
            "mapping of text to text",
            "{service: cart}",
            "Labels of all their series, beside `namespace`, `pod`, `container` and `instance`.",
        ),
    ],
    shared: &[],
};

/// What is taken where nothing is said.
impl Default for EmbeddedSettings {
    fn default() -> Self {
        let nothing = Node::nothing();
        let mut faults = Faults::default();
        read_limits(&Mapping::open(&nothing, &EMBEDDED, &mut faults), &mut faults)
    }
}

/// Reads `embedded`.
pub(crate) fn read_embedded(node: &Node, faults: &mut Faults) -> EmbeddedBackend {
    let embedded = Mapping::open(node, &EMBEDDED, faults);
    let targets = read_targets(&embedded, faults);
    let pods = embedded.items("pods", faults).iter();
    let pods = pods.map(|node| read_pods(node, faults)).collect();
    let backend = EmbeddedBackend {
        settings: read_limits(&embedded, faults),
        targets,
        annotated_pods: embedded.defaulted("annotatedPods", scalar::boolean, faults),
        pods,
    };
    let is_said = ["targets", "annotatedPods", "pods"].map(|key| embedded.child(key).is_some());
    if matches!(node.value, Value::Mapping(_)) && is_said == [false; 3] {
        faults.hinted(
            node.place.clone(),
            "nothing says what is scraped",
            "give `targets`, `pods` or `annotatedPods: true`",
        );
    }
    backend
}

fn read_limits(embedded: &Mapping<'_>, faults: &mut Faults) -> EmbeddedSettings {
    let scrape_interval = embedded.defaulted("scrapeInterval", scalar::positive_duration, faults);
    let scrape_timeout = embedded.optional("scrapeTimeout", scalar::positive_duration, faults);
    if scrape_timeout.is_some_and(|timeout| timeout > scrape_interval) {
        faults.hinted(
            embedded.at("scrapeTimeout"),
            "must not be longer than `scrapeInterval`, or the next scrape would have to wait",
            "make it shorter, or leave it out",
        );
    }
    EmbeddedSettings {
        scrape_interval,
        scrape_timeout: scrape_timeout.unwrap_or(LONGEST_SCRAPE.min(scrape_interval)),
        max_concurrent_scrapes: embedded.defaulted("maxConcurrentScrapes", scalar::positive_count, faults),
        max_samples_per_scrape: embedded.defaulted("maxSamplesPerScrape", scalar::positive_count, faults),
        max_scrape_bytes: embedded.defaulted("maxScrapeBytes", scalar::positive_count, faults),
        memory_limit_bytes: embedded.defaulted("memoryLimitBytes", scalar::positive_count, faults),
    }
}

/// Two targets with the same labels would have the same series.
fn read_targets(embedded: &Mapping<'_>, faults: &mut Faults) -> Vec<StaticTarget> {
    let mut targets: Vec<StaticTarget> = Vec::new();
    for node in embedded.items("targets", faults) {
        let target = read_target(node, faults);
        // Those without a URL have a fault already.
        let known = |known: &StaticTarget| known.labels == target.labels && !known.url.is_empty();
        if let Some(number) = targets.iter().position(known) {
            faults.hinted(
                node.place.clone(),
                format!("the labels of `targets[{number}]`, {}", target.labels),
                "give it a label of its own",
            );
        }
        targets.push(target);
    }
    targets
}

fn read_target(node: &Node, faults: &mut Faults) -> StaticTarget {
    let target = Mapping::open(node, &TARGET, faults);
    StaticTarget::new(
        &target.required("url", target_url, faults),
        read_labels(&target, faults),
    )
}

fn read_pods(node: &Node, faults: &mut Faults) -> ScrapedPods {
    let pods = Mapping::open(node, &PODS, faults);
    ScrapedPods {
        selector: pods.required("labelSelector", label_selector, faults),
        namespace: pods.optional("namespace", scalar::word, faults),
        port: pods.required("port", open_port, faults),
        path: pods.defaulted("path", url_path, faults),
        labels: read_labels(&pods, faults),
    }
}

fn read_labels(entry: &Mapping<'_>, faults: &mut Faults) -> Labels {
    for (name, node) in entry.entries("labels", faults) {
        if let Err(message) = target_label(name) {
            faults.report(node.place.clone(), message);
        }
    }
    entry.labels("labels", faults)
}

/// The message does not repeat it, for the log would have the password then.
fn target_url(text: &str) -> Result<String, String> {
    let url = scalar::url(text)?;
    match host(&url).contains('@') {
        true => {
            Err("a user stands in front of the host, and targets are asked without credentials".to_owned())
        }
        false => Ok(url),
    }
}

/// Names with two underscores in front are Prometheus' own.
fn target_label(name: &str) -> Result<String, String> {
    match name.starts_with("__") {
        true => Err(format!("`{name}` cannot be a label of a target")),
        false => scalar::label(name),
    }
}

fn label_selector(text: &str) -> Result<Selector, String> {
    text.parse::<Selector>().map_err(|error| error.to_string())
}

fn open_port(text: &str) -> Result<u16, String> {
    match scalar::port(text)? {
        0 => Err("`0` is no port that a pod can listen on".to_owned()),
        port => Ok(port),
    }
}

fn url_path(text: &str) -> Result<String, String> {
    match text.starts_with('/') && !text.contains(char::is_whitespace) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` does not begin with `/`, or has white space in it"
        )),
    }
}

//! What an embedded backend scrapes: targets of the settings, and pods.

use std::convert::Infallible;
use std::net::Ipv6Addr;
use std::sync::Arc;

use tokio::sync::watch;

use crate::config::{EmbeddedBackend, ScrapedPods, StaticTarget};
use crate::embedded::{Embedded, Target};
use crate::kubernetes::{RunningPod, RunningPods};
use crate::model::Labels;

/// The path where nothing else is said.
const PATH: &str = "/metrics";

/// An embedded backend, and what it is to scrape.
pub(super) struct Scraping {
    pub(super) backend: Arc<Embedded>,
    pub(super) settings: EmbeddedBackend,
    /// Those of the cluster, if it scrapes any.
    pub(super) pods: Option<Arc<RunningPods>>,
}

impl Scraping {
    /// Scrapes for as long as the process lives.
    pub(super) async fn run(self) -> Infallible {
        let fixed = fixed(&self.settings);
        let targets = watch::Sender::new(fixed.clone());
        let scraping = self.backend.scrape(targets.subscribe());
        let Some(pods) = &self.pods else {
            return scraping.await;
        };
        let make = |pod: &RunningPod| of_pod(&self.settings, pod);
        let tell = |of_pods: Vec<Target>| {
            targets.send_replace(fixed.iter().cloned().chain(of_pods).collect());
        };
        tokio::select! {
            never = scraping => never,
            never = pods.follow(make, tell) => never,
        }
    }
}

/// The targets that the settings name.
fn fixed(settings: &EmbeddedBackend) -> Vec<Target> {
    let targets = settings.targets.iter().cloned();
    targets
        .map(|StaticTarget { url, labels }| Target { url, labels })
        .collect()
}

/// Where a pod is scraped: each port once, as the first entry of the settings says that it fits.
fn of_pod(settings: &EmbeddedBackend, pod: &RunningPod) -> Vec<Target> {
    let selected = settings.pods.iter().filter(|pods| are_of(pods, pod));
    let selected = selected.map(|pods| {
        (
            pods.port,
            target(pod, "http", pods.port, &pods.path, &pods.labels),
        )
    });
    let annotated = settings.annotated_pods.then(|| of_annotations(pod));
    let mut ports = Vec::new();
    let all = selected.chain(annotated.into_iter().flatten());
    all.filter_map(|(port, target)| {
        let is_new = !ports.contains(&port);
        ports.push(port);
        is_new.then_some(target)
    })
    .collect()
}

fn are_of(pods: &ScrapedPods, pod: &RunningPod) -> bool {
    pods.selector.matches(&pod.labels)
        && pods
            .namespace
            .as_ref()
            .is_none_or(|namespace| *namespace == pod.namespace)
}

/// What a pod asks for by the annotations that are customary with Prometheus.
///
/// A pod that names a port which is none is not scraped.
fn of_annotations(pod: &RunningPod) -> Vec<(u16, Target)> {
    let annotation = |name: &str| pod.annotations.get(&format!("prometheus.io/{name}"));
    if annotation("scrape") != Some("true") {
        return Vec::new();
    }
    let ports = match annotation("port") {
        Some(port) => port
            .trim()
            .parse()
            .into_iter()
            .filter(|port| *port != 0)
            .collect(),
        None => Vec::from_iter(
            pod.containers
                .iter()
                .flat_map(|container| &container.ports)
                .copied(),
        ),
    };
    let scheme = match annotation("scheme") {
        Some("https") => "https",
        _ => "http",
    };
    let path = annotation("path").unwrap_or(PATH);
    let of_port = |port| (port, target(pod, scheme, port, path, &Labels::default()));
    ports.into_iter().map(of_port).collect()
}

/// Nothing of the pod's own choice comes before its address, whatever its path begins with.
fn target(pod: &RunningPod, scheme: &str, port: u16, path: &str, labels: &Labels) -> Target {
    let instance = match pod.ip.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]:{port}"),
        Err(_) => format!("{}:{port}", pod.ip),
    };
    let path = path.trim_start_matches('/');
    let mut labels = labels.clone();
    labels.insert("namespace", pod.namespace.as_str());
    labels.insert("pod", pod.name.as_str());
    labels.insert("instance", instance.as_str());
    if let Some(container) = container(pod, port) {
        labels.insert("container", container);
    }
    Target {
        url: format!("{scheme}://{instance}/{path}"),
        labels,
    }
}

/// The container that declares the port, or the only one.
fn container(pod: &RunningPod, port: u16) -> Option<&str> {
    let declares = pod
        .containers
        .iter()
        .find(|container| container.ports.contains(&port));
    let only = || match pod.containers.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    declares.or_else(only).map(|container| container.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EmbeddedSettings;
    use crate::kubernetes::RunningContainer;

    fn pod(annotations: &[(&str, &str)]) -> RunningPod {
        let container = |name: &str, ports: &[u16]| RunningContainer {
            name: name.to_owned(),
            ports: ports.to_vec(),
        };
        RunningPod {
            namespace: "shop".to_owned(),
            name: "cart-0".to_owned(),
            ip: "10.0.0.7".to_owned(),
            labels: Labels::from_iter([("app", "cart")]),
            annotations: annotations
                .iter()
                .map(|(name, value)| (format!("prometheus.io/{name}"), *value))
                .collect(),
            containers: vec![container("cart", &[8080, 8081]), container("proxy", &[15090])],
        }
    }

    fn scraped(selector: &str, port: u16) -> ScrapedPods {
        ScrapedPods {
            selector: selector.parse().unwrap(),
            namespace: None,
            port,
            path: "/own".to_owned(),
            labels: Labels::from_iter([("service", "cart"), ("pod", "another")]),
        }
    }

    fn settings(annotated_pods: bool, pods: Vec<ScrapedPods>) -> EmbeddedBackend {
        EmbeddedBackend {
            settings: EmbeddedSettings::default(),
            targets: Vec::new(),
            annotated_pods,
            pods,
        }
    }

    /// Each target in a line.
    fn check(settings: &EmbeddedBackend, pod: &RunningPod) -> Vec<String> {
        let targets = of_pod(settings, pod);
        targets
            .iter()
            .map(|target| format!("{} {}", target.url, target.labels))
            .collect()
    }

    fn annotated(annotations: &[(&str, &str)]) -> Vec<String> {
        let urls = check(&settings(true, Vec::new()), &pod(annotations));
        urls.iter()
            .filter_map(|line| Some(line.split_once(' ')?.0.to_owned()))
            .collect()
    }

    #[test]
    fn annotated_pod_is_scraped_where_it_says_or_at_every_port_it_declares() {
        assert_eq!(annotated(&[]), [""; 0]);
        assert_eq!(annotated(&[("scrape", "false"), ("port", "8080")]), [""; 0]);
        assert_eq!(
            annotated(&[
                ("scrape", "true"),
                ("port", "9000"),
                ("path", "/x"),
                ("scheme", "https")
            ]),
            ["https://10.0.0.7:9000/x"]
        );
        let all = ["8080", "8081", "15090"].map(|port| format!("http://10.0.0.7:{port}/metrics"));
        assert_eq!(annotated(&[("scrape", "true")]), all);
        assert_eq!(annotated(&[("scrape", "true"), ("port", "http")]), [""; 0]);
    }

    #[test]
    fn pod_chooses_no_other_host_by_its_path() {
        for path in ["@other/", "/@other/", "//other/"] {
            let urls = annotated(&[("scrape", "true"), ("port", "80"), ("path", path)]);
            assert!(urls[0].starts_with("http://10.0.0.7:80/"), "{urls:?}");
        }
    }

    #[test]
    fn series_of_a_pod_say_which_pod_and_container_they_are_of() {
        let selected = settings(false, vec![scraped("app=cart", 15090)]);
        assert_eq!(
            check(&selected, &pod(&[])),
            [
                r#"http://10.0.0.7:15090/own {container="proxy",instance="10.0.0.7:15090",namespace="shop",pod="cart-0",service="cart"}"#
            ]
        );
        let undeclared = settings(false, vec![scraped("app=cart", 1)]);
        assert!(!check(&undeclared, &pod(&[]))[0].contains("container"));
    }

    #[test]
    fn port_is_scraped_once_as_the_first_entry_says() {
        let both = settings(
            true,
            vec![
                scraped("app=till", 8080),
                scraped("app=cart", 8080),
                scraped("app", 8080),
            ],
        );
        let urls = check(&both, &pod(&[("scrape", "true")]));
        assert_eq!(urls.len(), 3, "{urls:?}");
        assert!(urls[0].starts_with("http://10.0.0.7:8080/own "), "{urls:?}");
    }

    #[test]
    fn address_of_version_6_stands_in_brackets() {
        let pod = RunningPod {
            ip: "fd00::7".to_owned(),
            ..pod(&[("scrape", "true"), ("port", "80")])
        };
        let targets = of_pod(&settings(true, Vec::new()), &pod);
        assert_eq!(targets[0].url, "http://[fd00::7]:80/metrics");
        assert_eq!(targets[0].labels.get("instance"), Some("[fd00::7]:80"));
    }
}

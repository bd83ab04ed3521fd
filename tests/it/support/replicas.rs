//! The pods of a Deployment as real processes: each Running pod of a namespace has a process of the Go workload.
//!
//! Prometheus finds the processes by a file of targets with the labels that a scrape in a cluster would attach.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::servers::http_client;

/// How often the pods are looked at.
const EVERY: Duration = Duration::from_millis(250);

/// The path of the built program, which `tests/run` gives.
fn program() -> PathBuf {
    let Some(path) = std::env::var_os("WORKLOAD") else {
        panic!("this test needs the Go workload and WORKLOAD is not set; run the tests with `tests/run`");
    };
    PathBuf::from(path)
}

/// The processes of one namespace; they are killed when this is dropped.
pub(crate) struct Replicas {
    ready: watch::Receiver<Vec<SocketAddr>>,
    scraped: watch::Sender<bool>,
    follower: JoinHandle<()>,
}

impl Replicas {
    /// Follows the pods of a namespace that belong to this service.
    ///
    /// `targets` is the file that tells Prometheus what to scrape.
    pub(crate) fn follow(client: kube::Client, namespace: &str, service: &str, targets: PathBuf) -> Replicas {
        let (ready, is_ready) = watch::channel(Vec::new());
        let (scraped, is_scraped) = watch::channel(true);
        let follower = Follower {
            pods: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            service: service.to_owned(),
            targets,
            processes: BTreeMap::new(),
            stopping: JoinSet::new(),
            ready,
            scraped: is_scraped,
        };
        Replicas {
            ready: is_ready,
            scraped,
            follower: tokio::spawn(follower.run()),
        }
    }

    /// The addresses of those that are ready, as they come and go.
    pub(crate) fn ready(&self) -> watch::Receiver<Vec<SocketAddr>> {
        self.ready.clone()
    }

    /// Whether Prometheus is told of them; if not, their series end.
    pub(crate) fn scraped(&self, scraped: bool) {
        self.scraped.send_replace(scraped);
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

struct Follower {
    pods: Api<Pod>,
    namespace: String,
    service: String,
    targets: PathBuf,
    /// By name of the pod.
    processes: BTreeMap<String, Process>,
    /// Those whose pods are gone and that end in their own time.
    stopping: JoinSet<()>,
    ready: watch::Sender<Vec<SocketAddr>>,
    scraped: watch::Receiver<bool>,
}

impl Follower {
    async fn run(mut self) {
        loop {
            // A cluster that does not answer takes no pods away.
            if let Some(running) = self.running().await {
                self.follow(&running).await;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn running(&self) -> Option<Vec<String>> {
        let pods = self.pods.list(&ListParams::default()).await.ok()?;
        let running = pods.items.into_iter().filter(is_running);
        Some(running.filter_map(|pod| pod.metadata.name).collect())
    }

    async fn follow(&mut self, running: &[String]) {
        let gone = |pod: &String| !running.contains(pod);
        let gone: Vec<String> = self.processes.keys().filter(|pod| gone(pod)).cloned().collect();
        let stopping: Vec<Process> = gone.iter().filter_map(|pod| self.processes.remove(pod)).collect();
        for pod in running {
            if !self.processes.contains_key(pod) {
                self.processes.insert(pod.clone(), Process::start().await);
            }
        }
        self.publish();
        for process in stopping {
            self.stopping.spawn(process.stop());
        }
        while self.stopping.try_join_next().is_some() {}
    }

    /// Tells the load and Prometheus of the processes there are now.
    fn publish(&self) {
        let addresses: Vec<SocketAddr> = self.processes.values().map(|process| process.address).collect();
        self.ready.send_if_modified(|known| {
            let changed = *known != addresses;
            *known = addresses;
            changed
        });
        let groups: Vec<Value> = match *self.scraped.borrow() {
            true => self
                .processes
                .iter()
                .map(|(pod, process)| self.group(pod, process))
                .collect(),
            false => Vec::new(),
        };
        write_if_changed(&self.targets, &Value::Array(groups).to_string());
    }

    fn group(&self, pod: &str, process: &Process) -> Value {
        json!({
            "targets": [process.address.to_string()],
            "labels": {
                "namespace": self.namespace,
                "service": self.service,
                "pod": pod,
                "container": self.service,
            },
        })
    }
}

fn is_running(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
}

/// The file appears whole, as Prometheus may read it at any time.
fn write_if_changed(path: &Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|known| known == text) {
        return;
    }
    let partial = path.with_extension("partial");
    std::fs::write(&partial, text).unwrap();
    std::fs::rename(&partial, path).unwrap();
}

/// One process of the workload, ready.
struct Process {
    address: SocketAddr,
    child: Child,
}

impl Process {
    async fn start() -> Process {
        let mut child = Command::new(program())
            .args(["-address=127.0.0.1:0", "-stop-delay=500ms", "-stop-grace=10s"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap_or_default();
        let address = first.split_once("address=").map(|(_, address)| address.trim());
        let address = address.unwrap_or_else(|| panic!("the workload does not listen: {first}"));
        let process = Process {
            address: address.parse().unwrap(),
            child,
        };
        // The rest of its log goes nowhere, but is read, so that the process is not held up by it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        process.ready().await;
        process
    }

    async fn ready(&self) {
        let client = http_client();
        let url = format!("http://{}/readyz", self.address);
        for _ in 0..1000 {
            let answer = client.get(&url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the workload at {} is not ready", self.address);
    }

    /// Stops it as a kubelet would.
    async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            let signal = Command::new("kill")
                .args(["-TERM", &id.to_string()])
                .status()
                .await;
            assert!(signal.unwrap().success());
            self.child.wait().await.unwrap();
        }
    }
}

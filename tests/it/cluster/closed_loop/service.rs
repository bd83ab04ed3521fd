//! One autoscaled service: a namespace with a Deployment whose replicas are real processes, a load on them, and what
//! the stock controller makes of both.

use std::fmt::Write;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::manifests::{self, NAME};
use super::stage::{Scraper, Stage};
use crate::support::cluster::Kubelet;
use crate::support::load::{Demand, Load};
use crate::support::replicas::Replicas;

/// What is waited for comes within this, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the autoscaler is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// A running service; everything in it ends when this is dropped.
pub(super) struct Service {
    pub(super) namespace: String,
    pub(super) load: Load,
    pub(super) replicas: Replicas,
    history: Arc<Mutex<History>>,
    events: Api<Event>,
    watcher: JoinHandle<()>,
    _kubelet: Kubelet,
}

impl Service {
    /// Starts it in a namespace of its own, scraped by one of the servers, under the autoscaler that is described here.
    pub(super) async fn start(stage: &Stage<'_>, name: &str, scraper: Scraper, autoscaler: Value) -> Service {
        let namespace = stage.cluster.namespace(name).await;
        let client = stage.cluster.client().await;
        let kubelet = Kubelet::start(client.clone(), &namespace).await;
        let targets = stage.targets(scraper, &namespace);
        let replicas = Replicas::follow(client.clone(), &namespace, NAME, targets);
        let load = Load::start(replicas.ready());
        manifests::apply(&client, &namespace, autoscaler).await;
        let history = Arc::<Mutex<History>>::default();
        let watcher = Watcher {
            deployments: Api::namespaced(client.clone(), &namespace),
            autoscalers: Api::namespaced(client.clone(), &namespace),
            processes: replicas.ready(),
            history: Arc::clone(&history),
        };
        Service {
            events: Api::namespaced(client, &namespace),
            watcher: tokio::spawn(watcher.run()),
            namespace,
            load,
            replicas,
            history,
            _kubelet: kubelet,
        }
    }

    /// Asks for this from now on.
    pub(super) fn demand(&self, demand: Demand) {
        self.history.lock().unwrap().note(format!("{demand:?}"));
        self.load.set(demand);
    }

    /// Notes something in the record that a failure shows.
    pub(super) fn note(&self, what: &str) {
        self.history.lock().unwrap().note(what.to_owned());
    }

    /// Waits until the autoscaler wants this many replicas, has them, and says that it found a value.
    pub(super) async fn scales_to(&self, wanted: RangeInclusive<i32>) {
        self.until(&format!("{wanted:?} replicas and ScalingActive"), |now| {
            wanted.contains(&now.replicas)
                && now.processes == now.replicas as usize
                && now.active.status == "True"
        })
        .await;
    }

    /// Waits until the autoscaler says for this reason that it has no value, with this in its message.
    pub(super) async fn is_blind(&self, reason: &str, message: &str) {
        self.until(&format!("{reason} with `{message}`"), |now| {
            now.active.status == "False"
                && now.active.reason == reason
                && now.active.message.contains(message)
        })
        .await;
    }

    /// Waits until the autoscaler has found a value again.
    pub(super) async fn sees_again(&self) {
        self.until("ScalingActive", |now| now.active.status == "True")
            .await;
    }

    /// Waits until the controller has looked this many times more and failed each time, by its events.
    pub(super) async fn fails_times(&self, looks: i32, reason: &str, message: &str) {
        let seen = self.failures(reason, message).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.failures(reason, message).await;
            if now >= seen + looks {
                return;
            }
            let told = format!("{looks} more events {reason} with `{message}` than {seen}, there are {now}");
            assert!(Instant::now() < deadline, "{}", self.failure(&told).await);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// How often events of this reason were sent with this in their message.
    async fn failures(&self, reason: &str, message: &str) -> i32 {
        let events = self.events().await;
        let told = |event: &&Event| {
            let text = event.message.as_deref().unwrap_or_default();
            event.reason.as_deref() == Some(reason) && text.contains(message)
        };
        events
            .iter()
            .filter(told)
            .map(|event| event.count.unwrap_or(1))
            .sum()
    }

    async fn events(&self) -> Vec<Event> {
        let of_autoscaler = ListParams::default().fields("involvedObject.kind=HorizontalPodAutoscaler");
        // The API server may be away, as some scenarios want it.
        self.events
            .list(&of_autoscaler)
            .await
            .map(|list| list.items)
            .unwrap_or_default()
    }

    /// The replicas that the autoscaler wants now.
    pub(super) fn wanted(&self) -> i32 {
        let history = self.history.lock().unwrap();
        history.now().map(|now| now.replicas).unwrap_or_default()
    }

    /// A moment to hold what comes after it against.
    pub(super) fn mark(&self) -> Mark {
        Mark(self.history.lock().unwrap().entries.len().saturating_sub(1))
    }

    /// Fails if the replicas were ever others than these since then.
    pub(super) async fn had(&self, replicas: RangeInclusive<i32>, since: Mark) {
        let others: Vec<i32> = {
            let history = self.history.lock().unwrap();
            let numbers = history.entries[since.0..].iter().map(|entry| entry.now.replicas);
            numbers.filter(|number| !replicas.contains(number)).collect()
        };
        if !others.is_empty() {
            panic!(
                "{}",
                self.failure(&format!("{replicas:?} replicas all the time")).await
            );
        }
    }

    /// Fails if a request was not answered as it should.
    pub(super) async fn lost_no_request(&self) {
        let (answered, failed) = (self.load.answered(), self.load.failed());
        if failed > 0 || answered == 0 {
            let told = format!("every request answered, but {failed} failed and {answered} did not");
            panic!("{}", self.failure(&told).await);
        }
    }

    async fn until(&self, what: &str, reached: impl Fn(&Now) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reached = self.history.lock().unwrap().now().is_some_and(&reached);
            if reached {
                return;
            }
            assert!(Instant::now() < deadline, "{}", self.failure(what).await);
            tokio::time::sleep(EVERY).await;
        }
    }

    /// What was expected, and everything that helps to see why it did not come.
    async fn failure(&self, expected: &str) -> String {
        let mut text = format!("{}: expected {expected}\n", self.namespace);
        text += &self.history.lock().unwrap().to_string();
        for event in self.events().await {
            let (reason, message) = (
                event.reason.unwrap_or_default(),
                event.message.unwrap_or_default(),
            );
            let _ = writeln!(text, "  event {reason} ×{}: {message}", event.count.unwrap_or(1));
        }
        text
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

/// A moment in the history of a service.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

/// What is seen of the autoscaler at one moment.
#[derive(Clone, Debug, PartialEq)]
struct Now {
    /// `spec.replicas` of the Deployment, which is what the autoscaler sets.
    replicas: i32,
    /// Processes that are ready.
    processes: usize,
    /// The condition ScalingActive.
    active: Condition,
    /// The current values as the autoscaler's status has them.
    metrics: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Condition {
    status: String,
    reason: String,
    message: String,
}

/// All that was seen, each time something was different, and what the test did in between.
struct History {
    start: Instant,
    entries: Vec<Entry>,
    notes: Vec<(Duration, String)>,
}

struct Entry {
    at: Duration,
    now: Now,
}

impl Default for History {
    fn default() -> History {
        History {
            start: Instant::now(),
            entries: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl History {
    fn now(&self) -> Option<&Now> {
        self.entries.last().map(|entry| &entry.now)
    }

    fn see(&mut self, now: Now) {
        if self.now() != Some(&now) {
            let at = self.start.elapsed();
            self.entries.push(Entry { at, now });
        }
    }

    fn note(&mut self, what: String) {
        self.notes.push((self.start.elapsed(), what));
    }
}

/// In the order of time.
impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seen = self.entries.iter().map(|Entry { at, now }| {
            let Now { replicas, processes, active, metrics } = now;
            let Condition { status, reason, message } = active;
            (*at, format!("{replicas} replicas, {processes} processes, ScalingActive={status} {reason} {message} {metrics}"))
        });
        let noted = self.notes.iter().map(|(at, what)| (*at, format!("-- {what}")));
        let mut lines: Vec<(Duration, String)> = seen.chain(noted).collect();
        lines.sort_by_key(|(at, _)| *at);
        for (at, line) in lines {
            writeln!(f, "  {:6.2} s {line}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Looks at the autoscaler until it is aborted.
struct Watcher {
    deployments: Api<Deployment>,
    autoscalers: Api<HorizontalPodAutoscaler>,
    processes: watch::Receiver<Vec<SocketAddr>>,
    history: Arc<Mutex<History>>,
}

impl Watcher {
    async fn run(self) {
        loop {
            // The API server may be away, as some scenarios want it.
            if let (Ok(deployment), Ok(autoscaler)) =
                (self.deployments.get(NAME).await, self.autoscalers.get(NAME).await)
            {
                let seen = now(&deployment, &autoscaler, self.processes.borrow().len());
                self.history.lock().unwrap().see(seen);
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

fn now(deployment: &Deployment, autoscaler: &HorizontalPodAutoscaler, processes: usize) -> Now {
    let status = autoscaler.status.clone().unwrap_or_default();
    let active = status
        .conditions
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == "ScalingActive");
    let active = active.map(|condition| Condition {
        status: condition.status,
        reason: condition.reason.unwrap_or_default(),
        message: condition.message.unwrap_or_default(),
    });
    Now {
        replicas: deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or_default(),
        processes,
        active: active.unwrap_or_default(),
        metrics: serde_json::to_string(&status.current_metrics).unwrap(),
    }
}

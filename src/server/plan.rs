//! What a server is made of.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Readiness, Task};
use crate::config::{AccessSettings, ServingSettings};
use crate::kubernetes::{Cluster, Reviews};
use crate::telemetry::Metrics;

/// What a server is made of, beside its listeners and the routes of the API.
#[derive(Debug)]
pub struct ServePlan {
    /// TLS, certificates and the CA of clients.
    pub serving: ServingSettings,
    /// Who may ask, beside what a cluster says.
    pub access: AccessSettings,
    /// Who says whose a token is and what somebody may do; `None` without a cluster.
    pub reviews: Option<Arc<Reviews>>,
    /// The cluster that says whom to trust.
    pub authentication: Option<Cluster>,
    /// Where certificates of the adapters' own are kept.
    pub cluster: Option<Cluster>,
    /// The APIServices of what is served, which are to trust them.
    pub api_services: Vec<String>,
    /// What one client, or all together, may take.
    pub limits: Limits,
    /// How the server ends.
    pub drain: Drain,
    /// The adapter's own metrics, served at `/metrics`.
    pub metrics: Arc<Metrics>,
    /// What must be true before `/readyz` says so.
    pub readiness: Readiness,
    /// What `/readyz?verbose` tells beside the conditions.
    pub notes: Notes,
    /// Tasks that run as long as the server.
    pub tasks: Vec<Task>,
}

impl ServePlan {
    /// A plan with the default limits and nothing beside the listeners.
    pub fn new(serving: ServingSettings, access: AccessSettings, metrics: Arc<Metrics>) -> Self {
        Self {
            drain: Drain::from(&serving),
            serving,
            access,
            reviews: None,
            authentication: None,
            cluster: None,
            api_services: Vec::new(),
            limits: Limits::default(),
            metrics,
            readiness: Readiness::default(),
            notes: Notes::default(),
            tasks: Vec::new(),
        }
    }

    /// Whether it matters who asks. If not, nobody from outside may reach the listeners.
    pub(super) fn asks_who(&self) -> bool {
        self.reviews.is_some()
            || self.serving.client_ca_file.is_some()
            || self.access.request_header.is_some()
    }
}

/// What one client, or all together, may take.
///
/// The numbers are those of the Go API servers (apiserver, `pkg/server/config.go` and `secure_serving.go`, 1.36)
/// where they have one.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Threads that serve requests, for each listener. Default: one a processor, four at most.
    pub workers: usize,
    /// Connections at once, for each worker. Default 1024.
    pub max_connections: usize,
    /// Requests at once, probes not counted. Beyond it the answer is 429. Default 400.
    pub max_in_flight: usize,
    /// Greatest sum of a request's target and headers, in bytes. Default 64 KiB.
    pub max_header_bytes: usize,
    /// Greatest body of a request in bytes; no route reads one. Default 64 KiB.
    pub max_body_bytes: u64,
    /// Time for the answer to a request; afterwards it is 504. Default 60 s.
    pub request_timeout: Duration,
    /// Time for the client to send the headers of a request. Default 32 s.
    pub header_timeout: Duration,
    /// How long a connection may be idle. Default 90 s.
    pub keep_alive: Duration,
    /// How often files of certificates are looked at for changes. Default 1 s.
    pub reload_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, |count| count.get().min(4)),
            max_connections: 1024,
            max_in_flight: 400,
            max_header_bytes: 64 * 1024,
            max_body_bytes: 64 * 1024,
            request_timeout: Duration::from_secs(60),
            header_timeout: Duration::from_secs(32),
            keep_alive: Duration::from_secs(90),
            reload_interval: Duration::from_secs(1),
        }
    }
}

/// How the server ends.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    /// Between `/readyz` going false and the listeners closing, so that nobody is sent here any more.
    pub delay: Duration,
    /// Time for requests in flight to finish after the listeners closed.
    pub grace: Duration,
}

impl From<&ServingSettings> for Drain {
    fn from(serving: &ServingSettings) -> Self {
        Self {
            delay: serving.shutdown_delay,
            grace: serving.shutdown_grace,
        }
    }
}

/// A line of `/readyz?verbose` that never makes it false: a backend, a discovery, a faulty rule.
///
/// Anyone who can reach the port reads it, so it holds no address and no name of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about: `backend default`.
    pub name: String,
    /// How it is: `reachable`.
    pub text: String,
}

/// Where the notes of `/readyz?verbose` come from, asked at each request.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn() -> Vec<Note> + Send + Sync>);

impl Notes {
    /// Notes made by a function.
    pub fn new(notes: impl Fn() -> Vec<Note> + Send + Sync + 'static) -> Self {
        Self(Arc::new(notes))
    }

    pub(super) fn now(&self) -> Vec<Note> {
        (self.0)()
    }
}

impl Default for Notes {
    /// No notes.
    fn default() -> Self {
        Self::new(Vec::new)
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes")
    }
}

//! From a plan to a running server, and to its end.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use futures_util::future::join_all;
use rustls::ServerConfig;
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use super::access;
use super::gate::Gate;
use super::http::{Connections, Service, serve};
use super::probes::Probes;
use super::readiness::Condition;
use super::room::Room;
use super::tasks::{Task, Tasks};
use super::tls::{Keeper, ServingCertificates, server_config, serving_files};
use super::{Drain, Error, Listeners, ServePlan};
use crate::config::ServingSettings;

/// How long answers get to leave the buffers once no request is open.
///
/// HTTP/2 connections do not end by themselves when the server stops (actix-web #3169), so that waiting for
/// connections would always take the whole grace time.
const FLUSH: Duration = Duration::from_millis(500);

/// A server that is ready to run.
pub struct Server {
    addresses: Addresses,
    servers: Vec<actix_web::dev::Server>,
    listening: Condition,
    alive: Condition,
    room: Room,
    drain: Drain,
    tasks: Vec<Task>,
}

#[derive(Clone, Copy, Debug)]
struct Addresses {
    https: Option<SocketAddr>,
    http: Option<SocketAddr>,
}

impl Server {
    /// Makes a server of a plan, its listeners and the routes of the API, which `configure` mounts.
    ///
    /// Everything that can be wrong at start is found here: addresses, certificates, the client CA.
    pub fn new(
        mut plan: ServePlan,
        listeners: Listeners,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> Result<Self, Error> {
        listeners.check(plan.asks_who())?;
        let addresses = Addresses::of(&listeners);
        let listening = plan.readiness.condition("listeners");
        let alive = plan.readiness.condition("shutdown");
        let access = access::open(&mut plan)?;
        let tls = match &listeners.https {
            Some(_) => Some(tls(&mut plan)?),
            None => None,
        };

        let room = Room::new(plan.limits.max_in_flight);
        let gate = Gate {
            access,
            limits: plan.limits.clone(),
            metrics: plan.metrics.clone(),
            room: room.clone(),
            alive: alive.clone(),
        };
        let probes = Probes {
            readiness: plan.readiness,
            notes: plan.notes,
            metrics: plan.metrics,
        };
        let service = Service {
            gate: web::Data::new(gate),
            probes: web::Data::new(probes),
            configure,
        };
        let connections = Connections {
            limits: plan.limits,
            grace: plan.drain.grace,
            http2: plan.serving.http2,
        };
        let servers = serve(listeners, tls, &connections, &service).map_err(Error::Serve)?;
        Ok(Self {
            addresses,
            servers,
            listening,
            alive,
            room,
            drain: plan.drain,
            tasks: plan.tasks,
        })
    }

    /// Where HTTPS is served.
    pub fn https_address(&self) -> Option<SocketAddr> {
        self.addresses.https
    }

    /// Where plain HTTP is served.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.addresses.http
    }

    /// Serves until `shutdown` is ready, then lets requests in flight finish.
    ///
    /// An error if a task or the listener ends before.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let handles: Vec<_> = self.servers.iter().map(actix_web::dev::Server::handle).collect();
        self.tasks.extend(self.servers.into_iter().map(|server| {
            Task::new("listeners", async move {
                if let Err(error) = server.await {
                    error!("the listeners failed: {error}");
                }
            })
        }));
        let mut tasks = Tasks::start(self.tasks);
        self.alive.met();
        self.listening.met();
        match self.addresses.any() {
            true => info!("{}", self.addresses),
            false => warn!("{}", self.addresses),
        }

        tokio::select! {
            name = tasks.first_end() => return Err(Error::TaskEnded(name)),
            () = shutdown => {}
        }

        self.alive.unmet();
        info!("no longer ready; closing the listeners in {:?}", self.drain.delay);
        sleep(self.drain.delay).await;
        tokio::select! {
            _ = join_all(handles.iter().map(|handle| handle.stop(true))) => {}
            () = answered(&self.room, self.drain.grace) => {}
        }
        info!("stopped");
        Ok(())
    }
}

/// Waits until the requests in flight are answered, or the grace time is over.
async fn answered(room: &Room, grace: Duration) {
    if timeout(grace, room.empty()).await.is_err() {
        warn!("{} requests were cut off after {grace:?}", room.taken());
    }
    sleep(FLUSH).await;
}

/// The TLS side of the HTTPS listener, and the tasks that keep its certificates as they should be.
fn tls(plan: &mut ServePlan) -> Result<ServerConfig, Error> {
    warn_of_ineffective(&plan.serving);
    let files = match &plan.serving.certificate_secret {
        Some(_) => None,
        None => Some(serving_files(&plan.serving)?),
    };
    let (certificates, watch) = ServingCertificates::open(files, &plan.serving.sni_certificates)?;
    let config = server_config(&plan.serving, plan.asks_who(), Arc::clone(&certificates))?;
    if let Some(settings) = &plan.serving.certificate_secret {
        let cluster = plan.cluster.as_ref().ok_or(Error::NoCluster)?;
        let ready = plan.readiness.condition("certificates");
        let keeper = Keeper::new(
            cluster,
            settings,
            std::mem::take(&mut plan.api_services),
            certificates.clone(),
            plan.metrics.clone(),
            ready,
        );
        plan.tasks.push(Task::new("certificate authority", keeper.run()));
    }
    let metrics = plan.metrics.clone();
    let reload = move || {
        certificates.reload()?;
        certificates
            .end()
            .inspect(|end| metrics.serving_certificate(*end));
        Ok(())
    };
    reload()?;
    let work = watch.run(plan.limits.reload_interval, reload);
    plan.tasks.push(Task::new("serving certificate", work));
    Ok(config)
}

/// Names what was asked for and cannot be had.
fn warn_of_ineffective(settings: &ServingSettings) {
    let suites = &settings.cipher_suites.passed_over;
    if !suites.is_empty() {
        warn!(
            "cipher suites that are not supported and not offered: {}",
            suites.join(", ")
        );
    }
    if let Some(streams) = settings.http2_max_streams {
        warn!(
            "http2MaxStreams {streams} has no effect: the HTTP library sets no limit; requests in flight are bounded together"
        );
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}

impl Addresses {
    fn of(listeners: &Listeners) -> Self {
        let address =
            |listener: &Option<std::net::TcpListener>| listener.as_ref().and_then(|it| it.local_addr().ok());
        Self {
            https: address(&listeners.https),
            http: address(&listeners.http),
        }
    }
}

impl Addresses {
    fn any(&self) -> bool {
        self.https.is_some() || self.http.is_some()
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.https, self.http) {
            (Some(https), Some(http)) => write!(f, "serving https://{https} and http://{http}"),
            (Some(https), None) => write!(f, "serving https://{https}"),
            (None, Some(http)) => write!(f, "serving http://{http}"),
            (None, None) => f.write_str("serving nothing: there is no listener"),
        }
    }
}

//! A sample service in several instances under a load that rises and falls, for the quickstart and for tests.
//!
//! Each instance is a small HTTP server on loopback that exports `http_requests_total`,
//! `http_request_duration_seconds` and `queue_depth`, as the guides tell users to do.
//! The load is real: a driver asks the instances over sockets along a fixed curve.
//! `/truth` on every instance tells what was really served, so that what an adapter answers can be judged.

mod client;
mod instance;
mod load;
mod metrics;
mod targets;
mod truth;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::join_all;
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::workload::instance::Instance;
use crate::workload::truth::Ledger;

pub use crate::workload::load::Load;
pub use crate::workload::targets::Target;
pub use crate::workload::truth::{Durations, PodTruth, Truth};

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Namespace that the instances claim to run in. Default `shop`.
    pub namespace: String,
    /// Service that they claim to belong to; the pods are named after it. Default `cart`.
    pub service: String,
    /// How many instances. Default 3.
    pub instances: u16,
    /// Port of the first instance, the others follow; 0, the default, takes free ports.
    pub base_port: u16,
    /// The load on all instances together.
    pub load: Load,
    /// File of scrape targets for Prometheus' `file_sd_configs`, written once all instances listen. Default none.
    pub targets_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            namespace: "shop".to_owned(),
            service: "cart".to_owned(),
            instances: 3,
            base_port: 0,
            load: Load::default(),
            targets_file: None,
        }
    }
}

/// Why the workload cannot start.
#[derive(Debug, Error)]
pub enum Error {
    /// An instance cannot have its port.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port, 0 for any.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The file of scrape targets cannot be written.
    #[error("cannot write the scrape targets to {}", path.display())]
    WriteTargets {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Starts the workload, and stops it when `shutdown` completes.
pub async fn run(options: &Options, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let workload = Workload::start(options)?;
    for target in workload.targets() {
        tracing::info!(pod = %target.pod, address = %target.address, "pod {} listens on {}", target.pod, target.address);
    }
    shutdown.await;
    workload.stop().await;
    Ok(())
}

/// The running workload.
///
/// Dropping it without [`Workload::stop`] leaves its tasks to the runtime.
#[derive(Debug)]
pub struct Workload {
    targets: Vec<Target>,
    ledger: Arc<Ledger>,
    instances: Vec<Instance>,
    driver: JoinHandle<()>,
    stopping: CancellationToken,
}

impl Workload {
    /// Starts all instances and the load on them; must be called within a tokio runtime.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let ledger = Arc::new(Ledger::default());
        let mut instances = Vec::new();
        let mut targets = Vec::new();
        for index in 0..options.instances {
            let pod = format!("{}-{index}", options.service);
            let port = if options.base_port == 0 {
                0
            } else {
                options.base_port.saturating_add(index)
            };
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let instance = Instance::start(&pod, address, Arc::clone(&ledger))
                .map_err(|source| Error::Listen { port, source })?;
            targets.push(Target {
                namespace: options.namespace.clone(),
                service: options.service.clone(),
                pod,
                address: instance.address(),
            });
            instances.push(instance);
        }
        if let Some(path) = &options.targets_file {
            targets::write(&targets, path).map_err(|source| Error::WriteTargets {
                path: path.clone(),
                source,
            })?;
        }
        let stopping = CancellationToken::new();
        let aims = instances.iter().map(Instance::aim).collect();
        let driver = tokio::spawn(load::drive(options.load.clone(), aims, stopping.clone()));
        Ok(Workload {
            targets,
            ledger,
            instances,
            driver,
            stopping,
        })
    }

    /// Where the instances are, in the order of their pods' names.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// What was really served, as `/truth` tells it: in the window of `window_seconds` that ends at Unix time `end`.
    pub fn truth(&self, end: f64, window_seconds: f64) -> Truth {
        self.ledger.truth(end, window_seconds)
    }

    /// Stops the load, waits for the requests in flight, then stops the instances.
    pub async fn stop(self) {
        self.stopping.cancel();
        if let Err(error) = self.driver.await {
            tracing::error!("the load driver failed: {error}");
        }
        join_all(self.instances.into_iter().map(Instance::stop)).await;
    }
}

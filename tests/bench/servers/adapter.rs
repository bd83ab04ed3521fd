//! The adapter.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ControlPlane, accepts, loopback, wait_for};
use crate::process::Process;
use crate::support::adapter::PROGRAM;
use crate::support::servers::free_port;

const ALONE: [&str; 2] = ["--objects-file=objects.yaml", "--client-ca-file=ca.crt"];

/// A running adapter.
pub(crate) struct Adapter {
    pub(crate) process: Process,
    /// Where it speaks HTTPS.
    pub(crate) address: SocketAddr,
}

impl Adapter {
    /// Starts it, see [`Adapter::spawn`], and waits until it accepts connections.
    fn start(directory: &Path, backend: Option<&str>, arguments: &[&str]) -> Adapter {
        let mut adapter = Adapter::spawn(directory, backend, arguments);
        let address = adapter.address;
        wait_for(&mut adapter.process, "an adapter that serves", || {
            accepts(address)
        });
        adapter
    }

    /// Starts it on loopback with `config.yaml` and the certificate of a directory; without a backend it asks those
    /// of that file.
    fn spawn(directory: &Path, backend: Option<&str>, arguments: &[&str]) -> Adapter {
        let address = loopback(free_port());
        let mut command = Command::new(program());
        command
            .current_dir(directory)
            .args(["--config=config.yaml", "--bind-address=127.0.0.1"])
            .args(["--tls-cert-file=tls.crt", "--tls-private-key-file=tls.key"])
            .arg(format!("--secure-port={}", address.port()))
            .args(backend.map(|url| format!("--prometheus-url={url}")))
            .args(arguments);
        let process = Process::start(command, &directory.join("adapter.log"));
        Adapter { process, address }
    }

    /// In a cluster: objects, and who may ask, come from there.
    pub(crate) fn start_in(control_plane: &ControlPlane, directory: &Path, backend: &str) -> Adapter {
        let kubeconfig = format!("--lister-kubeconfig={}", control_plane.kubeconfig().display());
        Adapter::start(directory, Some(backend), &[&kubeconfig])
    }

    /// Without a cluster: objects come from `objects.yaml`, and clients show a certificate of `ca.crt`.
    pub(crate) fn start_alone(directory: &Path, backend: &str) -> Adapter {
        Adapter::start(directory, Some(backend), &ALONE)
    }

    /// The same, with the backends of `config.yaml`.
    pub(crate) fn start_alone_as_configured(directory: &Path) -> Adapter {
        Adapter::start(directory, None, &ALONE)
    }

    /// With a backend again, without waiting.
    pub(crate) fn spawn_alone(directory: &Path, backend: &str) -> Adapter {
        Adapter::spawn(directory, Some(backend), &ALONE)
    }
}

/// The program that was built, or the one that is given, to measure another version.
fn program() -> PathBuf {
    std::env::var_os("PROMQL_ADAPTER").map_or_else(|| PROGRAM.into(), PathBuf::from)
}

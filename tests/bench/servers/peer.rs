//! prometheus-adapter, if its program is given.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{ControlPlane, accepts, loopback, wait_for};
use crate::process::Process;
use crate::support::servers::free_port;

/// Names its program.
const VARIABLE: &str = "PEER_PROMETHEUS_ADAPTER";

/// A running prometheus-adapter.
pub(crate) struct Peer {
    pub(crate) process: Process,
    /// Where it speaks HTTPS.
    pub(crate) address: SocketAddr,
}

/// Whether there is one to measure.
pub(crate) fn is_given() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

impl Peer {
    /// Starts it with this configuration and the certificate of a directory; `None` if it is not given.
    ///
    /// Its Kubernetes client is let ask as often as it wants: with the default of 5 requests a second it could not
    /// answer what is asked here.
    pub(crate) fn start(
        directory: &Path,
        config: &str,
        backend: &str,
        control_plane: &ControlPlane,
    ) -> Option<Peer> {
        let mut peer = Peer::spawn(directory, config, backend, control_plane)?;
        let address = peer.address;
        wait_for(&mut peer.process, "a peer that serves", || accepts(address));
        Some(peer)
    }

    /// The same, without waiting.
    pub(crate) fn spawn(
        directory: &Path,
        config: &str,
        backend: &str,
        control_plane: &ControlPlane,
    ) -> Option<Peer> {
        let program = std::env::var_os(VARIABLE)?;
        fs::write(directory.join("peer.yaml"), config).unwrap();
        let address = loopback(free_port());
        let kubeconfig = control_plane.kubeconfig().display();
        let mut command = Command::new(program);
        command
            .current_dir(directory)
            .args(
                ["lister", "authentication", "authorization"]
                    .map(|use_| format!("--{use_}-kubeconfig={kubeconfig}")),
            )
            .args(["--config=peer.yaml", "--bind-address=127.0.0.1"])
            .args(["--tls-cert-file=tls.crt", "--tls-private-key-file=tls.key"])
            .args(["--client-qps=100000", "--client-burst=100000"])
            .args(["--metrics-relist-interval=15s"])
            .arg(format!("--secure-port={}", address.port()))
            .arg(format!("--prometheus-url={backend}"));
        let process = Process::start(command, &directory.join("peer.log"));
        Some(Peer { process, address })
    }
}

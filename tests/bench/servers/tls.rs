//! One authority for all that is measured, so that every server has the same TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::load::{Target, Trust};
use crate::support::certificates::Authority;

/// Who asks for metrics in a cluster.
pub(crate) const CONTROLLER: &str = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";

/// An authority that vouches for servers and clients alike.
pub(crate) struct Tls {
    authority: Authority,
    trust: Arc<Trust>,
}

impl Tls {
    pub(crate) fn new() -> Tls {
        let authority = Authority::new();
        let trust = Arc::new(Trust {
            authority: authority.pem().to_owned(),
            certificate: authority.client(CONTROLLER, &[]),
        });
        Tls { authority, trust }
    }

    /// The authority, as PEM.
    pub(crate) fn authority(&self) -> &str {
        self.authority.pem()
    }

    /// Writes `ca.crt`, `tls.crt` and `tls.key`.
    pub(crate) fn write(&self, directory: &Path) {
        std::fs::write(directory.join("ca.crt"), self.authority.pem()).unwrap();
        self.authority.server().write(directory, "tls");
    }

    /// A server with a certificate of this authority, met by the controller.
    pub(crate) fn target(&self, address: SocketAddr) -> Target {
        Target {
            address,
            tls: Some(Arc::clone(&self.trust)),
            headers: Vec::new(),
        }
    }
}

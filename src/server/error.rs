//! Why the adapter cannot serve, or stopped serving.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::assemble::AssembleError;
use crate::kubernetes::ClusterError;
use crate::model::Diagnostic;

/// Why the adapter cannot serve, or stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Whoever reaches this address could ask anything.
    #[error(
        "--bind-address {0}: without a cluster or --client-ca-file only a loopback address is served\n  \
         hint: give --lister-kubeconfig or --client-ca-file, or leave --bind-address out to serve 127.0.0.1"
    )]
    NotLoopback(IpAddr),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address as asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// An open socket cannot be served on.
    #[error("cannot serve on an open socket")]
    Serve(#[source] io::Error),
    /// Of a certificate and its key only one is given or there.
    #[error(
        "{given} has no counterpart\n  hint: a certificate and its key come as a pair; {missing} is missing"
    )]
    Unpaired {
        /// What is there: a flag or a file.
        given: String,
        /// What is not.
        missing: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}, below --cert-dir, which is for a self-signed certificate")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not PEM, or holds nothing of the kind.
    #[error("{path} holds no usable PEM {what}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
        /// What is wrong with it.
        source: Option<rustls::pki_types::pem::Error>,
    },
    /// A certificate does not go with its key, or rustls cannot use one of them.
    #[error("{certificate} and {key} cannot be used together")]
    Mismatch {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The CA file holds no certificate that can vouch for others.
    #[error("{path} holds no usable certificate authority")]
    ClientCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::server::VerifierBuilderError,
    },
    /// Minimum version and cipher suites leave nothing to offer.
    #[error("--tls-min-version and --tls-cipher-suites leave no cipher suite to offer")]
    NoCipherSuite(#[source] rustls::Error),
    /// There is no cluster to keep certificates in.
    #[error(
        "serving.certificateSecret needs a cluster\n  \
         hint: run in a pod, give kubernetes.kubeconfig, or name files by serving.tlsCertFile"
    )]
    NoCluster,
    /// A self-signed certificate cannot be made.
    #[error("cannot make a self-signed certificate")]
    SelfSigned(#[source] rcgen::Error),
    /// A task that should run as long as the process came to its end.
    #[error("the task `{0}` ended")]
    TaskEnded(&'static str),
    /// The process cannot be told of signals.
    #[error("cannot wait for signals")]
    Signals(#[source] io::Error),
    /// Faults in the configuration, the rules or the objects file, all of them.
    #[error("{}", in_one_line(.0))]
    Faults(Vec<Diagnostic>),
    /// The cluster cannot be asked.
    #[error("the cluster cannot be asked")]
    Cluster(#[from] ClusterError),
    /// The provider cannot be made.
    #[error(transparent)]
    Assemble(AssembleError),
}

/// Every fault with its place; the hints have no room here.
fn in_one_line(faults: &[Diagnostic]) -> String {
    let faults: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.place, fault.message))
        .collect();
    faults.join("; ")
}

impl From<AssembleError> for Error {
    fn from(error: AssembleError) -> Error {
        match error {
            AssembleError::Faults(faults) => Error::Faults(faults),
            other => Error::Assemble(other),
        }
    }
}

//! Credentials for a metrics backend, from a kubeconfig or from the files in a pod.
//!
//! Only the credentials are taken; the address of the cluster in a kubeconfig is not asked.
//! Nothing is read of the files named here: whoever uses them reads them again when they change.

use std::fmt;
use std::path::{Path, PathBuf};

use kube::config::{Config, InClusterError, Kubeconfig, KubeconfigError};

use super::kubeconfig;

/// What a kubeconfig or a pod gives for reaching a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendCredentials {
    /// Certificate authorities in PEM.
    pub certificate_authority: Option<CredentialSource>,
    /// Client certificate and its key, both in PEM.
    pub client_certificate: Option<(CredentialSource, CredentialSource)>,
    /// User and password, or a token.
    pub authorization: Option<BackendAuthorization>,
    /// `insecure-skip-tls-verify`: the server's certificate is not checked.
    pub insecure_skip_tls_verify: bool,
}

/// User and password, or a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendAuthorization {
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: CredentialSource,
    },
    /// A bearer token.
    Bearer(CredentialSource),
}

/// Where a credential stands.
#[derive(Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// In the kubeconfig.
    Text(String),
    /// In a file of its own.
    File(PathBuf),
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The kubeconfig cannot be read.
    #[error("kubeconfig `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KubeconfigError,
    },
    /// The kubeconfig says something that cannot be used.
    #[error("kubeconfig `{}`: {problem}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Entry and key, what is wrong, and the cure where there is one.
        problem: String,
    },
    /// The process does not run in a pod with a service account.
    #[error("there are no in-cluster credentials")]
    NotInCluster(#[source] InClusterError),
}

/// The credentials of the current context of a kubeconfig.
///
/// What client-go would do and this adapter does not is an error that names the entry: credential plugins,
/// impersonation, a proxy, another name for the server.
pub fn from_kubeconfig(path: &Path) -> Result<BackendCredentials, CredentialsError> {
    let kubeconfig = Kubeconfig::read_from(path).map_err(|source| CredentialsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    kubeconfig::credentials(&kubeconfig).map_err(|problem| CredentialsError::Unusable {
        path: path.to_owned(),
        problem,
    })
}

/// The credentials of the pod's service account.
pub fn in_cluster() -> Result<BackendCredentials, CredentialsError> {
    let config = Config::incluster().map_err(CredentialsError::NotInCluster)?;
    let file = |path: PathBuf| CredentialSource::File(path);
    Ok(BackendCredentials {
        certificate_authority: config.root_cert_file.map(file),
        authorization: config
            .auth_info
            .token_file
            .map(|path| BackendAuthorization::Bearer(file(path.into()))),
        ..BackendCredentials::default()
    })
}

/// Shows files, never secrets.
impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialSource::Text(_) => f.write_str("Text(…)"),
            CredentialSource::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

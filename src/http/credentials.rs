//! Credentials that come from elsewhere than the backend's own settings.

use std::fmt;
use std::path::{Path, PathBuf};

/// What a kubeconfig or the files in a pod give for reaching a backend.
///
/// Each setting of the backend outranks the part it names and leaves the others: with `ca_file` set, the
/// certificate authority is that one and the token is still the kubeconfig's.
/// (prometheus-adapter drops the whole kubeconfig then, silently: `cmd/adapter/adapter.go`, `makePromClient`.)
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Certificate authorities in PEM; the system's if none.
    pub certificate_authority: Option<Source>,
    /// Client certificate and its key, both in PEM.
    pub client_certificate: Option<(Source, Source)>,
    /// What goes into the `Authorization` header.
    pub authorization: Option<Authorization>,
    /// Whether the server's certificate is not checked at all, as a kubeconfig can say.
    pub insecure_skip_tls_verify: bool,
}

/// How a request proves who sends it, beside a client certificate.
#[derive(Clone, Debug)]
pub enum Authorization {
    /// User and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: Source,
    },
    /// A bearer token.
    Bearer(Source),
}

/// Where a credential stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// Here.
    Text(String),
    /// In a file that is read again when it changes.
    File(PathBuf),
}

impl Source {
    /// The file, if it is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Source::Text(_) => None,
            Source::File(path) => Some(path),
        }
    }

    /// The text as it is now.
    pub(crate) fn read(&self) -> std::io::Result<String> {
        match self {
            Source::Text(text) => Ok(text.clone()),
            Source::File(path) => std::fs::read_to_string(path),
        }
    }
}

/// Shows files, never secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Text(_) => f.write_str("Text(…)"),
            Source::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

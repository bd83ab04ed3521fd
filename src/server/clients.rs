//! Which clients are known by their certificate.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Error;
use super::file_watch::FileWatch;
use super::tls::certificates;

/// How long a verdict on a certificate holds; then its dates are looked at again.
const VERDICT_HOLDS: Duration = Duration::from_secs(10);

/// Who asks, by the certificate shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// The common name.
    pub(crate) name: String,
    /// The organizations.
    pub(crate) groups: Vec<String>,
}

/// The authorities whose clients are let in, read again when their file changes.
#[derive(Debug)]
pub(crate) struct ClientCa {
    file: PathBuf,
    verifier: ArcSwap<Verifier>,
}

type Verifier = Arc<dyn ClientCertVerifier>;

/// What the client of a connection showed, kept with the connection.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    verdict: RefCell<Option<Verdict>>,
}

struct Verdict {
    by: Arc<Verifier>,
    at: Instant,
    user: Option<User>,
}

/// Keeps the client's certificate with the connection, if it showed one.
pub(crate) fn keep_shown(connection: &dyn std::any::Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    if let Some(chain) = stream.get_ref().1.peer_certificates() {
        let chain = chain
            .iter()
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        data.insert(Shown {
            chain,
            verdict: RefCell::new(None),
        });
    }
}

impl ClientCa {
    /// Reads the authorities. With them comes what tells when their file changes.
    pub(crate) fn open(file: PathBuf) -> Result<(Arc<Self>, FileWatch), Error> {
        let watch = FileWatch::new("the client CA", vec![file.clone()]);
        let verifier = ArcSwap::from_pointee(verifier(&file)?);
        Ok((Arc::new(Self { file, verifier }), watch))
    }

    /// Reads the file again; on an error the authorities read before stay.
    pub(crate) fn reload(&self) -> Result<(), Error> {
        self.verifier.store(Arc::new(verifier(&self.file)?));
        Ok(())
    }

    /// Who asks on the connection of this request; `None` if it cannot be said.
    pub(crate) fn user(&self, request: &actix_web::HttpRequest) -> Option<User> {
        let shown = request.conn_data::<Shown>()?;
        let verifier = self.verifier.load_full();
        let mut verdict = shown.verdict.borrow_mut();
        let holds = |it: &Verdict| Arc::ptr_eq(&it.by, &verifier) && it.at.elapsed() < VERDICT_HOLDS;
        if !verdict.as_ref().is_some_and(holds) {
            let user = judge(verifier.as_ref().as_ref(), &shown.chain);
            *verdict = Some(Verdict {
                by: Arc::clone(&verifier),
                at: Instant::now(),
                user,
            });
        }
        verdict.as_ref().and_then(|it| it.user.clone())
    }
}

fn verifier(file: &Path) -> Result<Verifier, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(file)?);
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
        .build()
        .map_err(|source| Error::ClientCa {
            path: file.to_owned(),
            source,
        })
}

/// Checks chain, dates and that the certificate is meant for clients, then reads who it names.
fn judge(verifier: &dyn ClientCertVerifier, chain: &[CertificateDer<'static>]) -> Option<User> {
    let (leaf, intermediates) = chain.split_first()?;
    match verifier.verify_client_cert(leaf, intermediates, UnixTime::now()) {
        Ok(_) => named(leaf),
        Err(error) => {
            tracing::debug!("a client certificate was refused: {error}");
            None
        }
    }
}

/// As apiserver reads a user from a certificate (`pkg/authentication/request/x509`, `CommonNameUserConversion`):
/// without a common name there is none.
fn named(leaf: &CertificateDer<'_>) -> Option<User> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let subject = leaf.subject();
    let name = subject
        .iter_common_name()
        .next()?
        .as_str()
        .ok()
        .filter(|name| !name.is_empty())?
        .to_owned();
    let groups = subject
        .iter_organization()
        .filter_map(|group| group.as_str().ok())
        .map(str::to_owned)
        .collect();
    Some(User { name, groups })
}

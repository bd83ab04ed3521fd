//! The certificate that a client showed when it connected, and what was found of it.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::clients::Authority;
use super::front_proxy::Proxy;
use crate::model::User;

/// How long a verdict on a certificate holds; then its dates are looked at again.
const VERDICT_HOLDS: Duration = Duration::from_secs(10);

/// What the client of a connection showed, kept with the connection.
pub(super) struct Shown {
    chain: Vec<CertificateDer<'static>>,
    /// Which user it names.
    pub(super) client: Verdict<Authority, Option<Arc<User>>>,
    /// Whether it is the front proxy's.
    pub(super) proxy: Verdict<Proxy, bool>,
}

/// What a judge last found.
pub(super) struct Verdict<J, T>(RefCell<Option<Found<J, T>>>);

struct Found<J, T> {
    by: Arc<J>,
    at: Instant,
    what: T,
}

/// Keeps the client's certificate with the connection, if it showed one.
pub(in crate::server) fn keep_shown(connection: &dyn Any, data: &mut Extensions) {
    let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() else {
        return;
    };
    if let Some(chain) = stream.get_ref().1.peer_certificates() {
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned());
        data.insert(Shown {
            chain: chain.collect(),
            client: Verdict::default(),
            proxy: Verdict::default(),
        });
    }
}

impl Shown {
    /// The certificate, if the verifier vouches for it: its chain, its dates, and that it is meant for clients.
    pub(super) fn vouched(&self, verifier: &dyn ClientCertVerifier) -> Option<X509Certificate<'_>> {
        let (leaf, intermediates) = self.chain.split_first()?;
        match verifier.verify_client_cert(leaf, intermediates, UnixTime::now()) {
            Ok(_) => X509Certificate::from_der(leaf).ok().map(|(_, leaf)| leaf),
            Err(error) => {
                tracing::debug!("a client certificate was refused: {error}");
                None
            }
        }
    }
}

impl<J, T: Clone> Verdict<J, T> {
    /// What this judge finds, or has found a moment ago.
    pub(super) fn of(&self, judge: &Arc<J>, find: impl FnOnce() -> T) -> T {
        let mut found = self.0.borrow_mut();
        let holds = |it: &Found<J, T>| Arc::ptr_eq(&it.by, judge) && it.at.elapsed() < VERDICT_HOLDS;
        if let Some(found) = found.as_ref().filter(|it| holds(it)) {
            return found.what.clone();
        }
        let what = find();
        *found = Some(Found {
            by: Arc::clone(judge),
            at: Instant::now(),
            what: what.clone(),
        });
        what
    }
}

impl<J, T> Default for Verdict<J, T> {
    fn default() -> Self {
        Verdict(RefCell::new(None))
    }
}

/// The common name, if there is one.
pub(super) fn common_name<'a>(certificate: &'a X509Certificate<'_>) -> Option<&'a str> {
    let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
    Some(name).filter(|name| !name.is_empty())
}

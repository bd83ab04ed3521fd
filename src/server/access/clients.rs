//! Clients that say by their certificate who they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpRequest;
use arc_swap::ArcSwapOption;
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest, Sha256};
use x509_parser::prelude::X509Certificate;

use super::connection::{Shown, common_name};
use super::{Said, authenticated};
use crate::model::User;

/// The key of the fingerprint among what is known of a user.
/// Source: apiserver, `pkg/authentication/user/user.go`, `CredentialIDKey`, 1.36.
const CREDENTIAL: &str = "authentication.kubernetes.io/credential-id";

/// Whose clients are believed; none while there is no authority.
#[derive(Debug, Default)]
pub(super) struct Clients(ArcSwapOption<Authority>);

/// Vouches for clients.
#[derive(Debug)]
pub(super) struct Authority(Arc<dyn ClientCertVerifier>);

impl Clients {
    #[cfg(test)]
    pub(super) fn is_some(&self) -> bool {
        self.0.load().is_some()
    }

    /// From now on this one vouches for clients, or nobody.
    pub(super) fn trust(&self, verifier: Option<Arc<dyn ClientCertVerifier>>) {
        self.0
            .store(verifier.map(|verifier| Arc::new(Authority(verifier))));
    }

    /// Which user the certificate of this request's connection names.
    pub(super) fn user(&self, request: &HttpRequest) -> Said<Arc<User>> {
        let Some((shown, authority)) = request.conn_data::<Shown>().zip(self.0.load_full()) else {
            return Said::Nothing;
        };
        let user = shown.client.of(&authority, || {
            let leaf = shown.vouched(authority.0.as_ref())?;
            named(&leaf).map(authenticated).map(Arc::new)
        });
        user.map_or(Said::Refused, Said::Known)
    }
}

/// As apiserver reads a user from a certificate (`pkg/authentication/request/x509`, `CommonNameUserConversion`):
/// without a common name there is none.
fn named(leaf: &X509Certificate<'_>) -> Option<User> {
    let name = common_name(leaf)?.to_owned();
    let groups = leaf.subject().iter_organization();
    let groups = groups.filter_map(|group| group.as_str().ok()).map(str::to_owned);
    let fingerprint = format!("X509SHA256={}", hexadecimal(&Sha256::digest(leaf.as_raw())));
    Some(User {
        name,
        uid: String::new(),
        groups: groups.collect(),
        extra: BTreeMap::from([(CREDENTIAL.to_owned(), vec![fingerprint])]),
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

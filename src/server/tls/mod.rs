//! The TLS side of the HTTPS listener.

mod handshake;
mod kept;
mod named;
mod pem;
mod self_signed;
mod serving;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedCipherSuite};

pub(super) use kept::Keeper;
pub(super) use pem::certificates;
pub(super) use serving::{ServingCertificates, serving_files};

use super::Error;
use crate::config::{ServingSettings, TlsVersion};

/// A certificate chain and its private key, each in a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PemPair {
    /// The chain, leaf first.
    pub(super) certificate: PathBuf,
    /// The key.
    pub(super) key: PathBuf,
}

/// The configuration of the HTTPS listener.
///
/// If it matters who asks, clients may show a certificate; it is judged later.
pub(super) fn server_config(
    settings: &ServingSettings,
    asks_who: bool,
    certificates: Arc<ServingCertificates>,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(provider(&settings.cipher_suites.offered));
    let versions: &[_] = match settings.tls_min_version {
        TlsVersion::Tls12 => &[&TLS13, &TLS12],
        TlsVersion::Tls13 => &[&TLS13],
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(Error::NoCipherSuite)?;
    let builder = match asks_who {
        true => builder.with_client_cert_verifier(Arc::new(handshake::AnyClient::new(provider))),
        false => builder.with_no_client_auth(),
    };
    Ok(builder.with_cert_resolver(certificates))
}

/// ring with the TLS 1.2 cipher suites of these names, in this order; with all if there are none.
/// As in Go, those of TLS 1.3 are always offered.
fn provider(names: &[String]) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if !names.is_empty() {
        let place = |suite: &SupportedCipherSuite| match suite.tls13() {
            Some(_) => Some(0),
            None => names
                .iter()
                .position(|name| suite.suite().as_str() == Some(name))
                .map(|place| place + 1),
        };
        provider.cipher_suites.retain(|suite| place(suite).is_some());
        provider.cipher_suites.sort_by_key(place);
    }
    provider
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
        let suites = provider(&names).cipher_suites;
        suites
            .iter()
            .filter(|suite| suite.tls13().is_none())
            .filter_map(|suite| suite.suite().as_str())
            .collect()
    }

    #[test]
    fn named_cipher_suites_are_offered_in_the_order_given() {
        assert_eq!(
            offered(&[
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
            ]),
            [
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
            ]
        );
    }

    #[test]
    fn tls_1_3_stays_when_no_older_suite_is_left() {
        assert!(offered(&["TLS_RSA_WITH_AES_128_CBC_SHA"]).is_empty());
    }

    #[test]
    fn all_suites_are_offered_by_default() {
        assert_eq!(offered(&[]).len(), 6);
    }
}

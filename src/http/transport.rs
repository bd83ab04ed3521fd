//! Connections and their TLS.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, Url};

use super::credentials::{Credentials, Source};
use super::error::Error;
use super::reloading::Reloading;
use crate::config::BackendSettings;
use crate::model::chain;

const USER_AGENT: &str = concat!("promql-adapter/", env!("CARGO_PKG_VERSION"));

/// Connections kept open for the next request; as many as could be under way at once, within reason.
const MOST_IDLE_CONNECTIONS: usize = 100;

/// How often an HTTP/2 connection with requests under way is probed.
/// Without it a connection whose peer vanished takes all requests until the kernel gives up, after minutes.
const PROBE_INTERVAL: Duration = Duration::from_secs(5);

/// The connections to one backend, made anew when a certificate file changes.
///
/// Requests under way on the old connections finish there.
pub(crate) fn reloading(
    settings: &BackendSettings,
    base: &Url,
    credentials: &Credentials,
) -> Result<Reloading<reqwest::Client>, Error> {
    let authority = file(&settings.ca_file).or_else(|| credentials.certificate_authority.clone());
    let roots = match &authority {
        Some(_) => Roots::Given,
        None if base.scheme() == "http" || credentials.insecure_skip_tls_verify => Roots::None,
        None => Roots::System,
    };
    let identity = client_certificate(settings, credentials)?;
    let sources = authority.into_iter().chain(
        identity
            .into_iter()
            .flat_map(|(certificate, key)| [certificate, key]),
    );
    let skip_verify = credentials.insecure_skip_tls_verify;
    let plan = Plan {
        roots,
        skip_verify,
        loopback: is_loopback(base),
    };
    Reloading::new("certificates for the backend", sources.collect(), move |texts| {
        plan.client(texts)
    })
}

fn file(setting: &Option<PathBuf>) -> Option<Source> {
    setting.clone().map(Source::File)
}

fn client_certificate(
    settings: &BackendSettings,
    credentials: &Credentials,
) -> Result<Option<(Source, Source)>, Error> {
    match (
        file(&settings.client_certificate_file),
        file(&settings.client_key_file),
    ) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(credentials.client_certificate.clone()),
        (Some(_), None) => Err(Error::setting(
            "clientKeyFile",
            "the client certificate needs its key",
        )),
        (None, Some(_)) => Err(Error::setting(
            "clientCertificateFile",
            "the client key needs its certificate",
        )),
    }
}

/// Connections to any host, one kept for each: the system's authorities are believed, and nothing is proved.
pub(crate) fn without_credentials(keep_idle: Duration) -> Result<reqwest::Client, Error> {
    let prepared = || {
        reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(keep_idle)
    };
    // An image without certificates must do all the same; HTTPS then fails and says why.
    build(prepared()).or_else(|_| build(prepared().tls_certs_only([])))
}

/// Whose certificates are believed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Roots {
    /// Those of the file or text that stands first among the sources.
    Given,
    /// Those of the operating system.
    System,
    /// Nobody's: the connection is not encrypted, or its certificate is not looked at.
    None,
}

/// What is known of the client before its files are read.
#[derive(Clone, Copy)]
struct Plan {
    roots: Roots,
    skip_verify: bool,
    loopback: bool,
}

impl Plan {
    fn client(self, texts: &[String]) -> Result<reqwest::Client, Error> {
        let (authority, identity) = texts.split_at(usize::from(self.roots == Roots::Given));
        let prepared = || self.prepared(identity);
        match self.roots {
            Roots::Given => build(prepared()?.tls_certs_only(authorities(&authority.concat())?)),
            Roots::None => build(prepared()?.tls_certs_only([])),
            Roots::System => build(prepared()?).or_else(|error| {
                // An image without certificates must start all the same; requests then fail and say why.
                let cause = chain(&error);
                tracing::warn!(
                    cause,
                    "the system has no certificate authorities; set `caFile` for this backend"
                );
                build(prepared()?.tls_certs_only([]))
            }),
        }
    }

    /// All but the roots. `identity` is empty, or certificate and key.
    fn prepared(self, identity: &[String]) -> Result<ClientBuilder, Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .pool_max_idle_per_host(MOST_IDLE_CONNECTIONS)
            .http2_keep_alive_interval(PROBE_INTERVAL)
            .http2_keep_alive_timeout(PROBE_INTERVAL)
            .tls_danger_accept_invalid_certs(self.skip_verify);
        if self.loopback {
            // As Go does: what listens on this machine is not asked through a proxy.
            builder = builder.no_proxy();
        }
        if identity.is_empty() {
            return Ok(builder);
        }
        let identity = Identity::from_pem(identity.join("\n").as_bytes())
            .map_err(|error| Error::credentials("client certificate", error))?;
        Ok(builder.identity(identity))
    }
}

fn build(builder: ClientBuilder) -> Result<reqwest::Client, Error> {
    builder
        .build()
        .map_err(|error| Error::credentials("TLS of the backend", error))
}

fn authorities(pem: &str) -> Result<Vec<Certificate>, Error> {
    let authorities = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|error| Error::credentials("certificate authority", error))?;
    if authorities.is_empty() {
        return Err(Error::credentials(
            "certificate authority",
            "there is no certificate in it",
        ));
    }
    Ok(authorities)
}

fn is_loopback(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

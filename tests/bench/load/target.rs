//! Who is asked, by whom, and what.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

use crate::http_client::runtime;
use crate::support::certificates::Pem;
use crate::support::server::trusting;
use crate::support::servers::http_client;

/// What the controller takes.
pub(crate) const ACCEPT: &str = "application/vnd.kubernetes.protobuf, */*";

/// A server, and how it is met.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// `None` for plain HTTP.
    pub(crate) tls: Option<Arc<Trust>>,
    /// What the caller says of itself, beside what every controller says.
    pub(crate) headers: Vec<(String, String)>,
}

/// Whom the client trusts and what it shows.
pub(crate) struct Trust {
    /// The authority of the server's certificate, as PEM.
    pub(crate) authority: String,
    pub(crate) certificate: Pem,
}

impl Target {
    /// Plain HTTP, without a name.
    pub(crate) fn plain(address: SocketAddr) -> Target {
        Target {
            address,
            tls: None,
            headers: Vec::new(),
        }
    }

    /// The body that the controller gets for a path, with 200; how long it takes does not matter.
    pub(crate) fn body(&self, path: &str) -> Vec<u8> {
        self.fetched(&self.client(), path, ACCEPT).unwrap()
    }

    /// What is answered in JSON on a connection that is kept, or why nothing is.
    pub(crate) fn try_json(&self, client: &reqwest::Client, path: &str) -> reqwest::Result<Vec<u8>> {
        self.fetched(client, path, "application/json")
    }

    fn fetched(&self, client: &reqwest::Client, path: &str, accept: &str) -> reqwest::Result<Vec<u8>> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut request = client.get(format!("{scheme}://{}{path}", self.address));
        request = request.header("accept", accept);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        runtime().block_on(async {
            let answer = request.send().await?.error_for_status()?;
            Ok(answer.bytes().await?.to_vec())
        })
    }

    /// One that it answers.
    pub(crate) fn client(&self) -> reqwest::Client {
        match &self.tls {
            None => http_client(),
            Some(trust) => {
                let client = trusting(&trust.authority).identity(trust.certificate.identity());
                client.build().unwrap()
            }
        }
    }

    /// The name its certificate is for.
    pub(super) fn name(&self) -> ServerName<'static> {
        ServerName::from(self.address.ip())
    }
}

impl Trust {
    /// TLS that offers one protocol, `http/1.1` or `h2`.
    pub(super) fn client(&self, protocol: &str) -> Arc<rustls::ClientConfig> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap();
        roots.add(authority).unwrap();
        let Pem { certificate, key } = &self.certificate;
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap);
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let mut tls = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain.collect(), key)
            .unwrap();
        tls.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Arc::new(tls)
    }
}

/// A GET, ready to be sent in both protocols.
#[derive(Clone)]
pub(crate) struct Request {
    /// For HTTP/1.1.
    pub(super) bytes: Vec<u8>,
    /// For HTTP/2.
    pub(super) head: http::Request<()>,
}

impl Request {
    /// With the headers that the autoscaler's controller sends, and those of the caller.
    /// Source: what client-go of Kubernetes 1.36 was seen to send through the aggregation layer.
    pub(crate) fn get(target: &Target, path: &str) -> Request {
        let host = target.address.to_string();
        let mut headers = vec![
            ("accept", ACCEPT),
            ("accept-encoding", "gzip"),
            ("user-agent", "kube-controller-manager/v1.36.2 (linux/amd64)"),
        ];
        let own = target.headers.iter();
        headers.extend(own.map(|(name, value)| (name.as_str(), value.as_str())));
        let mut text = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n");
        let mut head = http::Request::get(format!("https://{host}{path}"));
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
            head = head.header(name, value);
        }
        Request {
            bytes: (text + "\r\n").into_bytes(),
            head: head.body(()).unwrap(),
        }
    }
}

//! Certificates made for a test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use reqwest::Identity;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

/// Installs the crypto provider, as `main` does; whichever test comes first does it.
pub(crate) fn install_crypto() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A certificate authority.
pub(crate) struct Authority {
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, as PEM.
pub(crate) struct Pem {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = named("test authority", &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
        }
    }

    /// An authority of files `NAME.crt` and `NAME.key`.
    pub(crate) fn read(directory: &Path, name: &str) -> Self {
        let Pem { certificate, key } = Pem::read(directory, name);
        let key = KeyPair::from_pem(&key).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&certificate, key).unwrap();
        Self { certificate, issuer }
    }

    /// An authority that this one vouches for.
    pub(crate) fn intermediate(&self) -> Self {
        let mut parameters = named("intermediate authority", &[]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap().pem();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
        }
    }

    /// Its own certificate, as PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.certificate
    }

    /// A certificate for the server at 127.0.0.1.
    pub(crate) fn server(&self) -> Pem {
        self.server_named("localhost")
    }

    /// A certificate for the server at 127.0.0.1 under one more name.
    pub(crate) fn server_named(&self, name: &str) -> Pem {
        let mut parameters = CertificateParams::new(vec![name.to_owned(), "127.0.0.1".to_owned()]).unwrap();
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&parameters)
    }

    /// A certificate for a client.
    pub(crate) fn client(&self, name: &str, groups: &[&str]) -> Pem {
        self.sign(&client(name, groups))
    }

    /// A certificate for a client, of long ago.
    pub(crate) fn expired_client(&self, name: &str) -> Pem {
        let mut parameters = client(name, &[]);
        parameters.not_before = date_time_ymd(2001, 1, 1);
        parameters.not_after = date_time_ymd(2002, 1, 1);
        self.sign(&parameters)
    }

    /// A certificate that names a client but is meant for servers.
    pub(crate) fn server_as_client(&self, name: &str) -> Pem {
        let mut parameters = client(name, &[]);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&parameters)
    }

    /// Settings of a TLS server on 127.0.0.1 with a certificate of this authority.
    /// With `clients`, it lets in only those who show a certificate of that authority.
    pub(crate) fn listener(&self, clients: Option<&Authority>) -> Arc<rustls::ServerConfig> {
        install_crypto();
        let own = self.server();
        let builder = rustls::ServerConfig::builder();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
                    .unwrap();
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap(),
                )
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    fn sign(&self, parameters: &CertificateParams) -> Pem {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        Pem {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Pem {
    /// What was written as `NAME.crt` and `NAME.key`.
    pub(crate) fn read(directory: &Path, name: &str) -> Pem {
        let read = |kind| std::fs::read_to_string(directory.join(format!("{name}.{kind}"))).unwrap();
        Pem {
            certificate: read("crt"),
            key: read("key"),
        }
    }

    /// For a client that shows it.
    pub(crate) fn identity(&self) -> Identity {
        Identity::from_pem(format!("{}{}", self.certificate, self.key).as_bytes()).unwrap()
    }

    /// Writes `NAME.crt` and `NAME.key`, whose paths it gives back.
    pub(crate) fn write(&self, directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (certificate, key) = (
            directory.join(format!("{name}.crt")),
            directory.join(format!("{name}.key")),
        );
        std::fs::write(&certificate, &self.certificate).unwrap();
        std::fs::write(&key, &self.key).unwrap();
        (certificate, key)
    }
}

fn client(name: &str, groups: &[&str]) -> CertificateParams {
    let mut parameters = named(name, groups);
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    parameters
}

fn named(name: &str, groups: &[&str]) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    for group in groups {
        parameters
            .distinguished_name
            .push(DnType::OrganizationName, *group);
    }
    parameters
}

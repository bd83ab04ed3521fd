//! The certificates the adapter shows, read again when their files change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::named::Names;
use super::{PemPair, self_signed};
use crate::config::{ServingSettings, SniCertificate};
use crate::server::Error;
use crate::server::file_watch::FileWatch;

/// The certificates the adapter shows.
#[derive(Debug)]
pub(in crate::server) struct ServingCertificates {
    /// Of the default certificate; `None` if it is handed over by [`ServingCertificates::show`].
    files: Option<PemPair>,
    named: Vec<SniCertificate>,
    loaded: ArcSwap<Loaded>,
}

#[derive(Clone, Debug, Default)]
struct Loaded {
    default: Option<Arc<CertifiedKey>>,
    named: Vec<(Arc<Names>, Arc<CertifiedKey>)>,
}

impl ServingCertificates {
    /// Reads the certificates. With them comes what tells when their files change.
    ///
    /// Without files of the default certificate there is none until it is handed over.
    pub(in crate::server) fn open(
        files: Option<PemPair>,
        named: &[SniCertificate],
    ) -> Result<(Arc<Self>, FileWatch), Error> {
        let pairs = files.iter().cloned().chain(named.iter().map(PemPair::of));
        let all = pairs.flat_map(|pair| [pair.certificate, pair.key]).collect();
        let watch = FileWatch::new("the serving certificate", all);
        let certificates = Self {
            files,
            named: named.to_vec(),
            loaded: ArcSwap::default(),
        };
        certificates.reload()?;
        Ok((Arc::new(certificates), watch))
    }

    /// Reads the files again; on an error what was read before stays.
    pub(in crate::server) fn reload(&self) -> Result<(), Error> {
        let default = self.files.as_ref().map(PemPair::load).transpose()?;
        let load = |certificate: &SniCertificate| {
            let pair = PemPair::of(certificate).load()?;
            Ok::<_, Error>((Arc::new(Names::of(&certificate.names, &pair)), pair))
        };
        let named: Vec<_> = self.named.iter().map(load).collect::<Result<_, Error>>()?;
        self.loaded.rcu(|before| Loaded {
            default: default.clone().or_else(|| before.default.clone()),
            named: named.clone(),
        });
        Ok(())
    }

    /// Shows another default certificate from now on.
    pub(super) fn show(&self, default: &Arc<CertifiedKey>) {
        self.loaded.rcu(|before| Loaded {
            default: Some(Arc::clone(default)),
            named: before.named.clone(),
        });
    }

    /// Unix time in seconds at which the default certificate ends.
    pub(in crate::server) fn end(&self) -> Option<f64> {
        let loaded = self.loaded.load();
        let (_, leaf) = X509Certificate::from_der(loaded.default.as_ref()?.cert.first()?).ok()?;
        Some(leaf.validity().not_after.timestamp() as f64)
    }
}

impl PemPair {
    fn of(certificate: &SniCertificate) -> Self {
        Self {
            certificate: certificate.cert_file.clone(),
            key: certificate.key_file.clone(),
        }
    }
}

impl ResolvesServerCert for ServingCertificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let loaded = self.loaded.load();
        let named = hello
            .server_name()
            .and_then(|name| loaded.named.iter().find(|(names, _)| names.contain(name)));
        named.map(|(_, pair)| pair).or(loaded.default.as_ref()).cloned()
    }
}

/// The files of the default certificate. If none are named, they are of a self-signed one, made if it is not there.
pub(in crate::server) fn serving_files(settings: &ServingSettings) -> Result<PemPair, Error> {
    let unpaired = |given: &str, missing: &str| Error::Unpaired {
        given: given.to_owned(),
        missing: missing.to_owned(),
    };
    match (&settings.tls_cert_file, &settings.tls_private_key_file) {
        (Some(certificate), Some(key)) => Ok(PemPair {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        (Some(_), None) => Err(unpaired("--tls-cert-file", "--tls-private-key-file")),
        (None, Some(_)) => Err(unpaired("--tls-private-key-file", "--tls-cert-file")),
        (None, None) => self_signed::keep(&settings.cert_dir, settings.bind_address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn pair(home: &std::path::Path) -> PemPair {
        self_signed::keep(home, None).unwrap()
    }

    #[test]
    fn the_last_good_certificate_stays_when_its_files_break() {
        let home = tempfile::tempdir().unwrap();
        let files = pair(home.path());
        let (certificates, _) = ServingCertificates::open(Some(files.clone()), &[]).unwrap();
        let shown = || {
            certificates
                .loaded
                .load()
                .default
                .as_ref()
                .map(|it| it.cert.clone())
        };
        let before = shown();

        fs::write(&files.certificate, "not a certificate").unwrap();
        assert!(matches!(certificates.reload(), Err(Error::Pem { .. })));

        let other = tempfile::tempdir().unwrap();
        fs::copy(pair(other.path()).certificate, &files.certificate).unwrap();
        assert!(matches!(certificates.reload(), Err(Error::Mismatch { .. })));
        assert_eq!(shown(), before);

        fs::copy(pair(other.path()).key, &files.key).unwrap();
        certificates.reload().unwrap();
        assert_ne!(shown(), before);
    }
}

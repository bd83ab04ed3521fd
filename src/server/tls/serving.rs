//! The certificates the adapter shows, read again when their files change.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::named::Names;
use super::{PemPair, self_signed};
use crate::config::{ServingSettings, SniCertificate};
use crate::server::Error;
use crate::server::file_watch::FileWatch;

/// The certificates the adapter shows.
#[derive(Debug)]
pub(in crate::server) struct ServingCertificates {
    files: PemPair,
    named: Vec<SniCertificate>,
    loaded: ArcSwap<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    default: Arc<CertifiedKey>,
    named: Vec<(Names, Arc<CertifiedKey>)>,
}

impl ServingCertificates {
    /// Reads the certificates. With them comes what tells when their files change.
    pub(in crate::server) fn open(
        files: PemPair,
        named: &[SniCertificate],
    ) -> Result<(Arc<Self>, FileWatch), Error> {
        let pairs = std::iter::once(files.clone()).chain(named.iter().map(PemPair::of));
        let all = pairs.flat_map(|pair| [pair.certificate, pair.key]).collect();
        let watch = FileWatch::new("the serving certificate", all);
        let loaded = ArcSwap::from_pointee(Loaded::from(&files, named)?);
        Ok((
            Arc::new(Self {
                files,
                named: named.to_vec(),
                loaded,
            }),
            watch,
        ))
    }

    /// Reads the files again; on an error what was read before stays.
    pub(in crate::server) fn reload(&self) -> Result<(), Error> {
        self.loaded
            .store(Arc::new(Loaded::from(&self.files, &self.named)?));
        Ok(())
    }
}

impl Loaded {
    fn from(default: &PemPair, named: &[SniCertificate]) -> Result<Self, Error> {
        let load = |certificate: &SniCertificate| {
            let pair = PemPair::of(certificate).load()?;
            Ok::<_, Error>((Names::of(&certificate.names, &pair), pair))
        };
        Ok(Self {
            default: default.load()?,
            named: named.iter().map(load).collect::<Result<_, Error>>()?,
        })
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
        Some(Arc::clone(named.map_or(&loaded.default, |(_, pair)| pair)))
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
        let (certificates, _) = ServingCertificates::open(files.clone(), &[]).unwrap();
        let before = certificates.loaded.load().default.cert.clone();

        fs::write(&files.certificate, "not a certificate").unwrap();
        assert!(matches!(certificates.reload(), Err(Error::Pem { .. })));

        let other = tempfile::tempdir().unwrap();
        fs::copy(pair(other.path()).certificate, &files.certificate).unwrap();
        assert!(matches!(certificates.reload(), Err(Error::Mismatch { .. })));
        assert_eq!(certificates.loaded.load().default.cert, before);

        fs::copy(pair(other.path()).key, &files.key).unwrap();
        certificates.reload().unwrap();
        assert_ne!(certificates.loaded.load().default.cert, before);
    }
}

//! PEM files.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::PemPair;
use crate::server::Error;

/// All certificates of a file, at least one.
pub(in crate::server) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = read(path)?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let unusable = |source| Error::Pem {
        path: path.to_owned(),
        what: "certificate",
        source,
    };
    match found {
        Ok(certificates) if certificates.is_empty() => Err(unusable(None)),
        Ok(certificates) => Ok(certificates),
        Err(source) => Err(unusable(Some(source))),
    }
}

impl PemPair {
    /// Reads both files and checks that they belong together.
    pub(super) fn load(&self) -> Result<Arc<CertifiedKey>, Error> {
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|source| Error::Pem {
            path: self.key.clone(),
            what: "private key",
            source: Some(source),
        })?;
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        pair.map(Arc::new).map_err(|source| Error::Mismatch {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            source,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })
}

//! The certificate for when none is given.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use tracing::info;

use super::PemPair;
use crate::server::Error;

/// The self-signed certificate of a directory, made if it is not there.
///
/// It is kept, so that a client that trusts it does so after a restart too.
/// File names as apiserver has them (`pkg/server/options/serving.go`).
pub(super) fn keep(directory: &Path, address: Option<IpAddr>) -> Result<PemPair, Error> {
    let pair = PemPair {
        certificate: directory.join("apiserver.crt"),
        key: directory.join("apiserver.key"),
    };
    let unpaired = |given: &Path, missing: &Path| Error::Unpaired {
        given: given.display().to_string(),
        missing: missing.display().to_string(),
    };
    match (pair.certificate.exists(), pair.key.exists()) {
        (true, true) => {}
        (true, false) => return Err(unpaired(&pair.certificate, &pair.key)),
        (false, true) => return Err(unpaired(&pair.key, &pair.certificate)),
        (false, false) => {
            make(directory, &pair, address)?;
            info!("made a self-signed certificate, {}", pair.certificate.display());
        }
    }
    Ok(pair)
}

fn make(directory: &Path, pair: &PemPair, address: Option<IpAddr>) -> Result<(), Error> {
    let key = KeyPair::generate().map_err(Error::SelfSigned)?;
    let certificate = parameters(address)
        .and_then(|it| it.self_signed(&key))
        .map_err(Error::SelfSigned)?;
    fs::create_dir_all(directory).map_err(|source| Error::Write {
        path: directory.to_owned(),
        source,
    })?;
    write(&pair.key, &key.serialize_pem(), 0o600)?;
    write(&pair.certificate, &certificate.pem(), 0o644)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a certificate is valid from when it is made"
)]
fn parameters(address: Option<IpAddr>) -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let address = address.filter(|it| !it.is_unspecified()).map(|it| it.to_string());
    names.extend(address.filter(|it| !names.contains(it)));
    let mut parameters = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, "promql-adapter");
    parameters.distinguished_name = name;
    // A day back for clocks that are behind; long, because nothing renews it.
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let (from, to) = (today.saturating_sub(1.day()), today.saturating_add(10.years()));
    let time = |date: jiff::civil::Date| {
        let unsigned = |number: i8| u8::try_from(number).expect("months and days are positive");
        date_time_ymd(date.year().into(), unsigned(date.month()), unsigned(date.day()))
    };
    (parameters.not_before, parameters.not_after) = (time(from), time(to));
    Ok(parameters)
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), Error> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let written: io::Result<()> = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_that_cannot_be_made_is_named_and_the_cause_comes_last() {
        let error = keep(Path::new("/dev/null/certificates"), None).unwrap_err();
        assert_eq!(
            crate::model::chain(&error),
            "cannot write /dev/null/certificates, below --cert-dir, which is for a self-signed certificate: \
             Not a directory (os error 20)"
        );
    }

    #[test]
    fn is_made_once_and_kept() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("certificates");
        let pair = keep(&directory, None).unwrap();
        let first = fs::read(&pair.certificate).unwrap();
        assert_eq!(keep(&directory, None).unwrap(), pair);
        assert_eq!(fs::read(&pair.certificate).unwrap(), first);
        assert!(pair.load().is_ok());
    }

    #[test]
    fn its_key_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let pair = keep(home.path(), None).unwrap();
        assert_eq!(
            fs::metadata(pair.key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_certificate_without_its_key_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let pair = keep(home.path(), None).unwrap();
        fs::remove_file(&pair.key).unwrap();
        let error = keep(home.path(), None).unwrap_err().to_string();
        assert!(error.contains("apiserver.key is missing"), "{error}");
    }
}

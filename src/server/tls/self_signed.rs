//! The certificate for when none is given.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};
use tracing::info;

use super::PemPair;
use crate::server::Error;

/// The self-signed certificate of a directory, made if it is not there.
///
/// It is kept, so that a client that trusts it does so after a restart too. Of several adapters that start in one
/// directory one makes it, and what cannot be written whole is not written.
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
    let there = || (pair.certificate.exists(), pair.key.exists());
    if there() == (true, true) {
        return Ok(pair);
    }
    let _locked = lock(directory).map_err(|source| Error::Write {
        path: directory.to_owned(),
        source,
    })?;
    match there() {
        (true, true) => {}
        (true, false) => return Err(unpaired(&pair.certificate, &pair.key)),
        (false, true) => return Err(unpaired(&pair.key, &pair.certificate)),
        (false, false) => {
            make(&pair, address)?;
            info!("made a self-signed certificate, {}", pair.certificate.display());
        }
    }
    Ok(pair)
}

/// Makes the directory if need be, and holds it until the file is dropped.
fn lock(directory: &Path) -> io::Result<File> {
    fs::create_dir_all(directory)?;
    let directory = File::open(directory)?;
    directory.lock()?;
    Ok(directory)
}

fn make(pair: &PemPair, address: Option<IpAddr>) -> Result<(), Error> {
    let key = KeyPair::generate().map_err(Error::SelfSigned)?;
    let certificate = parameters(address)
        .and_then(|it| it.self_signed(&key))
        .map_err(Error::SelfSigned)?;
    let (new_key, new_certificate) = (
        write(&pair.key, &key.serialize_pem(), 0o600)?,
        write(&pair.certificate, &certificate.pem(), 0o644)?,
    );
    new_key.keep()?;
    new_certificate.keep()
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

/// A file that is written and has not got its name yet; without [`Written::keep`] it goes away.
struct Written<'a> {
    name: &'a Path,
    now: PathBuf,
}

fn write<'a>(name: &'a Path, text: &str, mode: u32) -> Result<Written<'a>, Error> {
    let written = Written {
        name,
        now: PathBuf::from(format!("{}.new", name.display())),
    };
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&written.now);
    file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    })
    .map_err(|source| written.error(source))?;
    Ok(written)
}

impl Written<'_> {
    fn keep(&self) -> Result<(), Error> {
        fs::rename(&self.now, self.name).map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Write {
            path: self.name.to_owned(),
            source,
        }
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        // Fails if it was kept, or could not be made; there is nothing left to take away then.
        let _ = fs::remove_file(&self.now);
    }
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
    fn several_at_once_share_one() {
        let home = tempfile::tempdir().unwrap();
        let made: Vec<_> = std::thread::scope(|scope| {
            let adapters: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| keep(home.path(), None).map(|pair| pair.load().is_ok())))
                .collect();
            adapters.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert!(made.iter().all(|it| matches!(it, Ok(true))), "{made:?}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_cannot_be_written_whole_is_not_written() {
        let home = tempfile::tempdir().unwrap();
        let in_the_way = home.path().join("apiserver.crt.new");
        fs::create_dir(&in_the_way).unwrap();
        let error = keep(home.path(), None).unwrap_err().to_string();
        assert!(
            error.contains("cannot write") && error.contains("apiserver.crt"),
            "{error}"
        );
        fs::remove_dir(in_the_way).unwrap();
        assert!(keep(home.path(), None).unwrap().load().is_ok());
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

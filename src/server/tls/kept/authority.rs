//! A certificate authority and the serving certificates it signs.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A certificate begins this part of its life before it is made, for clocks that are behind.
const BACK: u32 = 12;

/// Why there is no certificate to use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// It cannot be made.
    #[error("a certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// It cannot be used for serving.
    #[error("the certificate that was made cannot be used")]
    Use(#[from] rustls::Error),
    /// It is not PEM, or not a certificate.
    #[error("`{0}` is no certificate in PEM")]
    Certificate(&'static str),
    /// Its key is not PEM, or another's.
    #[error("`{key}` is not the key of `{certificate}`")]
    Key {
        /// Key of the Secret.
        certificate: &'static str,
        /// Key of the Secret.
        key: &'static str,
    },
    /// It is a certificate and not an authority.
    #[error("`{0}` is not the certificate of an authority")]
    NoAuthority(&'static str),
    /// Something is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// It is no point in time.
    #[error("`{0}` is no time")]
    Time(&'static str),
}

/// From when until when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// A certificate authority with its key, both in PEM.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) dates: Dates,
}

/// A serving certificate.
pub(super) struct Leaf {
    pub(super) pair: Arc<CertifiedKey>,
    pub(super) dates: Dates,
}

impl Dates {
    fn new(now: Timestamp, lifetime: Duration) -> Self {
        let from = now - lifetime / BACK;
        Self {
            from,
            until: from + lifetime,
        }
    }

    /// When two thirds are over.
    pub(super) fn renewal(&self) -> Timestamp {
        let life = self.until.duration_since(self.from);
        self.from + SignedDuration::from_millis_i128(life.as_millis() * 2 / 3)
    }

    fn of(certificate: &X509Certificate<'_>) -> Option<Self> {
        let validity = certificate.validity();
        Some(Self {
            from: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            until: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        })
    }

    fn write(self, parameters: &mut CertificateParams) {
        let time = |timestamp: Timestamp| {
            let since = u64::try_from(timestamp.as_second()).unwrap_or_default();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(since)
        };
        parameters.not_before = time(self.from);
        parameters.not_after = time(self.until);
    }
}

impl Authority {
    /// Makes an authority.
    pub(super) fn make(now: Timestamp, lifetime: Duration) -> Result<Self, Fault> {
        let key = KeyPair::generate()?;
        let dates = Dates::new(now, lifetime);
        // The time tells one authority from the next for whoever looks at a certificate.
        let mut parameters = named(&format!("promql-adapter {now:.0}"), &[])?;
        dates.write(&mut parameters);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Ok(Self {
            certificate: parameters.self_signed(&key)?.pem(),
            key: key.serialize_pem(),
            dates,
        })
    }

    /// Reads an authority; `names` are the keys of certificate and key in the Secret.
    pub(super) fn read(
        certificate: String,
        key: String,
        names: (&'static str, &'static str),
    ) -> Result<Self, Fault> {
        let unreadable = || Fault::Certificate(names.0);
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| unreadable())?;
        let (_, parsed) = X509Certificate::from_der(&der).map_err(|_| unreadable())?;
        let another = || Fault::Key {
            certificate: names.0,
            key: names.1,
        };
        let pair = KeyPair::from_pem(&key).map_err(|_| another())?;
        if parsed.public_key().subject_public_key.data != pair.public_key_raw() {
            return Err(another());
        }
        if !parsed.is_ca() {
            return Err(Fault::NoAuthority(names.0));
        }
        let dates = Dates::of(&parsed).ok_or_else(unreadable)?;
        Ok(Self {
            certificate,
            key,
            dates,
        })
    }

    /// A new key and a certificate for it with these names.
    ///
    /// It ends with the authority at the latest.
    pub(super) fn sign(&self, names: &[String], now: Timestamp, lifetime: Duration) -> Result<Leaf, Fault> {
        let issuer = Issuer::from_ca_cert_pem(&self.certificate, KeyPair::from_pem(&self.key)?)?;
        let key = KeyPair::generate()?;
        let mut dates = Dates::new(now, lifetime);
        dates.until = dates.until.min(self.dates.until);
        let mut parameters = named("promql-adapter", names)?;
        dates.write(&mut parameters);
        parameters.use_authority_key_identifier_extension = true;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = parameters.signed_by(&key, &issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("rcgen writes PKCS #8");
        let chain = vec![certificate.der().clone()];
        let pair = Arc::new(CertifiedKey::from_der(chain, key, &ring::default_provider())?);
        Ok(Leaf { pair, dates })
    }
}

/// `common` is for people, `names` are those of a server.
fn named(common: &str, names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common);
    Ok(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn read(certificate: &str, key: &str) -> Result<Authority, Fault> {
        Authority::read(certificate.to_owned(), key.to_owned(), ("ca", "key"))
    }

    #[test]
    fn an_authority_is_read_as_it_was_made() {
        let made = Authority::make(now(), HOUR).unwrap();
        assert!(read(&made.certificate, &made.key).unwrap() == made);
    }

    #[test]
    fn another_key_or_a_leaf_is_no_authority() {
        let (made, other) = (
            Authority::make(now(), HOUR).unwrap(),
            Authority::make(now(), HOUR).unwrap(),
        );
        assert!(matches!(
            read(&made.certificate, &other.key),
            Err(Fault::Key { .. })
        ));
        assert!(matches!(
            read("nothing", &other.key),
            Err(Fault::Certificate("ca"))
        ));
        let key = KeyPair::generate().unwrap();
        let leaf = named("a server", &[]).unwrap().self_signed(&key).unwrap().pem();
        assert!(matches!(
            read(&leaf, &key.serialize_pem()),
            Err(Fault::NoAuthority("ca"))
        ));
    }

    #[test]
    fn a_leaf_has_the_names_and_ends_with_its_authority() {
        let authority = Authority::make(now(), HOUR).unwrap();
        let names = ["adapter.monitoring.svc".to_owned(), "adapter".to_owned()];
        let leaf = authority.sign(&names, now(), 24 * HOUR).unwrap();
        assert_eq!(leaf.dates.until, authority.dates.until);
        let (_, parsed) = X509Certificate::from_der(&leaf.pair.cert[0]).unwrap();
        assert_eq!(Dates::of(&parsed), Some(leaf.dates));
        let alternatives = parsed.subject_alternative_name().unwrap().unwrap();
        let text = format!("{:?}", alternatives.value.general_names);
        assert!(names.iter().all(|name| text.contains(name)), "{text}");
        let (_, issuer) = parse(&authority);
        assert!(parsed.verify_signature(Some(issuer.public_key())).is_ok());
    }

    fn parse(authority: &Authority) -> (Vec<u8>, X509Certificate<'static>) {
        let der = CertificateDer::from_pem_slice(authority.certificate.as_bytes()).unwrap();
        let der: &'static [u8] = Box::leak(der.to_vec().into_boxed_slice());
        (der.to_vec(), X509Certificate::from_der(der).unwrap().1)
    }

    #[test]
    fn a_certificate_is_renewed_when_two_thirds_are_over() {
        let dates = Dates::new(now(), 12 * HOUR);
        assert_eq!(dates.from.to_string(), "2026-03-01T11:00:00Z");
        assert_eq!(dates.renewal().to_string(), "2026-03-01T19:00:00Z");
        assert_eq!(dates.until.to_string(), "2026-03-01T23:00:00Z");
    }
}

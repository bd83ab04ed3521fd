//! What the Secret holds: the authority that signs, the one that will, and the one that did.

use jiff::Timestamp;

use super::authority::{Authority, Fault};
use super::rotation::Kept;
use crate::kubernetes::{ReadSecret, SecretData};

/// For people and for monitoring: every authority to trust. It is written and never read here.
const BUNDLE: &str = "ca.crt";
const SIGNING: (&str, &str) = ("signing.crt", "signing.key");
const NEXT: (&str, &str) = ("next.crt", "next.key");
const PREVIOUS: (&str, &str) = ("previous.crt", "previous.until");

/// The authorities of all adapters.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authorities {
    /// Signs the serving certificates.
    pub(super) signing: Authority,
    /// Trusted already, signs later.
    pub(super) next: Option<Authority>,
    /// Trusted still, signs no more.
    pub(super) previous: Option<Previous>,
}

/// Authorities that are trusted for the sake of the certificates they signed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Previous {
    /// One or several, in PEM.
    pub(super) certificates: String,
    /// When the last certificate they signed has ended.
    pub(super) until: Timestamp,
}

impl Authorities {
    /// An authority that nothing precedes but what kube-apiserver trusts now.
    pub(super) fn found(signing: Authority, previous: Option<Previous>) -> Self {
        Self {
            signing,
            next: None,
            previous,
        }
    }

    /// With another authority, which is to be trusted before it signs.
    pub(super) fn publish(self, next: Authority) -> Self {
        Self {
            next: Some(next),
            ..self
        }
    }

    /// The next authority signs; the one that did is trusted until then.
    pub(super) fn promote(self, until: Timestamp) -> Self {
        match self.next {
            None => self,
            Some(next) => Self {
                signing: next,
                next: None,
                previous: Some(Previous {
                    certificates: self.signing.certificate,
                    until,
                }),
            },
        }
    }

    /// Nothing is trusted but what signs.
    pub(super) fn forget(self) -> Self {
        Self {
            previous: None,
            ..self
        }
    }

    /// Every authority to trust, in PEM, the one that signs first.
    pub(super) fn bundle(&self) -> String {
        let next = self.next.iter().map(|next| &next.certificate);
        let previous = self.previous.iter().map(|previous| &previous.certificates);
        std::iter::once(&self.signing.certificate)
            .chain(next)
            .chain(previous)
            .flat_map(|pem| [pem.trim_end(), "\n"])
            .collect()
    }

    /// What a decision needs to know of them.
    pub(super) fn kept(&self) -> Kept {
        Kept {
            signing: self.signing.dates,
            next: self.next.as_ref().map(|next| next.dates),
            previous_until: self.previous.as_ref().map(|previous| previous.until),
        }
    }

    /// As the Secret holds them.
    pub(super) fn to_data(&self) -> SecretData {
        let mut data = SecretData::new();
        let mut put = |key: &str, value: &str| data.insert(key.to_owned(), value.as_bytes().to_vec());
        put(BUNDLE, &self.bundle());
        put(SIGNING.0, &self.signing.certificate);
        put(SIGNING.1, &self.signing.key);
        if let Some(next) = &self.next {
            put(NEXT.0, &next.certificate);
            put(NEXT.1, &next.key);
        }
        if let Some(previous) = &self.previous {
            put(PREVIOUS.0, &previous.certificates);
            put(PREVIOUS.1, &previous.until.to_string());
        }
        data
    }

    /// Reads them; `None` if the Secret holds nothing at all.
    pub(super) fn read(secret: &ReadSecret) -> Result<Option<Self>, Fault> {
        if secret.is_empty() {
            return Ok(None);
        }
        let text = |key| {
            let value = secret.get(key)?;
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let needed = |key: &'static str| text(key).ok_or(Fault::Missing(key));
        let authority =
            |keys: (&'static str, &'static str)| Authority::read(needed(keys.0)?, needed(keys.1)?, keys);
        let next = match text(NEXT.0) {
            Some(_) => Some(authority(NEXT)?),
            None => None,
        };
        let previous = match text(PREVIOUS.0) {
            Some(certificates) => Some(Previous {
                certificates,
                until: needed(PREVIOUS.1)?.parse().map_err(|_| Fault::Time(PREVIOUS.1))?,
            }),
            None => None,
        };
        Ok(Some(Self {
            signing: authority(SIGNING)?,
            next,
            previous,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn authority(now: Timestamp) -> Authority {
        Authority::make(now, Duration::from_secs(3600)).unwrap()
    }

    fn count(bundle: &str) -> usize {
        bundle.matches("BEGIN CERTIFICATE").count()
    }

    #[test]
    fn two_are_trusted_throughout_a_rotation() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let (first, second) = (authority(now), authority(now));
        let founded = Authorities::found(first.clone(), None);
        let published = founded.clone().publish(second.clone());
        let promoted = published.clone().promote(now);
        for (authorities, signing, trusted) in [
            (&founded, &first, 1),
            (&published, &first, 2),
            (&promoted, &second, 2),
            (&promoted.clone().forget(), &second, 1),
        ] {
            let bundle = authorities.bundle();
            assert!(authorities.signing == *signing && bundle.starts_with(signing.certificate.trim_end()));
            assert_eq!(count(&bundle), trusted);
        }
        assert!(promoted.bundle().contains(first.certificate.trim_end()));
    }
}

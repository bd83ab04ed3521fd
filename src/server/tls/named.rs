//! Which names a certificate is shown for.

use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// The names a certificate is shown for, in lower case.
#[derive(Debug)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The names given, or else those of the certificate.
    pub(super) fn of(given: &[String], pair: &CertifiedKey) -> Self {
        let names = if given.is_empty() {
            own(pair)
        } else {
            given.to_vec()
        };
        Self(names.iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether a client that asks for `name` is meant; `*` stands for one label.
    pub(super) fn contain(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        self.0
            .iter()
            .any(|it| *it == name || it.strip_prefix("*.").is_some_and(|it| Some(it) == parent))
    }
}

/// The DNS names of the certificate, or its common name if it has none.
fn own(pair: &CertifiedKey) -> Vec<String> {
    let Some((_, leaf)) = pair
        .cert
        .first()
        .and_then(|leaf| X509Certificate::from_der(leaf).ok())
    else {
        return Vec::new();
    };
    let alternatives = leaf
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|it| it.value.general_names.as_slice());
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    };
    let names: Vec<String> = alternatives.unwrap_or_default().iter().filter_map(dns).collect();
    if !names.is_empty() {
        return names;
    }
    leaf.subject()
        .iter_common_name()
        .filter_map(|name| name.as_str().ok())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        let names = Names(vec!["*.example.com".to_owned(), "other".to_owned()]);
        assert!(names.contain("a.example.com") && names.contain("A.Example.COM") && names.contain("other"));
        assert!(
            !names.contain("example.com") && !names.contain("a.b.example.com") && !names.contain("another")
        );
    }
}

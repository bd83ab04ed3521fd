//! Settings of serving certificates that the adapter makes for itself in a cluster.

use std::time::Duration;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// An object in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespacedName {
    /// `None` for the namespace that the adapter runs in.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// A certificate authority of the adapters' own, kept in a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSecret {
    /// The Secret.
    pub secret: NamespacedName,
    /// The Service in front of the adapters, whose names the certificates have.
    pub service: NamespacedName,
    /// How long certificates are valid.
    pub lifetimes: Lifetimes,
}

/// How long certificates are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// The authority's. Default 365 d; at least six times the leaf's.
    pub authority: Duration,
    /// The serving certificates'. Default 24 h.
    pub leaf: Duration,
}

/// A new authority is made in the last third of the old one's life and takes a little more than one leaf's life to
/// replace it, which must fit twice.
const AUTHORITY_PER_LEAF: u32 = 6;

pub(crate) const CERTIFICATE_SECRET: Section = Section {
    title: "`serving.certificateSecret`",
    about: "A certificate authority of the adapters' own, kept in a Secret that they make, share and renew.\n\
            See [certificates](../concepts/certificates.md).",
    fields: &[
        Field::new("name", "text", "promql-adapter-ca", "Name of the Secret."),
        Field::new(
            "namespace",
            "text",
            "monitoring",
            "Its namespace.\n\
             Left out: the namespace of the pod that the adapter runs in, or of the context of `kubernetes.kubeconfig`.",
        ),
        Field::new(
            "caLifetime",
            "duration",
            "90d",
            "How long an authority is valid. The next one is made when two thirds are over.\n\
             At least six times `leafLifetime`.",
        )
        .or("365d"),
        Field::new(
            "leafLifetime",
            "duration",
            "12h",
            "How long a serving certificate is valid. It is made anew when two thirds are over.",
        )
        .or("24h"),
    ],
    shared: &[],
};

pub(crate) const SERVICE: Section = Section {
    title: "`serving.service`",
    about: "The Service that the APIServices name.",
    fields: &[
        Field::new("name", "text", "promql-adapter", "Name of the Service."),
        Field::new(
            "namespace",
            "text",
            "monitoring",
            "Its namespace. Left out: as in `certificateSecret`.",
        ),
    ],
    shared: &[],
};

/// Reads `certificateSecret` and `service` of `serving`.
pub(crate) fn read_certificate_secret(
    serving: &Mapping<'_>,
    faults: &mut Faults,
) -> Option<CertificateSecret> {
    let service = serving
        .child("service")
        .map(|node| named(&Mapping::open(node, &SERVICE, faults), faults));
    let node = serving.child("certificateSecret")?;
    for file in ["tlsCertFile", "tlsPrivateKeyFile"] {
        if serving.child(file).is_some() {
            let message = "certificates come from a Secret and from files";
            faults.hinted(serving.at(file), message, "give `certificateSecret` or the files");
        }
    }
    if service.is_none() {
        let message = "needs `service` beside it, whose names the certificates have";
        let hint = "for example `service: {name: promql-adapter}`";
        faults.hinted(serving.at("certificateSecret"), message, hint);
    }
    Some(read(node, service.unwrap_or_default(), faults))
}

fn read(node: &Node, service: NamespacedName, faults: &mut Faults) -> CertificateSecret {
    let secret = Mapping::open(node, &CERTIFICATE_SECRET, faults);
    let lifetimes = Lifetimes {
        authority: secret.defaulted("caLifetime", scalar::positive_duration, faults),
        leaf: secret.defaulted("leafLifetime", scalar::positive_duration, faults),
    };
    if lifetimes.authority < lifetimes.leaf.saturating_mul(AUTHORITY_PER_LEAF) {
        let key = match secret.child("caLifetime") {
            Some(_) => "caLifetime",
            None => "leafLifetime",
        };
        let message =
            "`caLifetime` is less than six times `leafLifetime`, too short to replace an authority in time";
        faults.hinted(
            secret.at(key),
            message,
            "shorten `leafLifetime`, or lengthen `caLifetime`",
        );
    }
    CertificateSecret {
        secret: named(&secret, faults),
        service,
        lifetimes,
    }
}

fn named(mapping: &Mapping<'_>, faults: &mut Faults) -> NamespacedName {
    NamespacedName {
        namespace: mapping.optional("namespace", scalar::word, faults),
        name: mapping.required("name", scalar::word, faults),
    }
}

//! Settings and rules as the user wrote them, each with its place in the file.
//!
//! `yaml` makes a tree of the file in which each value knows its line, `layers` puts environment and flags over
//! its settings, and each remaining file holds one part: the types, the table of its keys, and the function that
//! reads it. A reading collects all faults before anything is refused.

mod access;
mod backend;
mod certificate_secret;
mod cipher_suites;
mod embedded;
mod faults;
mod kubernetes;
mod layers;
mod load;
mod node;
mod objects_file;
mod policies;
mod resource_rules;
mod rules_file;
pub(crate) mod scalar;
mod section;
mod serving;
mod settings;
mod typed_rule;
mod upstream_rule;
mod yaml;

#[cfg(test)]
mod reference;

pub use access::{AccessSettings, RequestHeader};
pub use backend::{Backend, BackendSettings, KubernetesCredentials, Method};
pub use certificate_secret::{CertificateSecret, Lifetimes, NamespacedName};
pub use cipher_suites::CipherSuites;
pub(crate) use cipher_suites::known_cipher_suite;
pub use embedded::{EmbeddedBackend, EmbeddedSettings, ScrapedPods, StaticTarget};
pub use kubernetes::KubernetesSettings;
pub use layers::{Override, OverrideValue};
pub use load::{Configuration, Refused, load, read};
pub use objects_file::{ObjectsFile, WrittenObject};
pub use policies::{OnNoValue, OnPartial, Policies};
pub use resource_rules::{ResourceRule, ResourceRules};
pub use rules_file::{Api, Form, RulesFile, WrittenRule};
pub(crate) use serving::tls_version;
pub use serving::{ServingSettings, SniCertificate, TlsVersion};
pub use settings::Settings;
pub use typed_rule::{Aggregate, Buckets, TypedQuery, TypedRule};
pub use upstream_rule::{NameMapping, ResourceMapping, SeriesFilter, UpstreamRule};

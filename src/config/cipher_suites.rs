//! Names of TLS cipher suites.

use super::faults::Faults;
use super::section::Mapping;

/// The cipher suites that were asked for, by their IANA names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CipherSuites {
    /// Those that are supported. Empty if nothing was asked for: offer all.
    pub offered: Vec<String>,
    /// Those that only Go knows; they are named in the log.
    pub passed_over: Vec<String>,
}

/// Suites of TLS 1.3, which both Go and rustls have.
const TLS13: [&str; 3] = [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
];

/// Suites of TLS 1.2 that both Go and rustls have.
const TLS12: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// Suites that only Go has.
///
/// Source: Go 1.24, `crypto/tls/cipher_suites.go`, `CipherSuites` and `InsecureCipherSuites`.
const GO_ONLY: [&str; 16] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
];

/// Older names that Kubernetes takes beside the full ones.
///
/// Source: k8s.io/component-base, `cli/flag/ciphersuites_flag.go`.
const OLDER_NAMES: [(&str, &str); 2] = [
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
];

/// Reads `serving.tlsCipherSuites`.
pub(crate) fn read_cipher_suites(serving: &Mapping<'_>, faults: &mut Faults) -> CipherSuites {
    let mut suites = CipherSuites::default();
    for name in serving.texts("tlsCipherSuites", faults) {
        match suite(&name) {
            Ok(Suite::Supported(name)) => suites.offered.push(name.to_owned()),
            Ok(Suite::GoOnly) => suites.passed_over.push(name),
            Err(message) => serving.fault("tlsCipherSuites", message, faults),
        }
    }
    if suites.offered.is_empty() && !suites.passed_over.is_empty() {
        // An empty list would offer all, more than was asked for. Go always offers those of TLS 1.3.
        suites.offered = TLS13.map(str::to_owned).to_vec();
    }
    suites
}

enum Suite {
    Supported(&'static str),
    GoOnly,
}

fn suite(name: &str) -> Result<Suite, String> {
    let older = OLDER_NAMES.iter().find(|(older, _)| *older == name);
    let full = older.map_or(name, |(_, full)| full);
    match TLS13.iter().chain(&TLS12).find(|known| **known == full) {
        Some(known) => Ok(Suite::Supported(known)),
        None if GO_ONLY.contains(&full) => Ok(Suite::GoOnly),
        None => Err(format!("`{name}` is not a cipher suite")),
    }
}

/// Whether Go or rustls knows a suite of this name.
pub(crate) fn known_cipher_suite(name: &str) -> Result<String, String> {
    suite(name).map(|_| name.to_owned())
}

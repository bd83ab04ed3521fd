//! Settings of the listeners.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::certificate_secret::{CertificateSecret, read_certificate_secret};
use super::cipher_suites::{CipherSuites, read_cipher_suites};
use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// Where and how the adapter listens.
#[derive(Clone, Debug)]
pub struct ServingSettings {
    /// Address of the HTTPS listener; `None` unless given.
    pub bind_address: Option<IpAddr>,
    /// Port of the HTTPS listener. Default 443 as upstream, 0 turns it off.
    pub secure_port: u16,
    /// Port of a plain HTTP listener on loopback; `None` for no such listener.
    pub insecure_http_port: Option<u16>,
    /// Directory of the self-made certificate.
    pub cert_dir: PathBuf,
    /// PEM file of the serving certificate.
    pub tls_cert_file: Option<PathBuf>,
    /// PEM file of its key.
    pub tls_private_key_file: Option<PathBuf>,
    /// Certificates of the adapters' own, instead of files; `None` unless given.
    pub certificate_secret: Option<CertificateSecret>,
    /// PEM file of the CA whose client certificates are let in.
    pub client_ca_file: Option<PathBuf>,
    /// Oldest TLS version that is spoken.
    pub tls_min_version: TlsVersion,
    /// Cipher suites that are offered.
    pub cipher_suites: CipherSuites,
    /// Certificates for further host names.
    pub sni_certificates: Vec<SniCertificate>,
    /// Whether HTTP/2 is spoken beside HTTP/1.1. Default true.
    pub http2: bool,
    /// Requests at once on one HTTP/2 connection; `None` leaves it to the HTTP library.
    pub http2_max_streams: Option<u32>,
    /// Between `/readyz` going false and the listeners closing. Default 3 s.
    pub shutdown_delay: Duration,
    /// Time for requests in flight to finish after that. Default 20 s.
    pub shutdown_grace: Duration,
}

/// A TLS version that may be the oldest one spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2. Asking for an older one gives this one.
    #[default]
    Tls12,
    /// TLS 1.3.
    Tls13,
}

/// A serving certificate for host names of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SniCertificate {
    /// PEM file of the certificate.
    pub cert_file: PathBuf,
    /// PEM file of its key.
    pub key_file: PathBuf,
    /// Host names or wildcards (`*.example.org`); empty takes those in the certificate.
    pub names: Vec<String>,
}

pub(crate) const SERVING: Section = Section {
    title: "`serving`",
    about: "Where and how the adapter listens.\nThe keys are named after the flags of prometheus-adapter.",
    fields: &[
        Field::new(
            "bindAddress",
            "IP address",
            "'0.0.0.0'",
            "Address of the HTTPS listener.\n\
             Left out: all addresses, or loopback if there is neither a cluster nor `clientCaFile`.",
        ),
        Field::new(
            "securePort",
            "port",
            "6443",
            "Port of the HTTPS listener; `0` turns it off.",
        )
        .or("443"),
        Field::new(
            "insecureHttpPort",
            "port",
            "8080",
            "Port of a plain HTTP listener on loopback. Left out: no such listener.\n\
             No certificate can be shown there: with a cluster it takes a token, and with `clientCaFile` alone it answers only probes.",
        ),
        Field::new(
            "certDir",
            "path",
            "/tmp/certificates",
            "Directory in which a self-signed certificate is made if no certificate is given.",
        )
        .or("apiserver.local.config/certificates"),
        Field::new(
            "tlsCertFile",
            "path",
            "/etc/adapter/tls.crt",
            "PEM file of the serving certificate, read again when it changes.",
        ),
        Field::new(
            "tlsPrivateKeyFile",
            "path",
            "/etc/adapter/tls.key",
            "PEM file of its key.",
        ),
        Field::new(
            "certificateSecret",
            "mapping",
            "{name: promql-adapter-ca}",
            "Secret in which the adapters keep a certificate authority of their own, instead of `tlsCertFile`. Needs a cluster.",
        ),
        Field::new(
            "service",
            "mapping",
            "{name: promql-adapter}",
            "Service in front of the adapters, whose names their own certificates have.",
        ),
        Field::new(
            "clientCaFile",
            "path",
            "/etc/adapter/client-ca.crt",
            "PEM file of the CA of client certificates. With a cluster, what they may do is asked there; without one, all of them may ask.",
        ),
        Field::new(
            "tlsMinVersion",
            "`VersionTLS12` or `VersionTLS13`",
            "VersionTLS13",
            "Oldest TLS version that is spoken. `VersionTLS10` and `VersionTLS11` are accepted and give TLS 1.2.",
        )
        .or("VersionTLS12"),
        Field::new(
            "tlsCipherSuites",
            "list of names",
            "[TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            "Cipher suites to offer. Left out: all that are supported.\n\
             Names that only Go knows are passed over and named in the log.",
        ),
        Field::new(
            "sniCertificates",
            "list of certificates",
            "[{certFile: a.crt, keyFile: a.key, names: ['*.example.org']}]",
            "Certificates for further host names.",
        ),
        Field::new("http2", "true or false", "false", "Whether HTTP/2 is spoken beside HTTP/1.1.").or("true"),
        Field::new(
            "http2MaxStreams",
            "whole number",
            "250",
            "Requests at once on one HTTP/2 connection. `0` or left out: what the HTTP library takes.",
        ),
        Field::new(
            "shutdownDelay",
            "duration",
            "10s",
            "Time between `/readyz` going false at SIGTERM and the listeners closing, so that nobody is sent here any more.",
        )
        .or("3s"),
        Field::new(
            "shutdownGrace",
            "duration",
            "20s",
            "Time for requests in flight to finish after the listeners closed.\n\
             Delay and grace together must be shorter than the pod's `terminationGracePeriodSeconds`.",
        )
        .or("20s"),
    ],
    shared: &[],
};

pub(crate) const SNI_CERTIFICATE: Section = Section {
    title: "An entry of `serving.sniCertificates`",
    about: "A certificate and the host names it is for.",
    fields: &[
        Field::new("certFile", "path", "a.crt", "PEM file of the certificate."),
        Field::new("keyFile", "path", "a.key", "PEM file of its key."),
        Field::new(
            "names",
            "list of host names",
            "['*.example.org']",
            "Host names or wildcards. Left out: those in the certificate.",
        ),
    ],
    shared: &[],
};

/// Reads `serving`.
pub(crate) fn read_serving(node: &Node, faults: &mut Faults) -> ServingSettings {
    let serving = Mapping::open(node, &SERVING, faults);
    for (key, other) in [
        ("tlsCertFile", "tlsPrivateKeyFile"),
        ("tlsPrivateKeyFile", "tlsCertFile"),
    ] {
        if serving.child(key).is_some() && serving.child(other).is_none() {
            let message = format!("needs `{other}` beside it");
            faults.hinted(serving.at(key), message, "give both or neither");
        }
    }
    ServingSettings {
        bind_address: serving.optional("bindAddress", scalar::address, faults),
        secure_port: serving.defaulted("securePort", scalar::port, faults),
        insecure_http_port: serving.optional("insecureHttpPort", scalar::port, faults),
        cert_dir: serving.defaulted("certDir", scalar::path, faults),
        tls_cert_file: serving.optional("tlsCertFile", scalar::path, faults),
        tls_private_key_file: serving.optional("tlsPrivateKeyFile", scalar::path, faults),
        certificate_secret: read_certificate_secret(&serving, faults),
        client_ca_file: serving.optional("clientCaFile", scalar::path, faults),
        tls_min_version: serving.defaulted("tlsMinVersion", tls_version, faults),
        cipher_suites: read_cipher_suites(&serving, faults),
        sni_certificates: read_sni_certificates(&serving, faults),
        http2: serving.defaulted("http2", scalar::boolean, faults),
        http2_max_streams: serving
            .optional("http2MaxStreams", streams, faults)
            .filter(|streams| *streams > 0),
        shutdown_delay: serving.defaulted("shutdownDelay", scalar::duration, faults),
        shutdown_grace: serving.defaulted("shutdownGrace", scalar::duration, faults),
    }
}

fn read_sni_certificates(serving: &Mapping<'_>, faults: &mut Faults) -> Vec<SniCertificate> {
    let certificates = serving.items("sniCertificates", faults).iter();
    certificates
        .map(|node| {
            let certificate = Mapping::open(node, &SNI_CERTIFICATE, faults);
            SniCertificate {
                cert_file: certificate.required("certFile", scalar::path, faults),
                key_file: certificate.required("keyFile", scalar::path, faults),
                names: certificate.texts("names", faults),
            }
        })
        .collect()
}

/// The names that Kubernetes components take.
pub(crate) fn tls_version(text: &str) -> Result<TlsVersion, String> {
    match text {
        "VersionTLS10" | "VersionTLS11" | "VersionTLS12" => Ok(TlsVersion::Tls12),
        "VersionTLS13" => Ok(TlsVersion::Tls13),
        _ => Err(format!("`{text}` is neither `VersionTLS12` nor `VersionTLS13`")),
    }
}

fn streams(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not a number of streams"))
}

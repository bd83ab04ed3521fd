//! Flags that do something here. Names and meanings are those of prometheus-adapter v0.12.0 where it has them.

use super::flag::{Effect, Flag, Group};
use super::value::Kind;

pub(super) const GROUPS: &[Group] = &[
    Group {
        heading: "Rules and objects",
        flags: RULES,
    },
    Group {
        heading: "The backend `default`",
        flags: PROMETHEUS,
    },
    Group {
        heading: "Listeners",
        flags: SERVING,
    },
    Group {
        heading: "Log",
        flags: LOG,
    },
];

const RULES: &[Flag] = &[
    Flag::new(
        "config",
        Kind::Path,
        Effect::Config,
        "File of settings and rules. Required",
    ),
    Flag::new(
        "objects-file",
        Kind::Path,
        Effect::Set("objectsFile"),
        "File of resources and objects, for running without a cluster",
    ),
    Flag::new(
        "lister-kubeconfig",
        Kind::Path,
        Effect::Set("kubernetes.kubeconfig"),
        "Kubeconfig of the cluster. Default: the service account of the pod",
    ),
    Flag::new(
        "metrics-relist-interval",
        Kind::Duration,
        Effect::Set("metricsRelistInterval"),
        "How often rules that need discovery look for series. Default 10m",
    ),
    Flag::new(
        "metrics-max-age",
        Kind::Duration,
        Effect::Set("metricsMaxAge"),
        "How far back discovery looks; given, every rule asks `/series`",
    ),
];

const PROMETHEUS: &[Flag] = &[
    Flag::new(
        "prometheus-url",
        Kind::Url,
        Effect::Set("backends.default.url"),
        "Base URL of Prometheus. Default https://localhost",
    ),
    Flag::new(
        "prometheus-verb",
        Kind::OneOf(&["GET", "POST"]),
        Effect::SetLowerCase("backends.default.method"),
        "How queries are sent, GET or POST. Default: POST for long ones only",
    ),
    Flag::new(
        "prometheus-header",
        Kind::Header,
        Effect::Header("backends.default.headers"),
        "A header of every request to Prometheus; may be repeated",
    ),
    Flag::new(
        "prometheus-auth-incluster",
        Kind::Boolean,
        Effect::Set("backends.default.inCluster"),
        "Use token and CA of the pod's service account for Prometheus",
    ),
    Flag::new(
        "prometheus-auth-config",
        Kind::Path,
        Effect::Set("backends.default.kubeconfigFile"),
        "Kubeconfig with CA, client certificate and token for Prometheus",
    ),
    Flag::new(
        "prometheus-ca-file",
        Kind::Path,
        Effect::Set("backends.default.caFile"),
        "PEM file of certificate authorities for Prometheus",
    ),
    Flag::new(
        "prometheus-client-tls-cert-file",
        Kind::Path,
        Effect::Set("backends.default.clientCertificateFile"),
        "PEM file of the client certificate for Prometheus",
    ),
    Flag::new(
        "prometheus-client-tls-key-file",
        Kind::Path,
        Effect::Set("backends.default.clientKeyFile"),
        "PEM file of the key of the client certificate",
    ),
    Flag::new(
        "prometheus-token-file",
        Kind::Path,
        Effect::Set("backends.default.tokenFile"),
        "File of a bearer token for Prometheus, read again when it changes",
    ),
];

const SERVING: &[Flag] = &[
    Flag::new(
        "bind-address",
        Kind::Address,
        Effect::Set("serving.bindAddress"),
        "Address of the HTTPS listener",
    ),
    Flag::new(
        "secure-port",
        Kind::Port,
        Effect::Set("serving.securePort"),
        "Port of the HTTPS listener, 0 for none. Default 443",
    ),
    Flag::new(
        "insecure-http-port",
        Kind::Port,
        Effect::Set("serving.insecureHttpPort"),
        "Port of a plain HTTP listener on loopback; with --client-ca-file it answers probes only. Default: no such listener",
    ),
    Flag::new(
        "cert-dir",
        Kind::Path,
        Effect::Set("serving.certDir"),
        "Directory in which a self-signed certificate is made if no certificate is given",
    ),
    Flag::new(
        "tls-cert-file",
        Kind::Path,
        Effect::Set("serving.tlsCertFile"),
        "PEM file of the serving certificate, read again when it changes",
    ),
    Flag::new(
        "tls-private-key-file",
        Kind::Path,
        Effect::Set("serving.tlsPrivateKeyFile"),
        "PEM file of the key of the serving certificate",
    ),
    Flag::new(
        "tls-sni-cert-key",
        Kind::SniCertificate,
        Effect::SniCertificates("serving.sniCertificates"),
        "Certificate and key for further host names; may be repeated",
    ),
    Flag::new(
        "tls-min-version",
        Kind::TlsVersion,
        Effect::Set("serving.tlsMinVersion"),
        "Oldest TLS version that is spoken, VersionTLS12 or VersionTLS13",
    ),
    Flag::new(
        "tls-cipher-suites",
        Kind::CipherSuites,
        Effect::Set("serving.tlsCipherSuites"),
        "Cipher suites to offer; names that only Go knows are passed over and named in the log",
    ),
    Flag::new(
        "client-ca-file",
        Kind::Path,
        Effect::Set("serving.clientCaFile"),
        "PEM file of the CA whose client certificates are let in",
    ),
    Flag::new(
        "disable-http2",
        Kind::Boolean,
        Effect::TurnOff("serving.http2"),
        "Do not speak HTTP/2",
    ),
    Flag::new(
        "disable-http2-serving",
        Kind::Boolean,
        Effect::TurnOff("serving.http2"),
        "The same as --disable-http2",
    ),
    Flag::new(
        "http2-max-streams-per-connection",
        Kind::Streams,
        Effect::Set("serving.http2MaxStreams"),
        "Requests at once on one HTTP/2 connection, 0 for what the HTTP library takes",
    ),
];

const LOG: &[Flag] = &[
    Flag::new(
        "v",
        Kind::Whole,
        Effect::LogLevel,
        "How much is logged: 0 what matters, 4 every step, 8 everything",
    ),
    Flag::new(
        "logging-format",
        Kind::OneOf(&["text", "json"]),
        Effect::LogFormat,
        "What a log line looks like, text or json. Default text",
    ),
];

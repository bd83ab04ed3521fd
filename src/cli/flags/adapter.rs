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
        heading: "Who may ask",
        flags: ACCESS,
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
        "Port of a plain HTTP listener on loopback, where no certificate can be shown. Default: no such listener",
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

const ACCESS: &[Flag] = &[
    Flag::new(
        "authentication-kubeconfig",
        Kind::Path,
        Effect::Set("access.authenticationKubeconfig"),
        "Kubeconfig of the cluster that says whose a token is. Default: that of --lister-kubeconfig",
    ),
    Flag::new(
        "authorization-kubeconfig",
        Kind::Path,
        Effect::Set("access.authorizationKubeconfig"),
        "Kubeconfig of the cluster that says what somebody may do. Default: that of --lister-kubeconfig",
    ),
    Flag::new(
        "authentication-skip-lookup",
        Kind::Boolean,
        Effect::TurnOff("access.lookup"),
        "Do not read in the cluster whom to trust",
    ),
    Flag::new(
        "authentication-token-webhook-cache-ttl",
        Kind::Duration,
        Effect::Set("access.tokenTtl"),
        "How long it is kept whose a token is. Default 10s",
    ),
    Flag::new(
        "requestheader-client-ca-file",
        Kind::Path,
        Effect::Set("access.requestHeader.clientCaFile"),
        "PEM file of the CA of the front proxy, instead of the cluster's",
    ),
    Flag::new(
        "requestheader-allowed-names",
        Kind::Texts,
        Effect::Set("access.requestHeader.allowedNames"),
        "Names of front proxies. Default: all that the CA vouches for",
    ),
    Flag::new(
        "requestheader-username-headers",
        Kind::HeaderNames,
        Effect::Set("access.requestHeader.usernameHeaders"),
        "Headers with the user's name. Default X-Remote-User",
    ),
    Flag::new(
        "requestheader-uid-headers",
        Kind::HeaderNames,
        Effect::Set("access.requestHeader.uidHeaders"),
        "Headers with the user's id",
    ),
    Flag::new(
        "requestheader-group-headers",
        Kind::HeaderNames,
        Effect::Set("access.requestHeader.groupHeaders"),
        "Headers with the user's groups. Default X-Remote-Group",
    ),
    Flag::new(
        "requestheader-extra-headers-prefix",
        Kind::HeaderNames,
        Effect::Set("access.requestHeader.extraHeaderPrefixes"),
        "What headers with more about the user begin with. Default X-Remote-Extra-",
    ),
    Flag::new(
        "authorization-always-allow-paths",
        Kind::Texts,
        Effect::Set("access.alwaysAllowPaths"),
        "Paths that anyone may ask for. Default /healthz,/readyz,/livez",
    ),
    Flag::new(
        "authorization-webhook-cache-authorized-ttl",
        Kind::Duration,
        Effect::Set("access.allowedTtl"),
        "How long a permission is kept. Default 10s",
    ),
    Flag::new(
        "authorization-webhook-cache-unauthorized-ttl",
        Kind::Duration,
        Effect::Set("access.deniedTtl"),
        "How long a refusal is kept. Default 10s",
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

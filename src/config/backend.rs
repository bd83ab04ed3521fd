//! Settings of one backend.

use std::path::PathBuf;
use std::time::Duration;

use super::embedded::{EmbeddedBackend, read_embedded};
use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// One backend.
#[derive(Clone, Debug)]
pub enum Backend {
    /// It is asked over HTTP.
    Remote(BackendSettings),
    /// It is the adapter's own.
    Embedded(EmbeddedBackend),
}

/// How a backend is reached that is asked over HTTP.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Base URL; paths of the query API are appended. User and password in it become basic authentication.
    pub url: String,
    /// How queries are sent.
    pub method: Method,
    /// Extra headers, a name may repeat.
    pub headers: Vec<(String, String)>,
    /// PEM file of certificate authorities; the system's if none.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate.
    pub client_certificate_file: Option<PathBuf>,
    /// PEM file of its key.
    pub client_key_file: Option<PathBuf>,
    /// File of a bearer token, read again when it changes.
    pub token_file: Option<PathBuf>,
    /// User of basic authentication.
    pub username: Option<String>,
    /// File of its password, read again when it changes.
    pub password_file: Option<PathBuf>,
    /// Whether CA, client certificate and token come from Kubernetes files.
    pub kubernetes_credentials: KubernetesCredentials,
    /// Deadline of one query. Default 3 s.
    pub timeout: Duration,
    /// Queries at once. Default 20.
    pub max_concurrent: usize,
    /// Largest answer in bytes after decompression. Default 16 MiB.
    pub max_answer_bytes: usize,
}

impl BackendSettings {
    /// At this base URL, and as it is where nothing else is said.
    pub fn at(url: &str) -> BackendSettings {
        let nothing = Node::nothing();
        let mut faults = Faults::default();
        let backend = Mapping::open(&nothing, &BACKEND, &mut faults);
        BackendSettings {
            url: url.to_owned(),
            ..read_remote(DEFAULT_BACKEND, &backend, &mut faults)
        }
    }
}

/// How queries are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// GET for short queries, POST for long ones.
    #[default]
    Auto,
    /// Always GET.
    Get,
    /// Always POST.
    Post,
}

/// Credentials for a backend that come from files Kubernetes clients use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KubernetesCredentials {
    /// None of them.
    #[default]
    None,
    /// Token and CA of the pod's service account.
    InCluster,
    /// CA, client certificate and token of this kubeconfig; the server address in it is not used.
    Kubeconfig(PathBuf),
}

/// The backend that rules ask unless they name another.
pub(crate) const DEFAULT_BACKEND: &str = "default";

/// The key that makes a backend the adapter's own.
const EMBEDDED_KEY: &str = "embedded";

/// Where prometheus-adapter looks for Prometheus unless told otherwise.
const UPSTREAM_URL: &str = "https://localhost";

pub(crate) const BACKEND: Section = Section {
    title: "`backends.NAME`",
    about: "How one backend is reached: Prometheus or anything that speaks its query API.\n\
            Or, with `embedded` and no other key, a backend of the adapter's own.",
    fields: &[
        Field::new(
            "url",
            "URL",
            "'https://prometheus.monitoring:9090/prom'",
            "Base URL; paths of the query API are appended.\n\
             User and password in it become basic authentication.\n\
             Required, except that `default` is at `https://localhost` if nothing else is said.",
        ),
        Field::new(
            "method",
            "`auto`, `get` or `post`",
            "post",
            "How queries are sent; `auto` sends long ones with POST.",
        )
        .or("auto"),
        Field::new(
            "headers",
            "list of `{name, value}`",
            "[{name: X-Scope-OrgID, value: team-a}]",
            "Headers of every request; a name may repeat.",
        ),
        Field::new(
            "caFile",
            "path",
            "/etc/prometheus/ca.crt",
            "PEM file of certificate authorities. Left out: the system's.",
        ),
        Field::new(
            "clientCertificateFile",
            "path",
            "/etc/prometheus/client.crt",
            "PEM file of the client certificate.",
        ),
        Field::new(
            "clientKeyFile",
            "path",
            "/etc/prometheus/client.key",
            "PEM file of its key.",
        ),
        Field::new(
            "tokenFile",
            "path",
            "/var/run/secrets/prometheus/token",
            "File of a bearer token, read again when it changes.",
        ),
        Field::new("username", "text", "adapter", "User of basic authentication."),
        Field::new(
            "passwordFile",
            "path",
            "/etc/prometheus/password",
            "File of its password, read again when it changes.",
        ),
        Field::new(
            "inCluster",
            "true or false",
            "true",
            "Use token and CA of the pod's service account.",
        )
        .or("false"),
        Field::new(
            "kubeconfigFile",
            "path",
            "/etc/adapter/kubeconfig",
            "Use CA, client certificate and token of this kubeconfig; the server address in it is not used.",
        ),
        Field::new("timeout", "duration", "3s", "Deadline of one query.").or("3s"),
        Field::new(
            "maxConcurrent",
            "whole number",
            "20",
            "How many queries may be under way at once.",
        )
        .or("20"),
        Field::new(
            "maxAnswerBytes",
            "whole number",
            "16777216",
            "Largest answer in bytes, after decompression.",
        )
        .or("16777216"),
        Field::new(
            "embedded",
            "mapping",
            "{annotatedPods: true}",
            "Ask nobody: scrape and evaluate in the adapter itself. Excludes all other keys.",
        ),
    ],
    shared: &[],
};

pub(crate) const HEADER: Section = Section {
    title: "An entry of `headers`",
    about: "One header.",
    fields: &[
        Field::new("name", "text", "X-Scope-OrgID", "Its name."),
        Field::new("value", "text", "team-a", "Its value; may be empty."),
    ],
    shared: &[],
};

/// The backend `default` when nothing is said about backends.
pub(crate) fn upstream_default() -> Backend {
    Backend::Remote(BackendSettings::at(UPSTREAM_URL))
}

/// Reads one entry of `backends`.
pub(crate) fn read_backend(name: &str, node: &Node, faults: &mut Faults) -> Backend {
    let backend = Mapping::open(node, &BACKEND, faults);
    match backend.child(EMBEDDED_KEY) {
        Some(embedded) => {
            refuse_keys_beside_embedded(&backend, faults);
            Backend::Embedded(read_embedded(embedded, faults))
        }
        None => Backend::Remote(read_remote(name, &backend, faults)),
    }
}

fn refuse_keys_beside_embedded(backend: &Mapping<'_>, faults: &mut Faults) {
    let others = BACKEND.all().filter(|field| field.key != EMBEDDED_KEY);
    for Field { key, .. } in others {
        if let Some(node) = backend.child(key) {
            faults.hinted(
                node.place.clone(),
                "an embedded backend asks nobody and has no such key",
                format!("take `{key}` or `{EMBEDDED_KEY}` out"),
            );
        }
    }
}

fn read_remote(name: &str, backend: &Mapping<'_>, faults: &mut Faults) -> BackendSettings {
    check_pairs(backend, faults);
    BackendSettings {
        url: read_url(name, backend, faults),
        method: backend.defaulted("method", method, faults),
        headers: read_headers(backend, faults),
        ca_file: backend.optional("caFile", scalar::path, faults),
        client_certificate_file: backend.optional("clientCertificateFile", scalar::path, faults),
        client_key_file: backend.optional("clientKeyFile", scalar::path, faults),
        token_file: backend.optional("tokenFile", scalar::path, faults),
        username: backend.optional("username", scalar::word, faults),
        password_file: backend.optional("passwordFile", scalar::path, faults),
        kubernetes_credentials: read_kubernetes_credentials(backend, faults),
        timeout: backend.defaulted("timeout", scalar::positive_duration, faults),
        max_concurrent: backend.defaulted("maxConcurrent", scalar::positive_count, faults),
        max_answer_bytes: backend.defaulted("maxAnswerBytes", scalar::positive_count, faults),
    }
}

fn read_url(name: &str, backend: &Mapping<'_>, faults: &mut Faults) -> String {
    match backend.child("url") {
        None if name == DEFAULT_BACKEND => UPSTREAM_URL.to_owned(),
        _ => backend.required("url", scalar::url, faults),
    }
}

fn method(text: &str) -> Result<Method, String> {
    match text {
        "auto" => Ok(Method::Auto),
        "get" => Ok(Method::Get),
        "post" => Ok(Method::Post),
        _ => Err(format!("`{text}` is none of `auto`, `get`, `post`")),
    }
}

fn read_headers(backend: &Mapping<'_>, faults: &mut Faults) -> Vec<(String, String)> {
    let headers = backend.items("headers", faults).iter();
    headers
        .map(|node| {
            let header = Mapping::open(node, &HEADER, faults);
            let name = header.required("name", header_name, faults);
            (name, header.required("value", header_value, faults))
        })
        .collect()
}

/// Source of the letters: RFC 9110, `token`.
fn header_name(text: &str) -> Result<String, String> {
    let fit = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    match !text.is_empty() && text.chars().all(fit) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` cannot be the name of a header")),
    }
}

/// The value may be a secret, so the message does not repeat it.
fn header_value(text: &str) -> Result<String, String> {
    let unfit = |letter: char| letter.is_control() && letter != '\t';
    match text.contains(unfit) {
        true => Err("the value has a control character in it, perhaps a line end".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn read_kubernetes_credentials(backend: &Mapping<'_>, faults: &mut Faults) -> KubernetesCredentials {
    let in_cluster = backend.defaulted("inCluster", scalar::boolean, faults);
    match backend.optional("kubeconfigFile", scalar::path, faults) {
        Some(_) if in_cluster => {
            faults.hinted(
                backend.at("kubeconfigFile"),
                "both a kubeconfig and in-cluster credentials",
                "take one of `kubeconfigFile` (`--prometheus-auth-config`) and `inCluster` (`--prometheus-auth-incluster`) out",
            );
            KubernetesCredentials::None
        }
        Some(path) => KubernetesCredentials::Kubeconfig(path),
        None if in_cluster => KubernetesCredentials::InCluster,
        None => KubernetesCredentials::None,
    }
}

/// Keys that need each other, and keys that exclude each other.
fn check_pairs(backend: &Mapping<'_>, faults: &mut Faults) {
    let given = |key| backend.child(key).is_some();
    let needs = [
        ("clientCertificateFile", "clientKeyFile"),
        ("clientKeyFile", "clientCertificateFile"),
        ("passwordFile", "username"),
        ("username", "passwordFile"),
    ];
    for (key, other) in needs {
        if given(key) && !given(other) {
            faults.hinted(
                backend.at(key),
                format!("needs `{other}` beside it"),
                "give both or neither",
            );
        }
    }
    if given("tokenFile") && given("username") {
        faults.hinted(
            backend.at("tokenFile"),
            "both a bearer token and basic authentication",
            "a request carries one of the two; take `tokenFile` or `username` out",
        );
    }
}

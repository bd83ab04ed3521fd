//! Settings of who may ask.

use std::path::PathBuf;
use std::time::Duration;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};
use crate::model::FrontProxy;

/// Who may ask, beside what the cluster says.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// Kubeconfig of the cluster that says whose a token is; `None` for that of `kubernetes`.
    pub authentication_kubeconfig: Option<PathBuf>,
    /// Kubeconfig of the cluster that says what somebody may do; `None` for that of `kubernetes`.
    pub authorization_kubeconfig: Option<PathBuf>,
    /// Whether the cluster's own settings say whom to trust. Default true.
    pub lookup: bool,
    /// The front proxy of files, instead of the cluster's.
    pub request_header: Option<RequestHeader>,
    /// Paths that need no permission, with `*` at their end for all that begin so.
    pub always_allow_paths: Vec<String>,
    /// How long it is kept whose a token is. Default 10 s.
    pub token_ttl: Duration,
    /// How long a permission is kept. Default 10 s.
    pub allowed_ttl: Duration,
    /// How long a refusal is kept. Default 10 s.
    pub denied_ttl: Duration,
}

/// A front proxy and whose certificate it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// PEM file of the authorities of its certificate.
    pub client_ca_file: PathBuf,
    /// Its names and headers.
    pub proxy: FrontProxy,
}

pub(crate) const ACCESS: Section = Section {
    title: "`access`",
    about: "Who may ask, where there is a cluster to say so. See [access](../concepts/access.md).\n\
            All of it is as the cluster has it unless said otherwise.",
    fields: &[
        Field::new(
            "authenticationKubeconfig",
            "path",
            "/etc/adapter/kubeconfig",
            "Kubeconfig of the cluster that says whose a token is and whom to trust. Left out: the cluster of `kubernetes`.",
        ),
        Field::new(
            "authorizationKubeconfig",
            "path",
            "/etc/adapter/kubeconfig",
            "Kubeconfig of the cluster that says what somebody may do. Left out: the cluster of `kubernetes`.",
        ),
        Field::new(
            "lookup",
            "true or false",
            "false",
            "Whether the ConfigMap `kube-system/extension-apiserver-authentication` says which front proxies and which client certificates to trust.",
        )
        .or("true"),
        Field::new(
            "requestHeader",
            "mapping",
            "{clientCaFile: /etc/adapter/front-proxy-ca.crt}",
            "The front proxy, instead of that of the ConfigMap.",
        ),
        Field::new(
            "alwaysAllowPaths",
            "list of paths",
            "[/healthz, /readyz, /livez, /metrics]",
            "Paths that anyone may ask for, with `*` at the end for all that begin so. Metrics are never among them.",
        )
        .or("[/healthz, /readyz, /livez]"),
        Field::new("tokenTtl", "duration", "10s", "How long it is kept whose a token is.").or("10s"),
        Field::new("allowedTtl", "duration", "10s", "How long a permission is kept.").or("10s"),
        Field::new("deniedTtl", "duration", "10s", "How long a refusal is kept.").or("10s"),
    ],
    shared: &[],
};

pub(crate) const REQUEST_HEADER: Section = Section {
    title: "`access.requestHeader`",
    about: "How a front proxy such as kube-apiserver tells who asks. Nothing of it counts without `clientCaFile`.",
    fields: &[
        Field::new(
            "clientCaFile",
            "path",
            "/etc/adapter/front-proxy-ca.crt",
            "PEM file of the CA of its client certificate, read again when it changes.",
        ),
        Field::new(
            "allowedNames",
            "list of names",
            "[front-proxy-client]",
            "Common names of its certificate. Left out: any that the CA vouches for.",
        ),
        Field::new(
            "usernameHeaders",
            "list of headers",
            "[X-Remote-User]",
            "Headers with the user's name.",
        )
        .or("[X-Remote-User]"),
        Field::new(
            "uidHeaders",
            "list of headers",
            "[X-Remote-Uid]",
            "Headers with the user's id.",
        ),
        Field::new(
            "groupHeaders",
            "list of headers",
            "[X-Remote-Group]",
            "Headers with a group of the user each.",
        )
        .or("[X-Remote-Group]"),
        Field::new(
            "extraHeaderPrefixes",
            "list of prefixes",
            "[X-Remote-Extra-]",
            "What headers with more about the user begin with.",
        )
        .or("[X-Remote-Extra-]"),
    ],
    shared: &[],
};

/// Reads `access`.
pub(crate) fn read_access(node: &Node, faults: &mut Faults) -> AccessSettings {
    let access = Mapping::open(node, &ACCESS, faults);
    AccessSettings {
        authentication_kubeconfig: access.optional("authenticationKubeconfig", scalar::path, faults),
        authorization_kubeconfig: access.optional("authorizationKubeconfig", scalar::path, faults),
        lookup: access.defaulted("lookup", scalar::boolean, faults),
        request_header: access
            .child("requestHeader")
            .and_then(|node| read_request_header(node, faults)),
        always_allow_paths: access.texts("alwaysAllowPaths", faults),
        token_ttl: access.defaulted("tokenTtl", scalar::duration, faults),
        allowed_ttl: access.defaulted("allowedTtl", scalar::duration, faults),
        denied_ttl: access.defaulted("deniedTtl", scalar::duration, faults),
    }
}

fn read_request_header(node: &Node, faults: &mut Faults) -> Option<RequestHeader> {
    let header = Mapping::open(node, &REQUEST_HEADER, faults);
    let proxy = FrontProxy {
        allowed_names: header.texts("allowedNames", faults),
        user_headers: header.texts("usernameHeaders", faults),
        uid_headers: header.texts("uidHeaders", faults),
        group_headers: header.texts("groupHeaders", faults),
        extra_prefixes: header.texts("extraHeaderPrefixes", faults),
    };
    let client_ca_file = header.optional("clientCaFile", scalar::path, faults)?;
    Some(RequestHeader {
        client_ca_file,
        proxy,
    })
}

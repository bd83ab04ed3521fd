//! The cluster: which resources are served and which objects a selector matches.
//!
//! Of a cluster both are followed by watches of metadata: no request of a client makes a request to kube-apiserver.
//! Without a cluster both come from a file, and the core kinds are built in.
//! Credentials of a kubeconfig or a pod, for reaching a backend, are read here too.
//! So are the Secret and the APIServices by which kube-apiserver trusts the adapter (`secret`, `api_service`).

mod api_service;
mod ask;
mod builtin;
mod cluster;
mod credentials;
mod kubeconfig;
mod objects;
mod secret;
mod served;

pub use api_service::{ApiServices, Registration};
pub use ask::{AskError, Written};
pub use cluster::{Cluster, ClusterError};
pub use credentials::{
    BackendAuthorization, BackendCredentials, CredentialSource, CredentialsError, from_kubeconfig, in_cluster,
};
pub use objects::{Matching, Object, Objects, ObjectsError, WatchFailure};
pub use secret::{NamedSecret, ReadSecret, SecretData};

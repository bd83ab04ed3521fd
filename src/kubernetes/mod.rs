//! The cluster: which resources are served and which objects a selector matches.
//!
//! Of a cluster both are followed by watches of metadata: no request of a client makes a request to kube-apiserver.
//! Without a cluster both come from a file, and the core kinds are built in.
//! Credentials of a kubeconfig or a pod, for reaching a backend, are read here too.
//! Who may ask is asked of the cluster (`reviews`), and whom to believe in that is watched (`authentication`).
//! The Secret and the APIServices by which kube-apiserver trusts the adapter are read and written (`secret`, `api_service`).

mod api_service;
mod ask;
mod authentication;
mod builtin;
mod cluster;
mod credentials;
mod kubeconfig;
mod objects;
mod reviews;
mod secret;
mod served;

pub use api_service::{ApiServices, Registration};
pub use ask::{AskError, Written};
pub use authentication::AuthenticationSettings;
pub use cluster::{Cluster, ClusterError};
pub use credentials::{
    BackendAuthorization, BackendCredentials, CredentialSource, CredentialsError, from_kubeconfig, in_cluster,
};
pub use objects::{
    Edition, Matching, Object, Objects, ObjectsError, RunningContainer, RunningPod, RunningPods, WatchFailure,
};
pub use reviews::{KeptFor, Question, Reviews, Verdict};
pub use secret::{NamedSecret, ReadSecret, SecretData};

//! The cluster: which resources are served and which objects a selector matches.
//!
//! Of a cluster both are followed by watches of metadata: no request of a client makes a request to kube-apiserver.
//! Without a cluster both come from a file, and the core kinds are built in.
//! Credentials of a kubeconfig or a pod, for reaching a backend, are read here too.

mod builtin;
mod cluster;
mod credentials;
mod kubeconfig;
mod objects;
mod served;

pub use cluster::{Cluster, ClusterError};
pub use credentials::{
    BackendAuthorization, BackendCredentials, CredentialSource, CredentialsError, from_kubeconfig, in_cluster,
};
pub use objects::{Matching, Object, Objects, ObjectsError, WatchFailure};

//! The cluster: which resources are served and which objects a selector matches.
//!
//! Without a cluster both come from a file; the core kinds are built in.
//! Of a cluster only credentials are read yet: what a kubeconfig or a pod holds for reaching a backend.

mod builtin;
mod cluster;
mod credentials;
mod kubeconfig;
mod objects;

pub use cluster::{Cluster, ClusterError};
pub use credentials::{
    BackendAuthorization, BackendCredentials, CredentialSource, CredentialsError, from_kubeconfig, in_cluster,
};
pub use objects::{Object, Objects};

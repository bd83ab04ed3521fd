//! The connection to a cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

/// How long a connection to kube-apiserver may take to open.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A cluster that can be asked; clones share its connections.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
}

/// Why a cluster cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kubeconfig cannot be used.
    #[error("kubeconfig `{}` cannot be used", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KubeconfigError,
    },
    /// The credentials of the pod cannot be used.
    #[error("the credentials of the pod's service account cannot be used")]
    InCluster(#[source] kube::config::InClusterError),
    /// No client can be made with these credentials.
    #[error("no client of the cluster can be made")]
    Client(#[source] kube::Error),
}

impl Cluster {
    /// The cluster of a kubeconfig's current context. Nothing is asked yet, so it need not be reachable.
    pub async fn from_kubeconfig(path: &Path) -> Result<Cluster, ClusterError> {
        let unusable = |source| ClusterError::Kubeconfig {
            path: path.to_owned(),
            source,
        };
        let kubeconfig = Kubeconfig::read_from(path).map_err(unusable)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(unusable)?;
        Cluster::connect(config)
    }

    /// The cluster of the pod this process runs in; `None` outside of one.
    pub fn of_this_pod() -> Result<Option<Cluster>, ClusterError> {
        // Set by the kubelet in every container.
        if std::env::var_os("KUBERNETES_SERVICE_HOST").is_none() {
            return Ok(None);
        }
        let config = Config::incluster().map_err(ClusterError::InCluster)?;
        Cluster::connect(config).map(Some)
    }

    fn connect(mut config: Config) -> Result<Cluster, ClusterError> {
        config.connect_timeout = Some(CONNECT_WITHIN);
        let client = kube::Client::try_from(config).map_err(ClusterError::Client)?;
        Ok(Cluster { client })
    }

    /// The namespace of the pod, or of the kubeconfig's context.
    pub fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    pub(super) fn client(&self) -> kube::Client {
        self.client.clone()
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cluster")
    }
}

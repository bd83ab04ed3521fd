//! Settings of the cluster.

use std::path::PathBuf;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// How the cluster is reached.
#[derive(Clone, Debug, Default)]
pub struct KubernetesSettings {
    /// Kubeconfig of the cluster; `None` for the credentials of the pod, where there are any.
    pub kubeconfig: Option<PathBuf>,
}

pub(crate) const KUBERNETES: Section = Section {
    title: "`kubernetes`",
    about: "The cluster whose objects are served and which says who may ask.",
    fields: &[Field::new(
        "kubeconfig",
        "path",
        "/etc/adapter/kubeconfig",
        "Kubeconfig of the cluster, its current context.\n\
         Left out: the service account of the pod the adapter runs in, and no cluster outside of one or beside `objectsFile`.",
    )],
    shared: &[],
};

/// Reads `kubernetes`.
pub(crate) fn read_kubernetes(node: &Node, faults: &mut Faults) -> KubernetesSettings {
    let kubernetes = Mapping::open(node, &KUBERNETES, faults);
    KubernetesSettings {
        kubeconfig: kubernetes.optional("kubeconfig", scalar::path, faults),
    }
}

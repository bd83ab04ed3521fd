//! Settings of the cluster.

use std::path::PathBuf;

use super::faults::Faults;
use super::node::Node;
use super::scalar;
use super::section::{Field, Mapping, Section};

/// How the cluster is reached.
#[derive(Clone, Debug)]
pub struct KubernetesSettings {
    /// Kubeconfig of the cluster; `None` for the credentials of the pod, where there are any.
    pub kubeconfig: Option<PathBuf>,
    /// Most objects of one resource that are kept in memory. Default 100 000.
    pub max_objects: usize,
}

pub(crate) const KUBERNETES: Section = Section {
    title: "`kubernetes`",
    about: "The cluster whose objects are served and which says who may ask.",
    fields: &[
        Field::new(
            "kubeconfig",
            "path",
            "/etc/adapter/kubeconfig",
            "Kubeconfig of the cluster, its current context.\n\
         Left out: the service account of the pod the adapter runs in, and no cluster outside of one or beside `objectsFile`.",
        ),
        Field::new(
            "maxObjects",
            "number",
            "20000",
            "Most objects of one resource that are kept in memory, in all namespaces.\n\
             Where there are more, several objects of that resource cannot be asked for.",
        )
        .or("100000"),
    ],
    shared: &[],
};

/// Reads `kubernetes`.
pub(crate) fn read_kubernetes(node: &Node, faults: &mut Faults) -> KubernetesSettings {
    let kubernetes = Mapping::open(node, &KUBERNETES, faults);
    KubernetesSettings {
        kubeconfig: kubernetes.optional("kubeconfig", scalar::path, faults),
        max_objects: kubernetes.defaulted("maxObjects", scalar::positive_count, faults),
    }
}

//! The groups and versions that are served: the one list that routing and all documents follow.

/// Custom metrics.
pub(super) const CUSTOM: &str = "custom.metrics.k8s.io";
/// External metrics.
pub(super) const EXTERNAL: &str = "external.metrics.k8s.io";
/// The only version of external metrics.
pub(super) const EXTERNAL_VERSION: &str = "v1beta1";

/// A group and its versions, the preferred one first.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) versions: &'static [&'static str],
}

/// Every group, always served, with no rule at all too.
///
/// A registered APIService whose group is missing here blocks the deletion of namespaces in the whole cluster.
pub(super) const GROUPS: [Group; 2] = [
    Group {
        name: CUSTOM,
        versions: &["v1beta2", "v1beta1"],
    },
    Group {
        name: EXTERNAL,
        versions: &[EXTERNAL_VERSION],
    },
];

/// A version of `custom.metrics.k8s.io`; they differ in the names of fields only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomVersion {
    /// `v1beta1`.
    V1beta1,
    /// `v1beta2`, which autoscalers prefer.
    V1beta2,
}

impl CustomVersion {
    /// The version named in a path, if it is served.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "v1beta1" => Some(CustomVersion::V1beta1),
            "v1beta2" => Some(CustomVersion::V1beta2),
            _ => None,
        }
    }

    /// Group and version as `apiVersion` has them.
    pub(super) fn group_version(self) -> &'static str {
        match self {
            CustomVersion::V1beta1 => "custom.metrics.k8s.io/v1beta1",
            CustomVersion::V1beta2 => "custom.metrics.k8s.io/v1beta2",
        }
    }
}

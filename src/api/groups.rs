//! The groups and versions that are served: the one list that routing and all documents follow.

use crate::provider::Provider;

/// Custom metrics.
pub(super) const CUSTOM: &str = "custom.metrics.k8s.io";
/// External metrics.
pub(super) const EXTERNAL: &str = "external.metrics.k8s.io";
/// The only version of external metrics.
pub(super) const EXTERNAL_VERSION: &str = "v1beta1";

/// What pods and nodes use.
pub(super) const USAGE: &str = "metrics.k8s.io";
/// The only version of it.
pub(super) const USAGE_VERSION: &str = "v1beta1";

/// A group and its versions, the preferred one first.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) versions: &'static [&'static str],
}

/// Every group there is.
const GROUPS: [Group; 3] = [
    Group {
        name: CUSTOM,
        versions: &["v1beta2", "v1beta1"],
    },
    Group {
        name: EXTERNAL,
        versions: &[EXTERNAL_VERSION],
    },
    Group {
        name: USAGE,
        versions: &[USAGE_VERSION],
    },
];

/// Which groups are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// Custom and external metrics: always, with no rule at all too.
    ///
    /// A registered APIService whose group is missing here blocks the deletion of namespaces in the whole cluster.
    Metrics,
    /// Those and `metrics.k8s.io`: with `resourceRules` only, since most clusters have it from metrics-server.
    MetricsAndUsage,
}

impl Served {
    /// What a provider answers for.
    pub(super) fn by(provider: &Provider) -> Served {
        match provider.usage_rules() {
            Some(_) => Served::MetricsAndUsage,
            None => Served::Metrics,
        }
    }

    /// The groups.
    pub(super) fn groups(self) -> &'static [Group] {
        match self {
            Served::Metrics => &GROUPS[..2],
            Served::MetricsAndUsage => &GROUPS,
        }
    }
}

/// Something for each set of groups.
pub(super) struct ByServed<T> {
    metrics: T,
    metrics_and_usage: T,
}

impl<T> ByServed<T> {
    /// Makes both.
    pub(super) fn new(make: impl Fn(Served) -> T) -> Self {
        ByServed {
            metrics: make(Served::Metrics),
            metrics_and_usage: make(Served::MetricsAndUsage),
        }
    }

    /// The one of these groups.
    pub(super) fn get(&self, served: Served) -> &T {
        match served {
            Served::Metrics => &self.metrics,
            Served::MetricsAndUsage => &self.metrics_and_usage,
        }
    }
}

/// The names of the APIServices of what is served: `v1beta1.external.metrics.k8s.io`.
pub fn api_services(provider: &Provider) -> Vec<String> {
    let versions = |group: &'static Group| {
        group
            .versions
            .iter()
            .map(move |version| format!("{version}.{}", group.name))
    };
    let groups = Served::by(provider).groups();
    groups.iter().flat_map(versions).collect()
}

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

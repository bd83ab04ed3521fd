//! What is scraped.

use crate::model::Labels;

/// One page of metrics, and the labels that all its series get.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Where the page is: `http://10.1.0.7:8080/metrics`.
    pub url: String,
    /// `job`, `instance`, `namespace`, `pod` and the like.
    /// An exposed label of such a name becomes `exported_…`, as with `honor_labels: false` in Prometheus.
    pub labels: Labels,
}

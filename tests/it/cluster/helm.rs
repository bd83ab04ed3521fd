//! The chart as the API server takes it.

use crate::manifests::helm::{chart, values_of_prometheus_adapter};
use crate::support::cluster::Cluster;

use super::manifests::{apply, define_foreign_kinds};

#[tokio::test(flavor = "multi_thread")]
async fn chart_is_taken_with_default_values_and_with_those_of_prometheus_adapter() {
    let cluster = Cluster::start().await;
    define_foreign_kinds(&cluster).await;
    cluster.kubectl(&["create", "namespace", "promql-adapter"]).await;
    for values in [
        "{}".to_owned(),
        values_of_prometheus_adapter(),
        "certManager: {enabled: true}".to_owned(),
    ] {
        let rendered = chart(&values).unwrap();
        apply(&cluster, &rendered.0).await;
        // The selector of a Deployment cannot change.
        cluster
            .kubectl(&["delete", "deployments", "--all", "-n", "promql-adapter"])
            .await;
    }
}

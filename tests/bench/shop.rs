//! What is scaled: workloads with pods, in namespaces, whose pods count requests.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::servers::page;

/// How many there are of everything. Workloads are spread evenly over namespaces, and metrics over workloads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shop {
    pub(crate) namespaces: usize,
    pub(crate) workloads: usize,
    /// Of each workload.
    pub(crate) pods: usize,
    /// Different ones, each made by a rule of its own.
    pub(crate) metrics: usize,
    /// Of each workload; its pods count these and no others.
    pub(crate) metrics_each: usize,
}

/// A hundred workloads of ten pods: so few that all answers are in the cache before the measuring, so many that it is
/// not always the same one.
pub(crate) const HUNDRED: Shop = Shop {
    namespaces: 10,
    workloads: 100,
    pods: 10,
    metrics: 1,
    metrics_each: 1,
};

impl Shop {
    /// The rules, one a metric.
    pub(crate) fn rules(&self) -> String {
        let mut text = "rules:\n".to_owned();
        for metric in 0..self.metrics {
            writeln!(
                text,
                "  - {{metric: {}, objects: {{namespace: namespace, pods: pod}}, rate: {{counter: {}, window: 1m}}}}",
                metric_name(metric),
                counter_name(metric)
            )
            .unwrap();
        }
        text
    }

    /// The objects file.
    pub(crate) fn objects(&self) -> String {
        let mut text = "objects:\n".to_owned();
        for (namespace, name, app) in self.pod_names() {
            writeln!(
                text,
                "  - {{resource: pods, namespace: {namespace}, name: {name}, labels: {{app: {app}}}}}"
            )
            .unwrap();
        }
        text
    }

    /// The rules in prometheus-adapter's form, which both programs read.
    pub(crate) fn upstream_rules(&self) -> String {
        let rules = (0..self.metrics).map(|metric| upstream_rule(&counter_name(metric)));
        format!("rules:\n{}", rules.collect::<String>())
    }

    /// Names of the namespaces.
    pub(crate) fn namespace_names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.namespaces).map(|namespace| format!("team-{namespace:03}"))
    }

    /// Namespace, name and application of each pod.
    pub(crate) fn pod_names(&self) -> impl Iterator<Item = (String, String, String)> + use<> {
        let shop = *self;
        (0..shop.workloads).flat_map(move |workload| {
            let name = move |pod| (shop.namespace(workload), pod_name(workload, pod), app(workload));
            (0..shop.pods).map(name)
        })
    }

    /// What the controller asks for each workload and metric, in turn.
    pub(crate) fn paths(&self) -> Vec<String> {
        (0..self.workloads)
            .flat_map(|workload| self.metrics_of(workload).map(move |metric| (workload, metric)))
            .map(|(workload, metric)| {
                format!(
                    "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{}/pods/%2A/{}?labelSelector=app%3D{}",
                    self.namespace(workload),
                    metric_name(metric),
                    app(workload)
                )
            })
            .collect()
    }

    /// What prometheus-adapter would ask Prometheus for each of [`Shop::paths`].
    pub(crate) fn narrow_queries(&self) -> Vec<String> {
        (0..self.workloads)
            .flat_map(|workload| self.metrics_of(workload).map(move |metric| (workload, metric)))
            .map(|(workload, metric)| {
                let pods: Vec<_> = (0..self.pods).map(|pod| pod_name(workload, pod)).collect();
                let query = format!(
                    "sum by (pod) (rate({}{{namespace=\"{}\",pod=~\"{}\"}}[1m]))",
                    counter_name(metric),
                    self.namespace(workload),
                    pods.join("|")
                );
                let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
                format!("/api/v1/query?query={query}")
            })
            .collect()
    }

    /// Series that Prometheus has of it.
    pub(crate) fn series(&self) -> usize {
        self.workloads * self.pods * self.metrics_each
    }

    /// Starts to export its counters, each of which has grown steadily since this moment.
    pub(crate) fn export(self) -> SocketAddr {
        let began = Instant::now();
        page::serve(move || self.exposition(began.elapsed()))
    }

    fn exposition(&self, age: Duration) -> String {
        let mut text = String::with_capacity(self.series() * 100);
        for workload in 0..self.workloads {
            for metric in self.metrics_of(workload) {
                for pod in 0..self.pods {
                    let rate = (workload + metric + pod) % 97 + 1;
                    writeln!(
                        text,
                        "{}{{namespace=\"{}\",pod=\"{}\"}} {:.3}",
                        counter_name(metric),
                        self.namespace(workload),
                        pod_name(workload, pod),
                        rate as f64 * age.as_secs_f64()
                    )
                    .unwrap();
                }
            }
        }
        text
    }

    fn metrics_of(&self, workload: usize) -> impl Iterator<Item = usize> + use<> {
        let Shop {
            metrics,
            metrics_each,
            ..
        } = *self;
        (0..metrics_each).map(move |number| (workload * metrics_each + number) % metrics)
    }

    fn namespace(&self, workload: usize) -> String {
        let each = self.workloads.div_ceil(self.namespaces);
        format!("team-{:03}", workload / each)
    }
}

/// A rule in prometheus-adapter's form that looks for these series.
pub(crate) fn upstream_rule(series_query: &str) -> String {
    format!(
        "  - seriesQuery: '{series_query}'\n    \
         resources: {{overrides: {{namespace: {{resource: namespace}}, pod: {{resource: pod}}}}}}\n    \
         name: {{matches: '^(.*)_total$', as: '${{1}}_per_second'}}\n    \
         metricsQuery: 'sum(rate(<<.Series>>{{<<.LabelMatchers>>}}[1m])) by (<<.GroupBy>>)'\n"
    )
}

fn app(workload: usize) -> String {
    format!("web-{workload:05}")
}

/// As long as those that a Deployment makes.
fn pod_name(workload: usize, pod: usize) -> String {
    format!("web-{workload:05}-5c9f7d8b64-{pod:05}")
}

/// The name of a metric.
pub(crate) fn metric_name(metric: usize) -> String {
    format!("requests_{metric:02}_per_second")
}

/// The counter that a metric is made of.
pub(crate) fn counter_name(metric: usize) -> String {
    format!("requests_{metric:02}_total")
}

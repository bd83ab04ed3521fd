//! What the adapter tells about itself at `/metrics`.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::declare::{Number, Seconds, declare, seconds};
use super::label_sets::{
    Backend, BackendEnd, Build, Cache, Certificate, Policy, Refresh, Request, Reviewed, Rule, ScrapeEnd,
    Watch, WatchEnd, Window,
};
use super::outcome::{
    BackendOutcome, CacheOutcome, RefreshForm, Review, ReviewOutcome, ScrapeOutcome, WatchOutcome,
};

/// How much an embedded backend keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSize {
    /// What it scrapes.
    pub targets: usize,
    /// Series that some rule reads.
    pub series: usize,
    /// What they take in memory.
    pub bytes: usize,
}

/// Every metric the adapter exports about itself.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    table: Table,
}

declare! {
    #[derive(Debug)]
    struct Table {
        /// Requests answered, by route and status code.
        "http_requests" => http_requests: Family<Request, Counter> = Family::default(),
        /// Time from the first byte of a request to its answer, by route and status code.
        "http_request_duration_seconds" => http_request_duration: Seconds<Request> = seconds(),
        /// Requests sent to a backend, by the way they ended.
        "promql_adapter_backend_requests" => backend_requests: Family<BackendEnd, Counter> = Family::default(),
        /// Time that a backend took to answer or to fail.
        "promql_adapter_backend_request_duration_seconds" => backend_request_duration: Seconds<Backend> = seconds(),
        /// Scrapes of the targets of an embedded backend, by the way they ended.
        "promql_adapter_scrapes" => scrapes: Family<ScrapeEnd, Counter> = Family::default(),
        /// Time from the moment of a scrape to the last byte of its page, or to its failure.
        "promql_adapter_scrape_duration_seconds" => scrape_duration: Seconds<Window> = seconds(),
        /// Targets that an embedded backend scrapes.
        "promql_adapter_scrape_targets" => scrape_targets: Family<Window, Number> = Family::default(),
        /// Series that an embedded backend keeps because a rule reads them.
        "promql_adapter_window_series" => window_series: Family<Window, Number> = Family::default(),
        /// Bytes that the samples of an embedded backend take in memory.
        "promql_adapter_window_bytes" => window_bytes: Family<Window, Number> = Family::default(),
        /// 1 while new series of an embedded backend do not fit its memory limit, else 0.
        "promql_adapter_window_full" => window_full: Family<Window, Number> = Family::default(),
        /// Questions asked of the result cache: answered from it (`hit`), asked anew (`miss`), answered with the last
        /// result because the backend failed (`stale`), refused because it failed a moment ago (`held_failure`), or
        /// answered from what is refreshed in the background (`refreshed`).
        "promql_adapter_cache_requests" => cache_requests: Family<Cache, Counter> = Family::default(),
        /// Questions that are refreshed in the background because they are asked for again and again.
        "promql_adapter_fresh_questions" => fresh_questions: Number = Number::default(),
        /// Questions asked in the background, by the way they ended: for many namespaces in one (`shared`), or each
        /// as a request would ask it (`narrow`).
        "promql_adapter_refreshes" => refreshes: Family<Refresh, Counter> = Family::default(),
        /// Times that a rule's policy decided what to serve because there was no plain value.
        "promql_adapter_policy_uses" => policy_uses: Family<Policy, Counter> = Family::default(),
        /// 1 while a rule is disabled or its last discovery failed, else 0.
        "promql_adapter_rule_faulty" => rule_faulty: Family<Rule, Number> = Family::default(),
        /// Unix time of the last discovery of a rule that succeeded.
        "promql_adapter_discovery_last_success_timestamp_seconds" => discovered: Family<Rule, Number> = Family::default(),
        /// Objects of the cluster that are kept in memory, by resource, in all namespaces.
        "promql_adapter_watched_objects" => watched_objects: Family<Watch, Number> = Family::default(),
        /// Times that a watch of a resource ended and had to be started with a new list, by the reason.
        "promql_adapter_watch_failures" => watch_failures: Family<WatchEnd, Counter> = Family::default(),
        /// Times that the cluster was asked whose a token is (`token`) or what somebody may do (`permission`), and what
        /// came of it. What is answered from memory does not count.
        "promql_adapter_access_reviews" => access_reviews: Family<Reviewed, Counter> = Family::default(),
        /// Unix time at which a certificate ends: the one that is served (`leaf`), or the adapters' own authority that
        /// signed it (`ca`).
        "promql_adapter_serving_certificate_expiry_timestamp_seconds" => certificate_expiry: Family<Certificate, Number> = Family::default(),
        /// Always 1; its label says which version runs.
        "promql_adapter_build_info" => build: Family<Build, Number> = Family::default(),
        /// Unix time at which the process started.
        "process_start_time_seconds" => process_start: Number = Number::default(),
    }
}

impl Default for Metrics {
    /// Registers all metrics; the process counts as started now.
    #[expect(
        clippy::disallowed_methods,
        reason = "made once, at the start, whose time is the metric"
    )]
    fn default() -> Self {
        let mut registry = Registry::default();
        let table = Table::register(&mut registry);
        table
            .build
            .get_or_create(&Build {
                version: env!("CARGO_PKG_VERSION"),
            })
            .set(1.0);
        let started = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        table.process_start.set(started.as_secs_f64());
        Self { registry, table }
    }
}

impl Metrics {
    /// The content type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// All metrics in the OpenMetrics text format, which Prometheus reads since 2.5.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }

    /// One request served. `route` is the pattern of a route, never a path.
    pub fn http_request(&self, route: Cow<'static, str>, code: u16, took: Duration) {
        let request = Request { route, code };
        self.table.http_requests.get_or_create(&request).inc();
        self.table
            .http_request_duration
            .get_or_create(&request)
            .observe(took.as_secs_f64());
    }

    /// One request to a backend ended. `endpoint` is `query`, `series`, `labels` or `label_values`.
    pub fn backend_request(
        &self,
        backend: &str,
        endpoint: &'static str,
        outcome: BackendOutcome,
        took: Duration,
    ) {
        let end = BackendEnd {
            backend: backend.to_owned(),
            endpoint,
            outcome: outcome.label(),
        };
        self.table.backend_requests.get_or_create(&end).inc();
        let backend = Backend {
            backend: end.backend,
            endpoint,
        };
        self.table
            .backend_request_duration
            .get_or_create(&backend)
            .observe(took.as_secs_f64());
    }

    /// One scrape of a target of an embedded backend ended.
    pub fn scrape(&self, backend: &str, outcome: ScrapeOutcome, took: Duration) {
        let end = ScrapeEnd {
            backend: backend.to_owned(),
            outcome: outcome.label(),
        };
        self.table.scrapes.get_or_create(&end).inc();
        let backend = end.backend;
        self.table
            .scrape_duration
            .get_or_create(&Window { backend })
            .observe(took.as_secs_f64());
    }

    /// An embedded backend keeps so much.
    pub fn window(&self, backend: &str, size: WindowSize) {
        let window = Window {
            backend: backend.to_owned(),
        };
        let set = |family: &Family<Window, Number>, count: usize| {
            family.get_or_create(&window).set(count as f64);
        };
        set(&self.table.scrape_targets, size.targets);
        set(&self.table.window_series, size.series);
        set(&self.table.window_bytes, size.bytes);
    }

    /// New series of an embedded backend do or do not fit its memory limit.
    pub fn window_full(&self, backend: &str, full: bool) {
        let backend = backend.to_owned();
        self.table
            .window_full
            .get_or_create(&Window { backend })
            .set(f64::from(u8::from(full)));
    }

    /// The result cache was asked.
    pub fn cache(&self, outcome: CacheOutcome) {
        self.table
            .cache_requests
            .get_or_create(&Cache {
                outcome: outcome.label(),
            })
            .inc();
    }

    /// So many questions are refreshed in the background.
    pub fn kept_fresh(&self, count: usize) {
        self.table.fresh_questions.set(count as f64);
    }

    /// A question was asked in the background.
    pub fn refreshed(&self, form: RefreshForm, outcome: BackendOutcome) {
        let refresh = Refresh {
            form: form.label(),
            outcome: outcome.label(),
        };
        self.table.refreshes.get_or_create(&refresh).inc();
    }

    /// A policy stood in for a value. `rule` is its key in the file, `rules[2]`.
    pub fn policy_used(&self, rule: &str, policy: &'static str) {
        self.table
            .policy_uses
            .get_or_create(&Policy {
                rule: rule.to_owned(),
                policy,
            })
            .inc();
    }

    /// A rule is disabled or its last discovery failed.
    pub fn rule_fault(&self, rule: &str, faulty: bool) {
        self.table
            .rule_faulty
            .get_or_create(&Rule {
                rule: rule.to_owned(),
            })
            .set(f64::from(u8::from(faulty)));
    }

    /// Discovery of a rule succeeded at this Unix time in seconds.
    pub fn discovered(&self, rule: &str, at_seconds: f64) {
        self.table
            .discovered
            .get_or_create(&Rule {
                rule: rule.to_owned(),
            })
            .set(at_seconds);
    }

    /// So many objects of a resource are kept. `resource` is plural, with its group: `deployments.apps`.
    pub fn objects(&self, resource: &str, count: usize) {
        let resource = resource.to_owned();
        self.table
            .watched_objects
            .get_or_create(&Watch { resource })
            .set(count as f64);
    }

    /// A resource is no longer watched.
    pub fn objects_forgotten(&self, resource: &str) {
        let resource = resource.to_owned();
        self.table.watched_objects.remove(&Watch { resource });
    }

    /// A watch ended before its time.
    pub fn watch_failed(&self, resource: &str, outcome: WatchOutcome) {
        let end = WatchEnd {
            resource: resource.to_owned(),
            outcome: outcome.label(),
        };
        self.table.watch_failures.get_or_create(&end).inc();
    }

    /// The cluster was asked about a caller.
    pub fn review(&self, review: Review, outcome: ReviewOutcome) {
        let reviewed = Reviewed {
            kind: review.label(),
            outcome: outcome.label(),
        };
        self.table.access_reviews.get_or_create(&reviewed).inc();
    }

    /// The certificate that is served ends at this Unix time in seconds.
    pub fn serving_certificate(&self, ends: f64) {
        self.certificate("leaf", ends);
    }

    /// The adapters' own authority that signed it ends at this Unix time in seconds.
    pub fn serving_authority(&self, ends: f64) {
        self.certificate("ca", ends);
    }

    fn certificate(&self, certificate: &'static str, ends: f64) {
        self.table
            .certificate_expiry
            .get_or_create(&Certificate { certificate })
            .set(ends);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::check_page;

    /// One sample of every metric.
    fn touched() -> Metrics {
        let metrics = Metrics::default();
        metrics.http_request("/apis".into(), 200, Duration::from_millis(3));
        metrics.backend_request(
            "default",
            "query",
            BackendOutcome::Success,
            Duration::from_millis(20),
        );
        metrics.scrape("own", ScrapeOutcome::TimedOut, Duration::from_secs(3));
        metrics.window(
            "own",
            WindowSize {
                targets: 3,
                series: 70,
                bytes: 9000,
            },
        );
        metrics.window_full("own", true);
        metrics.cache(CacheOutcome::HeldFailure);
        metrics.kept_fresh(20);
        metrics.refreshed(RefreshForm::Shared, BackendOutcome::Success);
        metrics.policy_used("rules[0]", "onEmpty");
        metrics.rule_fault("rules[1]", true);
        metrics.discovered("rules[0]", 1_700_000_000.0);
        metrics.objects("pods", 120);
        metrics.watch_failed("pods", WatchOutcome::Forbidden);
        metrics.review(Review::Permission, ReviewOutcome::Denied);
        metrics.serving_certificate(1_800_000_000.0);
        metrics.serving_authority(1_900_000_000.0);
        metrics
    }

    #[test]
    fn every_observation_can_be_read_back() {
        let text = touched().encode();
        for line in [
            "http_requests_total{route=\"/apis\",code=\"200\"} 1",
            "http_request_duration_seconds_bucket{le=\"0.005\",route=\"/apis\",code=\"200\"} 1",
            "promql_adapter_backend_requests_total{backend=\"default\",endpoint=\"query\",outcome=\"success\"} 1",
            "promql_adapter_backend_request_duration_seconds_count{backend=\"default\",endpoint=\"query\"} 1",
            "promql_adapter_scrapes_total{backend=\"own\",outcome=\"timed_out\"} 1",
            "promql_adapter_scrape_duration_seconds_count{backend=\"own\"} 1",
            "promql_adapter_scrape_targets{backend=\"own\"} 3.0",
            "promql_adapter_window_series{backend=\"own\"} 70.0",
            "promql_adapter_window_bytes{backend=\"own\"} 9000.0",
            "promql_adapter_window_full{backend=\"own\"} 1.0",
            "promql_adapter_cache_requests_total{outcome=\"held_failure\"} 1",
            "promql_adapter_fresh_questions 20.0",
            "promql_adapter_refreshes_total{form=\"shared\",outcome=\"success\"} 1",
            "promql_adapter_policy_uses_total{rule=\"rules[0]\",policy=\"onEmpty\"} 1",
            "promql_adapter_rule_faulty{rule=\"rules[1]\"} 1.0",
            "promql_adapter_discovery_last_success_timestamp_seconds{rule=\"rules[0]\"} 1700000000.0",
            "promql_adapter_watched_objects{resource=\"pods\"} 120.0",
            "promql_adapter_watch_failures_total{resource=\"pods\",outcome=\"forbidden\"} 1",
            "promql_adapter_access_reviews_total{kind=\"permission\",outcome=\"denied\"} 1",
            "promql_adapter_serving_certificate_expiry_timestamp_seconds{certificate=\"leaf\"} 1800000000.0",
            "promql_adapter_serving_certificate_expiry_timestamp_seconds{certificate=\"ca\"} 1900000000.0",
        ] {
            assert!(text.lines().any(|it| it == line), "no line {line} in:\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_rule_that_recovers_is_no_longer_faulty() {
        let metrics = touched();
        metrics.rule_fault("rules[1]", false);
        assert!(
            metrics
                .encode()
                .contains("promql_adapter_rule_faulty{rule=\"rules[1]\"} 0.0\n")
        );
    }

    #[test]
    fn label_values_are_escaped() {
        let metrics = Metrics::default();
        metrics.rule_fault("a\"b\\c", true);
        assert!(metrics.encode().contains(r#"{rule="a\"b\\c"} 1.0"#));
    }

    #[test]
    fn the_reference_lists_every_metric() {
        check_page("docs/reference/metrics.md", &reference(&touched().encode()));
    }

    /// The page, from what `/metrics` prints.
    fn reference(text: &str) -> String {
        let mut page = String::from(
            "# Metrics of the adapter\n\n\
             The adapter serves these at `/metrics`, in the OpenMetrics text format 1.0.\n\
             This page is written by a test from the declarations in `src/telemetry/metrics.rs`.\n\n\
             | metric | type | labels | meaning |\n|---|---|---|---|\n",
        );
        for block in text.split("# HELP ").skip(1) {
            let (name, rest) = block.split_once(' ').unwrap();
            let (help, rest) = rest.split_once('\n').unwrap();
            let (kind, samples) = rest.split_once('\n').unwrap();
            let kind = kind.rsplit(' ').next().unwrap();
            let suffix = if kind == "counter" { "_total" } else { "" };
            let labels = labels(samples.lines().next().unwrap()).join(", ");
            page.push_str(&format!("| `{name}{suffix}` | {kind} | {labels} | {help} |\n"));
        }
        page
    }

    /// The label names of a sample, without a histogram's `le`.
    fn labels(sample: &str) -> Vec<String> {
        let Some((_, labels)) = sample.split_once('{') else {
            return Vec::new();
        };
        let names = labels
            .split(',')
            .filter_map(|label| label.split_once('='))
            .map(|(name, _)| name);
        names
            .filter(|name| *name != "le")
            .map(|name| format!("`{name}`"))
            .collect()
    }
}

//! Real servers, started for one test on free ports: what the tests call a backend.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use promql_adapter::workload::{Options, Workload};
use serde_json::Value;
use tempfile::TempDir;

/// How long a server may take to start, or a scrape to show up in its answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers that the adapter is tested with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Prometheus 2 of Debian's stable release; has no native histograms here.
    Prometheus2,
    /// Prometheus 3; makes native histograms of the classic ones and keeps both.
    Prometheus3,
    /// VictoriaMetrics of Debian's stable release.
    VictoriaMetricsOld,
    /// VictoriaMetrics of Debian's unstable release.
    VictoriaMetricsNew,
}

impl Kind {
    /// The environment variable that `tests/run` gives its path in.
    fn variable(self) -> &'static str {
        match self {
            Kind::Prometheus2 => "PROMETHEUS_2",
            Kind::Prometheus3 => "PROMETHEUS_3",
            Kind::VictoriaMetricsOld => "VICTORIA_METRICS_OLD",
            Kind::VictoriaMetricsNew => "VICTORIA_METRICS_NEW",
        }
    }

    fn program(self) -> PathBuf {
        let variable = self.variable();
        let Some(path) = std::env::var_os(variable) else {
            panic!("this test needs a real server and {variable} is not set; run the tests with `tests/run`");
        };
        PathBuf::from(path)
    }

    fn command(self, directory: &Path, port: u16) -> Command {
        let mut command = Command::new(self.program());
        let config = directory.join("scrape.yaml");
        let data = directory.join("data");
        match self {
            Kind::Prometheus2 | Kind::Prometheus3 => {
                command
                    .arg(format!("--config.file={}", config.display()))
                    .arg(format!("--storage.tsdb.path={}", data.display()))
                    .arg(format!("--web.listen-address=127.0.0.1:{port}"));
                if self == Kind::Prometheus3 {
                    command
                        .arg("--enable-feature=native-histograms,promql-experimental-functions")
                        .arg("--web.enable-remote-write-receiver");
                }
            }
            Kind::VictoriaMetricsOld | Kind::VictoriaMetricsNew => {
                command
                    .arg(format!("-promscrape.config={}", config.display()))
                    .arg(format!("-storageDataPath={}", data.display()))
                    .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
                    // Otherwise samples of the last half minute are hidden from queries.
                    .arg("-search.latencyOffset=1s")
                    .arg("-search.disableCache")
                    .arg("-memory.allowedBytes=256MB");
            }
        }
        command
    }

    /// What lets a query load so many samples at most.
    fn limit(self, samples: usize) -> String {
        match self {
            Kind::Prometheus2 | Kind::Prometheus3 => format!("--query.max-samples={samples}"),
            Kind::VictoriaMetricsOld | Kind::VictoriaMetricsNew => {
                format!("-search.maxSamplesPerQuery={samples}")
            }
        }
    }

    /// The path that answers 200 as soon as queries are.
    fn readiness(self) -> &'static str {
        match self {
            Kind::Prometheus2 | Kind::Prometheus3 => "/-/ready",
            Kind::VictoriaMetricsOld | Kind::VictoriaMetricsNew => "/health",
        }
    }

    fn scrape_config(self, targets: &Path) -> String {
        let native = match self {
            Kind::Prometheus3 => {
                "    convert_classic_histograms_to_nhcb: true\n    always_scrape_classic_histograms: true\n"
            }
            _ => "",
        };
        format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: workload\n\
             {native}    file_sd_configs:\n      - files: [{}]\n",
            targets.display()
        )
    }
}

/// A running server that scrapes every second; it is killed and its data removed when dropped.
pub(crate) struct Backend {
    /// Base URL, without a slash at its end.
    pub(crate) url: String,
    kind: Kind,
    port: u16,
    process: Child,
    /// Beside those of its kind.
    arguments: Vec<String>,
    directory: TempDir,
    client: reqwest::Client,
}

impl Backend {
    /// Starts a server that scrapes the targets of `targets_file` and waits until it answers.
    pub(crate) async fn start(kind: Kind, targets_file: &Path) -> Backend {
        Backend::start_with(kind, &kind.scrape_config(targets_file)).await
    }

    /// As [`Backend::start`], with a configuration of the test.
    pub(crate) async fn start_with(kind: Kind, config: &str) -> Backend {
        Backend::start_as(kind, config, &[]).await
    }

    /// As [`Backend::start`], one that loads so many samples for a query at most.
    pub(crate) async fn start_limited(kind: Kind, targets_file: &Path, samples: usize) -> Backend {
        Backend::start_as(kind, &kind.scrape_config(targets_file), &[kind.limit(samples)]).await
    }

    async fn start_as(kind: Kind, config: &str, arguments: &[String]) -> Backend {
        // Another process may take the port between the look for a free one and its use.
        let mut last = String::new();
        for _ in 0..5 {
            match Backend::try_start(kind, config, arguments).await {
                Ok(backend) => return backend,
                Err(log) => last = log,
            }
        }
        panic!("{kind:?} ended five times before it answered, the last time with:\n{last}");
    }

    /// The log of the server if it ended at once.
    async fn try_start(kind: Kind, config: &str, arguments: &[String]) -> Result<Backend, String> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::write(directory.path().join("scrape.yaml"), config).unwrap();
        let port = free_port();
        let process = spawn(kind, directory.path(), port, arguments);
        let mut backend = Backend {
            url: format!("http://127.0.0.1:{port}"),
            kind,
            port,
            process,
            arguments: arguments.to_vec(),
            directory,
            client: http_client(),
        };
        backend.ready().await.map(|()| backend)
    }

    /// Ends the process as a crash would; its data and its port stay.
    pub(crate) fn stop(&mut self) {
        // Both fail only if the process has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Lets the process do nothing more, as one that hangs: it accepts connections and answers none.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets a frozen process go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Starts a stopped server on its port and its data.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(self.kind, self.directory.path(), self.port, &self.arguments);
        if let Err(log) = self.ready().await {
            panic!("{:?} does not start again:\n{log}", self.kind);
        }
    }

    /// Waits until it answers; the log if it ends instead.
    async fn ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if self.process.try_wait().unwrap().is_some() {
                return Err(self.log());
            }
            if self.is_ready().await {
                return Ok(());
            }
            assert!(
                Instant::now() < deadline,
                "{:?} is not ready:\n{}",
                self.kind,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_ready(&self) -> bool {
        let answer = self
            .client
            .get(format!("{}{}", self.url, self.kind.readiness()))
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// What the server says to an instant query, at a Unix time or now: the `result` of the answer.
    pub(crate) async fn query(&self, query: &str, at: Option<f64>) -> Vec<Value> {
        let answer = self.answer(query, at).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().expect("a vector").clone()
    }

    /// As [`Backend::query`], or why there is no answer, in the server's words.
    pub(crate) async fn try_query(&self, query: &str, at: f64) -> Result<Vec<Value>, String> {
        let answer = self.answer(query, Some(at)).await;
        match answer["data"]["result"].as_array() {
            Some(result) => Ok(result.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    /// The whole answer of the server to an instant query, an error too.
    pub(crate) async fn answer(&self, query: &str, at: Option<f64>) -> Value {
        let mut parameters = vec![("query", query.to_owned())];
        parameters.extend(at.map(|at| ("time", format!("{at:.3}"))));
        let request = self
            .client
            .get(format!("{}/api/v1/query", self.url))
            .query(&parameters);
        let text = request
            .send()
            .await
            .expect("an answer")
            .text()
            .await
            .expect("a whole answer");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Hands samples to a server that takes them by remote write.
    pub(crate) async fn remote_write(&self, body: Vec<u8>) {
        let request = self
            .client
            .post(format!("{}/api/v1/write", self.url))
            .header("Content-Encoding", "snappy")
            .header("Content-Type", "application/x-protobuf")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0");
        let answer = request.body(body).send().await.expect("an answer");
        let status = answer.status();
        assert!(
            status.is_success(),
            "remote write: {status}: {}",
            answer.text().await.unwrap_or_default()
        );
    }

    /// Instant queries that a Prometheus has answered since it started, by its own count.
    pub(crate) async fn queries_answered(&self) -> u64 {
        let metrics = self.client.get(format!("{}/metrics", self.url)).send().await;
        let metrics = metrics.expect("an answer").text().await.expect("a whole answer");
        let is_query = |line: &&str| {
            line.starts_with("prometheus_http_requests_total{") && line.contains("handler=\"/api/v1/query\"")
        };
        let counts = metrics.lines().filter(is_query);
        counts
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    /// Its clock, as Unix time.
    pub(crate) async fn now(&self) -> f64 {
        let now = self.query("vector(time())", None).await;
        now[0]["value"][1].as_str().unwrap().parse().unwrap()
    }

    /// Waits until this query has a result, and returns it.
    pub(crate) async fn wait_for(&self, query: &str) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let result = self.query(query, None).await;
            if !result.is_empty() {
                return result;
            }
            assert!(
                Instant::now() < deadline,
                "`{query}` has no result in {:?}:\n{}",
                self.kind,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(kind: Kind, directory: &Path, port: u16, arguments: &[String]) -> Child {
    let log = File::create(directory.join("log")).unwrap();
    kind.command(directory, port)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", kind.program().display()))
}

/// The sample workload together with the file of its scrape targets.
pub(crate) struct Shop {
    /// The running instances.
    pub(crate) workload: Workload,
    /// For [`Backend::start`].
    pub(crate) targets_file: PathBuf,
    _directory: TempDir,
}

/// Starts the workload in this process.
pub(crate) fn start_shop(options: Options) -> Shop {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let targets_file = directory.path().join("targets.json");
    let options = Options {
        targets_file: Some(targets_file.clone()),
        ..options
    };
    let workload = Workload::start(&options).expect("loopback has free ports");
    Shop {
        workload,
        targets_file,
        _directory: directory,
    }
}

/// A client without certificate authorities, for plain HTTP on loopback.
pub(crate) fn http_client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    // Another test may have installed it before; there is only one kind.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    reqwest::Client::builder()
        .tls_certs_only([])
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .expect("a client without certificates")
}

/// A port of loopback that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
    listener.local_addr().unwrap().port()
}

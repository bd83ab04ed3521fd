//! The work that is done for every request, over and over, for callgrind to count (`instructions`).
//!
//! All of it is on one thread, without sockets where they are not the point, so that two runs count nearly the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use actix_web::App;
use actix_web::http::header::ACCEPT;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use bytes::Bytes;
use promql_adapter::api::{self, ApiState};
use promql_adapter::config::{self, Configuration};
use promql_adapter::http;
use promql_adapter::model::Timestamp;
use promql_adapter::prometheus::{Backend, Question};
use promql_adapter::server::{Assembled, assemble};
use promql_adapter::telemetry::Metrics;

use crate::load;
use crate::shop::HUNDRED;
use crate::support::certificates::install_crypto;
use crate::support::fake_prometheus::{FakePrometheus, Reply};

/// The first argument that makes this program do the work; the part and how often follow.
pub(crate) const ARGUMENT: &str = "hot-path";

const JSON: &str = "application/json";

/// Samples of an answer that is decoded.
const SAMPLES: usize = 1_000;

/// What is counted.
pub(crate) const PARTS: [Part; 5] = [Part::Warm, Part::Json, Part::Anew, Part::Again, Part::Decode];

/// A part of the work.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// A request that a kept answer answers, from its path to the bytes of its list: match and encode.
    Warm,
    /// The same in JSON.
    Json,
    /// The same request once more, in protobuf and JSON by turns: what it asks is known, and its list is written.
    Anew,
    /// The same request once more, in the same form.
    Again,
    /// A backend asked over HTTP for an answer of a thousand samples.
    Decode,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Warm => "warm",
            Part::Json => "json",
            Part::Anew => "anew",
            Part::Again => "again",
            Part::Decode => "decode",
        }
    }

    /// Does it so many times.
    fn work(self, times: usize) {
        install_crypto();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        match self {
            Part::Warm => runtime.block_on(warm(times, &[load::ACCEPT], each_another)),
            Part::Json => runtime.block_on(warm(times, &[JSON], each_another)),
            Part::Anew => runtime.block_on(warm(times, &[load::ACCEPT, JSON], the_same)),
            Part::Again => runtime.block_on(warm(times, &[load::ACCEPT], the_same)),
            Part::Decode => runtime.block_on(decode(times)),
        }
    }
}

/// Does the work, if the program was started for it.
pub(crate) fn done(arguments: &[String]) -> bool {
    let [first, name, times] = arguments else {
        return false;
    };
    if first != ARGUMENT {
        return false;
    }
    let part = PARTS
        .into_iter()
        .find(|part| part.name() == name)
        .expect("a part");
    part.work(times.parse().expect("how often"));
    true
}

/// Workloads of one namespace: the last of them has all of it asked about, and kept.
const FIRST: usize = 4;

/// A target that was not asked for before, of the same path.
fn each_another(path: &str, time: usize) -> String {
    format!("{path}&time={time}")
}

fn the_same(path: &str, _: usize) -> String {
    path.to_owned()
}

/// `accepts` are sent by turns.
async fn warm(times: usize, accepts: &[&'static str], target: impl Fn(&str, usize) -> String) {
    let prometheus = FakePrometheus::start().await;
    let paths = HUNDRED.paths();
    let first = &paths[..FIRST];
    // The first only tell what will be asked.
    provided(&prometheus, accepts, first).await;
    let samples = samples(HUNDRED.pods * HUNDRED.workloads / HUNDRED.namespaces);
    let asked = prometheus.requests();
    assert_eq!(asked.len(), FIRST);
    for request in &asked {
        prometheus.on(request.parameter("query").unwrap(), vector(&samples));
    }
    let targets = (0..times).map(|time| target(&paths[0], time));
    let targets: Vec<String> = first.iter().cloned().chain(targets).collect();
    let body = provided(&prometheus, accepts, &targets).await;
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("MetricValueList"), "{body}");
    assert_eq!(body.starts_with('{'), accepts.last() == Some(&JSON), "{body}");
    assert_eq!(
        prometheus.requests().len(),
        2 * FIRST,
        "what is kept answers the rest"
    );
}

/// Asks a new adapter, and gives its last answer.
async fn provided(prometheus: &FakePrometheus, accepts: &[&'static str], targets: &[String]) -> Bytes {
    let directory = tempfile::tempdir().unwrap();
    let configuration = configuration(prometheus, directory.path());
    let metrics = Arc::new(Metrics::default());
    let Ok(Assembled { provider, .. }) = assemble(&configuration, None, &metrics).await else {
        panic!("the configuration of the benches is right");
    };
    let state = ApiState::new(provider);
    let app = init_service(App::new().configure(|service| api::configure(service, &state))).await;
    let mut body = Bytes::new();
    for (target, accept) in targets.iter().zip(accepts.iter().cycle()) {
        let request = TestRequest::get().uri(target).insert_header((ACCEPT, *accept));
        body = call_and_read_body(&app, request.to_request()).await;
    }
    body
}

/// Answers stay fresh for as long as the work takes.
fn configuration(prometheus: &FakePrometheus, directory: &Path) -> Configuration {
    let objects = directory.join("objects.yaml");
    fs::write(&objects, HUNDRED.objects()).unwrap();
    let text = format!(
        "freshFor: 1h\nobjectsFile: {}\nbackends: {{default: {{url: '{}'}}}}\n{}",
        objects.display(),
        prometheus.url(),
        HUNDRED.rules()
    );
    let loaded = config::load(&text, "config.yaml", &BTreeMap::new(), &[]);
    let Ok(configuration) = loaded else {
        panic!("the configuration of the benches is right");
    };
    configuration
}

async fn decode(times: usize) {
    let prometheus = FakePrometheus::start().await;
    prometheus.on("up", vector(&samples(SAMPLES)));
    let directory = tempfile::tempdir().unwrap();
    let configuration = configuration(&prometheus, directory.path());
    let config::Backend::Remote(settings) = &configuration.settings.backends["default"] else {
        panic!("it is asked over HTTP");
    };
    let client = http::Client::new(settings, &http::Credentials::default()).unwrap();
    let backend = Backend::new("default", settings, client, Arc::new(Metrics::default()));
    let question = Question {
        query: "up".to_owned(),
        on_partial: config::OnPartial::Refuse,
    };
    for _ in 0..times {
        let answer = backend.instant(&question, Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(answer.samples.len(), SAMPLES);
    }
}

/// Labels and values of the first pods of the shop.
fn samples(count: usize) -> Vec<([(&'static str, String); 2], String)> {
    let pods = HUNDRED.pod_names().take(count).enumerate();
    pods.map(|(number, (namespace, pod, _))| {
        let value = format!("{}.25", number % 97 + 1);
        ([("namespace", namespace), ("pod", pod)], value)
    })
    .collect()
}

fn vector(samples: &[([(&'static str, String); 2], String)]) -> Reply {
    let borrowed: Vec<_> = samples
        .iter()
        .map(|(labels, value)| {
            (
                labels.each_ref().map(|(name, text)| (*name, text.as_str())),
                value,
            )
        })
        .collect();
    let borrowed: Vec<(&[(&str, &str)], &str)> = borrowed
        .iter()
        .map(|(labels, value)| (labels.as_slice(), value.as_str()))
        .collect();
    Reply::vector(&borrowed)
}

//! The run that shows the adapter at work: a sample service under load, and the adapter that answers for it.

mod questions;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::report::{self, Failure};
use crate::config::{
    self, Backend, BackendSettings, Configuration, EmbeddedBackend, EmbeddedSettings, ObjectsFile,
    StaticTarget,
};
use crate::model::Labels;
use crate::server;
use crate::telemetry::logs;
use crate::workload::{Options, Target, Workload};
use questions::Questions;

/// Rules, and the objects that stand in for a cluster.
const CONFIG: (&str, &str) = (
    "config/quickstart.yaml",
    include_str!("../../../config/quickstart.yaml"),
);
const OBJECTS: (&str, &str) = (
    "config/quickstart-objects.yaml",
    include_str!("../../../config/quickstart-objects.yaml"),
);

/// From one scrape of the sample service to the next, and the time for each.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the answers are shown again.
const AGAIN_EVERY: Duration = Duration::from_secs(5);

/// What was typed after `quickstart`.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// Print the answers once and stop.
    #[arg(long)]
    once: bool,
    /// Ask this Prometheus, which has to scrape the sample service, instead of scraping.
    #[arg(long, value_name = "URL")]
    prometheus_url: Option<String>,
    /// Write where the sample service is scraped, as a target file for Prometheus' `file_sd_configs`.
    #[arg(long, value_name = "FILE")]
    targets_file: Option<PathBuf>,
}

/// Shows questions and answers until it is stopped.
pub(super) fn run(words: &Words) -> Result<ExitCode, Failure> {
    logs::init(logs::Format::Text, logs::Level::Warn);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Failed(error.into()))?;
    runtime.block_on(start(words))?;
    Ok(ExitCode::SUCCESS)
}

async fn start(words: &Words) -> Result<(), Failure> {
    let shutdown = server::termination()?;
    let options = Options {
        targets_file: words.targets_file.clone(),
        ..Options::default()
    };
    let workload = Workload::start(&options).map_err(|error| Failure::Failed(error.into()))?;
    let server = server::open(configuration(words, workload.targets())?).await?;
    let address = server
        .http_address()
        .ok_or_else(|| Failure::Failed(anyhow!("the adapter does not listen")))?;
    let stopping = CancellationToken::new();
    let mut running = pin!(server.run(stopping.cancelled()));
    let shown = tokio::select! {
        ended = &mut running => return Ok(ended?),
        shown = show(words, address, workload.targets()) => shown,
        () = shutdown => Ok(()),
    };
    stopping.cancel();
    running.await?;
    workload.stop().await;
    shown
}

/// The rules of the quickstart, with the backend that was asked for.
fn configuration(words: &Words, targets: &[Target]) -> Result<Configuration, Failure> {
    let (name, text) = CONFIG;
    let loaded = config::load(text, name, &BTreeMap::new(), &[]);
    let mut configuration = loaded.map_err(|refused| Failure::Faults(refused.faults))?;
    let (name, text) = OBJECTS;
    configuration.objects = Some(ObjectsFile::parse(text, name).map_err(Failure::Faults)?);
    let settings = &mut configuration.settings;
    settings.serving.secure_port = 0;
    settings.serving.insecure_http_port = Some(0);
    settings.serving.shutdown_delay = Duration::ZERO;
    let backend = match &words.prometheus_url {
        Some(url) => Backend::Remote(BackendSettings::at(url)),
        None => Backend::Embedded(embedded(targets)),
    };
    settings.backends = BTreeMap::from([("default".to_owned(), backend)]);
    Ok(configuration)
}

fn embedded(targets: &[Target]) -> EmbeddedBackend {
    let target = |target: &Target| {
        let labels = Labels::from_iter([
            ("namespace", target.namespace.as_str()),
            ("service", target.service.as_str()),
            ("pod", target.pod.as_str()),
        ]);
        StaticTarget::new(&format!("http://{}/metrics", target.address), labels)
    };
    EmbeddedBackend {
        settings: EmbeddedSettings {
            scrape_interval: SCRAPE_INTERVAL,
            scrape_timeout: SCRAPE_INTERVAL,
            ..EmbeddedSettings::default()
        },
        targets: targets.iter().map(target).collect(),
        annotated_pods: false,
        pods: Vec::new(),
    }
}

/// Prints what is asked and what is answered, once or for as long as it runs.
async fn show(words: &Words, address: SocketAddr, targets: &[Target]) -> Result<(), Failure> {
    report::print(&introduction(words, targets))?;
    let questions = Questions::to(address)?;
    let whole = questions.have_answers().await;
    whole.map_err(|error| Failure::Failed(anyhow!("{error:#}\n  hint: {}", cure(words, targets))))?;
    report::print(&questions.each_with_its_answer().await)?;
    if words.once {
        return Ok(());
    }
    report::print(
        "\nThe load rises and falls in two minutes; ask again in another terminal. Ctrl-C stops.\n\n",
    )?;
    loop {
        sleep(AGAIN_EVERY).await;
        report::print(&format!("{}\n", questions.all_in_a_line().await))?;
    }
}

fn introduction(words: &Words, targets: &[Target]) -> String {
    let pods = targets.len();
    let from = match &words.prometheus_url {
        Some(url) => format!("The adapter asks Prometheus at {url}"),
        None => format!("The adapter scrapes them every {} s", SCRAPE_INTERVAL.as_secs()),
    };
    let (rules, _) = CONFIG;
    format!(
        "{pods} pods of a sample service are under a load that rises and falls.\n\
         {from} and answers as an autoscaler would ask, by the rules of {rules}.\n\
         The first answers come when samples fill the window of the rates.\n"
    )
}

/// What to do where there is no answer.
fn cure(words: &Words, targets: &[Target]) -> String {
    let Some(url) = &words.prometheus_url else {
        return "the log above says what went wrong".to_owned();
    };
    let addresses: Vec<String> = targets.iter().map(|target| target.address.to_string()).collect();
    let addresses = addresses.join(", ");
    format!(
        "Prometheus at {url} has to scrape {addresses} with the labels `namespace`, `service` and `pod`; \
         `--targets-file=FILE` writes them for its `file_sd_configs`"
    )
}

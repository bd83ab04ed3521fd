//! The run that explains one answer.

mod remote;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::flags::ServeFlags;
use super::report::{self, Failure};
use crate::api::{self, Answer, Explanation};
use crate::server::{self, Assembled, assemble, cluster};
use crate::telemetry::{Metrics, logs};

/// What was typed after `explain`.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// The path a client would ask, with its query: `/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/m`.
    #[arg(value_name = "API-PATH")]
    path: String,
    /// Ask this running adapter instead of the configured backend.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// PEM file of the authority of that adapter's certificate.
    #[arg(long, value_name = "FILE", requires = "server")]
    server_ca_file: Option<PathBuf>,
    /// PEM file of a client certificate to show it.
    #[arg(long, value_name = "FILE", requires = "client_key_file")]
    client_certificate_file: Option<PathBuf>,
    /// PEM file of the key of that certificate.
    #[arg(long, value_name = "FILE", requires = "client_certificate_file")]
    client_key_file: Option<PathBuf>,
    /// File of a bearer token to send it.
    #[arg(long, value_name = "FILE", requires = "server")]
    server_token_file: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    flags: ServeFlags,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    /// For a person.
    Text,
    /// One JSON document.
    Json,
}

/// What `explain` takes.
const PATHS: &str = "a path is `/apis/custom.metrics.k8s.io/v1beta2/namespaces/NAMESPACE/pods/*/METRIC`, \
                     `/apis/external.metrics.k8s.io/v1beta1/namespaces/NAMESPACE/METRIC`, \
                     or `/apis/metrics.k8s.io/v1beta1/namespaces/NAMESPACE/pods`";

/// Prints the explanation; 0 if there are values or a policy allows none, 1 if a client would get an error.
pub(super) fn run(words: &Words) -> Result<ExitCode, Failure> {
    logs::init(logs::Format::Text, logs::Level::Info);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Failed(error.into()))?;
    let explanation = runtime.block_on(async {
        match &words.server {
            Some(server) => remote::explanation(server, words).await,
            None => local(words).await,
        }
    })?;
    let text = match words.output {
        Output::Text => text::explained(&explanation),
        Output::Json => {
            serde_json::to_string_pretty(&explanation).map_err(|error| Failure::Failed(error.into()))? + "\n"
        }
    };
    report::print(&text)?;
    Ok(match explanation.answer {
        Answer::Values(_) => ExitCode::SUCCESS,
        Answer::Failure { .. } => ExitCode::FAILURE,
    })
}

/// Answers with the configuration that `serve` would have, by the code that serves.
async fn local(words: &Words) -> Result<Explanation, Failure> {
    let configuration = words.flags.configuration().map_err(Failure::Faults)?;
    let (path, query) = words.path.split_once('?').unwrap_or((&words.path, ""));
    let request = api::path::parse(path, query)
        .map_err(|status| Failure::Wrong(anyhow!("{}: {}\n  hint: {PATHS}", words.path, status.message())))?;
    let cluster = cluster(&configuration).await.map_err(server::Error::from)?;
    let metrics = Arc::new(Metrics::default());
    let Assembled {
        provider,
        objects,
        embedded,
    } = assemble(&configuration, cluster, &metrics).await?;
    for (backend, _) in &embedded {
        let backend = backend.name();
        tracing::warn!(
            %backend,
            "backend {backend} has samples only where it scrapes: ask an adapter that serves, by --server"
        );
    }
    let explaining = async {
        provider.discover_once().await;
        api::explain(&provider, &request, api::Reader::Operator).await
    };
    tokio::select! {
        explanation = explaining => Ok(explanation),
        never = objects.follow() => match never {},
    }
}

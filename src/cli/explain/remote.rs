//! Asks a running adapter for an explanation.

use std::time::Duration;

use anyhow::{Context, anyhow};

use super::Words;
use crate::api::Explanation;
use crate::cli::report::Failure;
use crate::config::{BackendSettings, Method};
use crate::http::{self, Client, Credentials, Request, Verbs};

/// Time for the whole exchange; the adapter answers within its own deadline.
const WITHIN: Duration = Duration::from_secs(30);
/// More than any explanation takes.
const MOST_BYTES: usize = 16 << 20;

pub(super) async fn explanation(server: &str, words: &Words) -> Result<Explanation, Failure> {
    ask(server, words).await.map_err(Failure::Failed)
}

async fn ask(server: &str, words: &Words) -> anyhow::Result<Explanation> {
    let client = Client::new(&settings(server, words), &Credentials::default())?;
    let (path, query) = words.path.split_once('?').unwrap_or((&words.path, ""));
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = format!("/explain{path}");
    let request = Request {
        path: &path,
        parameters: pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect(),
        verbs: Verbs::Get,
        limit_bytes: MOST_BYTES,
    };
    let exchange = async {
        let response = client.slot(WITHIN).await?.send(&request).await?;
        Ok::<_, http::Error>((response.status(), response.bytes().await?))
    };
    let (status, body) = exchange
        .await
        .with_context(|| format!("cannot ask the adapter at {server}"))?;
    if status != 200 {
        let text = String::from_utf8_lossy(&body);
        return Err(anyhow!("the adapter answered {status}: {}", text.trim()));
    }
    serde_json::from_slice(&body).context("the adapter's answer is not an explanation")
}

fn settings(server: &str, words: &Words) -> BackendSettings {
    BackendSettings {
        method: Method::Get,
        ca_file: words.server_ca_file.clone(),
        client_certificate_file: words.client_certificate_file.clone(),
        client_key_file: words.client_key_file.clone(),
        token_file: words.server_token_file.clone(),
        timeout: WITHIN,
        max_concurrent: 1,
        max_answer_bytes: MOST_BYTES,
        ..BackendSettings::at(server)
    }
}

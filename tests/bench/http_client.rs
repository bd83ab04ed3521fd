//! Plain requests, where it does not matter how long they take.

use std::sync::OnceLock;

use tokio::runtime::Runtime;

use crate::support::servers::http_client;

/// The body of an answer that is 200.
pub(crate) fn get(url: &str) -> String {
    try_get(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The body of an answer, or why it is not 200.
pub(crate) fn try_get(url: &str) -> reqwest::Result<String> {
    runtime().block_on(async {
        let answer = client().get(url).send().await?.error_for_status()?;
        answer.text().await
    })
}

fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(http_client)
}

/// Where the clients run that are not measured.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

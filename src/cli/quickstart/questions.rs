//! What the quickstart asks the adapter over HTTP, as any client would, and the answers in human terms.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::cli::report::Failure;
use crate::config::BackendSettings;
use crate::http::{Client, Credentials, Request, Verbs};
use crate::model::Quantity;

/// How long the first answers may take. Two scrapes make a rate.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two tries.
const TRY_EVERY: Duration = Duration::from_millis(200);
/// Time for one exchange; the adapter answers within its own deadline.
const WITHIN: Duration = Duration::from_secs(10);
/// More than any of the answers takes.
const MOST_BYTES: usize = 1 << 20;

/// One question.
struct Question {
    title: &'static str,
    /// In a line beside the others.
    short: &'static str,
    path: &'static str,
    selector: Option<&'static str>,
    /// How many values make the answer whole.
    values: usize,
    /// The value as a person reads it.
    written: fn(f64) -> String,
}

const ALL: [Question; 3] = [
    Question {
        title: "Requests per second, by pod",
        short: "requests per second",
        path: "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/http_requests_per_second",
        selector: Some("app=cart"),
        values: 3,
        written: |value| format!("{value:.1}"),
    },
    Question {
        title: "The duration that 95 of 100 requests to the service stay within",
        short: "95th percentile",
        path: "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/services/cart/http_request_duration_p95_seconds",
        selector: None,
        values: 1,
        written: |value| format!("{:.0} ms", value * 1000.0),
    },
    Question {
        title: "Jobs that wait in the queue `orders`",
        short: "queue",
        path: "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue_depth",
        selector: Some("queue=orders"),
        values: 1,
        written: |value| format!("{value:.0}"),
    },
];

/// The questions, and the adapter they go to.
pub(super) struct Questions {
    address: SocketAddr,
    client: Client,
}

/// Of which object, and how much; no object for an external metric.
type Read = (Option<String>, f64);

impl Questions {
    /// To the adapter that listens here.
    pub(super) fn to(address: SocketAddr) -> Result<Questions, Failure> {
        let settings = BackendSettings::at(&format!("http://{address}"));
        let client = Client::new(&settings, &Credentials::default());
        let client = client.map_err(|error| Failure::Failed(error.into()))?;
        Ok(Questions { address, client })
    }

    /// Waits until each question has a whole answer.
    pub(super) async fn have_answers(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        for question in &ALL {
            while let Err(why) = self.whole_answer(question).await {
                if began.elapsed() > PATIENCE {
                    let after = PATIENCE.as_secs();
                    return Err(why.context(format!("no answer after {after} s: {}", question.title)));
                }
                sleep(TRY_EVERY).await;
            }
        }
        Ok(())
    }

    /// Each question, how to ask it, and what is answered now.
    pub(super) async fn each_with_its_answer(&self) -> String {
        let mut text = String::new();
        for question in &ALL {
            text += &format!("\n{}\n  curl -s '{}'\n", question.title, self.url(question));
            match self.ask(question).await {
                Ok(answer) => text.extend(answer.iter().map(|(of, value)| {
                    let of = of.as_ref().map_or_else(String::new, |of| format!("{of}  "));
                    format!("  → {of}{}\n", (question.written)(*value))
                })),
                Err(why) => text += &format!("  → {why:#}\n"),
            }
        }
        text
    }

    /// What is answered now, or why nothing is.
    pub(super) async fn all_in_a_line(&self) -> String {
        let mut parts = Vec::new();
        for question in &ALL {
            let answer = match self.ask(question).await {
                Ok(answer) => {
                    let values = answer.iter().map(|(_, value)| (question.written)(*value));
                    values.collect::<Vec<_>>().join(" ")
                }
                Err(error) => format!("{error:#}"),
            };
            parts.push(format!("{} {answer}", question.short));
        }
        parts.join("   ")
    }

    async fn whole_answer(&self, question: &Question) -> anyhow::Result<()> {
        let count = self.ask(question).await?.len();
        match count == question.values {
            true => Ok(()),
            false => Err(anyhow!("{count} of {} values", question.values)),
        }
    }

    async fn ask(&self, question: &Question) -> anyhow::Result<Vec<Read>> {
        let selector = question.selector.map(str::to_owned);
        let request = Request {
            path: question.path,
            parameters: selector
                .map(|selector| ("labelSelector", selector))
                .into_iter()
                .collect(),
            verbs: Verbs::Get,
            limit_bytes: MOST_BYTES,
        };
        let response = self.client.slot(WITHIN).await?.send(&request).await?;
        let status = response.status();
        let body: Value = serde_json::from_slice(&response.bytes().await?)
            .with_context(|| format!("the adapter answered {status} with what is not JSON"))?;
        match status {
            200 => values(&body),
            _ => Err(anyhow!(
                "{}",
                body["message"].as_str().unwrap_or_default().to_owned()
            )),
        }
    }

    fn url(&self, question: &Question) -> String {
        let selector = question.selector.map_or_else(String::new, |selector| {
            let selector = form_urlencoded::byte_serialize(selector.as_bytes()).collect::<String>();
            format!("?labelSelector={selector}")
        });
        format!("http://{}{}{selector}", self.address, question.path)
    }
}

/// The values of a list of either API.
fn values(list: &Value) -> anyhow::Result<Vec<Read>> {
    let items = list["items"].as_array().context("the answer has no items")?;
    let read = |item: &Value| {
        let of = item["describedObject"]["name"].as_str().map(str::to_owned);
        let value = item["value"].as_str().context("an item has no value")?;
        let value: Quantity = value.parse()?;
        Ok((of, value.milli() as f64 / 1000.0))
    };
    items.iter().map(read).collect()
}

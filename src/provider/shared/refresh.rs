//! Asks in the background for what is asked for again and again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::Topic;
use super::kept::Kept;
use super::plan::{Form, Job, taken_apart};
use crate::model::chain;
use crate::prometheus::{Backend, Error, Question};
use crate::provider::{Provider, now};
use crate::rules::{QueryFault, WideQuery};
use crate::telemetry::{BackendOutcome, RefreshForm};

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(250);

/// Questions under way at once to each backend; the others of its concurrent queries are left to requests.
const AT_ONCE: usize = 4;

/// Longest query with the names of objects in it; beyond that all objects are asked about, if that is as good.
/// VictoriaMetrics takes 16 KiB.
pub(super) const LONGEST_BYTES: usize = 12 << 10;

impl Provider {
    /// Refreshes answers before they go stale, for as long as the process lives.
    ///
    /// Each backend has its own turn: one that hangs holds up no rule of another.
    pub async fn refresh(&self) -> Infallible {
        let backends = self.sources.backends.iter();
        join_all(backends.map(|(name, backend)| self.refresh_from(name, backend))).await;
        // Without a backend there is nothing to refresh.
        std::future::pending().await
    }

    async fn refresh_from(&self, name: &str, backend: &Backend) -> Infallible {
        let mut under_way = FuturesUnordered::new();
        let mut waiting = std::collections::VecDeque::new();
        loop {
            waiting.extend(self.shared.take_due(name, now()));
            while under_way.len() < AT_ONCE
                && let Some(job) = waiting.pop_front()
            {
                under_way.push(self.ask_again(backend, job));
            }
            tokio::select! {
                Some(()) = under_way.next() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn ask_again(&self, backend: &Backend, job: Job) {
        let at = self.sources.ages.evaluation_time(now());
        let (form, query) = match rendered(&job) {
            Ok(rendered) => rendered,
            // Its rule could render it for the request, but not for all objects of all requests together.
            Err(_) => return self.shared.give_up(&job.keys),
        };
        let question = Question {
            query: query.text().to_owned(),
            on_partial: job.topic.rule().policies.on_partial,
        };
        match backend.instant(&question, at).await {
            Ok(answer) => {
                let brought = match (query, &job.form) {
                    (Rendered::Wide(wide), _) => taken_apart(answer, &wide, &job.keys),
                    (Rendered::Narrow(_), Form::Narrow { names, is_wide }) => {
                        let label = job.topic.object_label().filter(|_| *is_wide).map(str::to_owned);
                        let kept = Kept::narrow(answer, names.clone(), label);
                        job.keys.iter().cloned().zip([kept]).collect()
                    }
                    (Rendered::Narrow(_), Form::Wide) => Vec::new(),
                };
                self.sources.metrics.refreshed(form, BackendOutcome::Success);
                self.shared.landed(brought, matches!(job.form, Form::Wide), now());
            }
            Err(error) => {
                self.sources.metrics.refreshed(form, error.outcome());
                self.not_refreshed(&job, &question, error);
            }
        }
    }

    fn not_refreshed(&self, job: &Job, question: &Question, error: Error) {
        let rule = job.topic.rule().key();
        let is_to_be_narrow = matches!(job.form, Form::Wide) && is_of_the_question(&error);
        let query: String = question.query.chars().take(1024).collect();
        let error = Arc::new(error);
        if is_to_be_narrow {
            tracing::warn!(
                rule,
                query,
                error = chain(&*error),
                "{rule}: {} namespaces are asked about one by one, since the question about all failed",
                job.keys.len()
            );
        } else {
            tracing::warn!(rule, query, error = chain(&*error), "{rule}: a refresh failed");
        }
        self.shared.failed(&job.keys, &error, is_to_be_narrow, now());
    }
}

/// A question as it is sent.
enum Rendered {
    Wide(WideQuery),
    Narrow(String),
}

impl Rendered {
    fn text(&self) -> &str {
        match self {
            Rendered::Wide(wide) => &wide.text,
            Rendered::Narrow(text) => text,
        }
    }
}

fn rendered(job: &Job) -> Result<(RefreshForm, Rendered), QueryFault> {
    let namespaces = || -> Vec<String> { job.keys.iter().filter_map(|key| key.namespace.clone()).collect() };
    match &job.form {
        Form::Wide => {
            let wide = job.topic.wide(&namespaces()).ok_or(QueryFault::Empty)?;
            Ok((RefreshForm::Shared, Rendered::Wide(wide)))
        }
        Form::Narrow { names, .. } => {
            let query = narrow_or_all(&job.topic, namespaces().first().map(String::as_str), names)?;
            Ok((RefreshForm::Narrow, query))
        }
    }
}

/// The query about some objects of a namespace, or about all of them if their names make it too long.
fn narrow_or_all(topic: &Topic, namespace: Option<&str>, names: &[String]) -> Result<Rendered, QueryFault> {
    let narrow = topic.narrow(namespace, names)?;
    if narrow.len() > LONGEST_BYTES
        && let Some(wide) = topic.all_of(namespace)
    {
        return Ok(Rendered::Wide(wide));
    }
    Ok(Rendered::Narrow(narrow))
}

/// Whether another question might succeed where this one failed, for it is about fewer namespaces.
fn is_of_the_question(error: &Error) -> bool {
    match error {
        Error::TimedOut(_) | Error::Rejected { .. } | Error::Malformed { .. } | Error::TooLarge { .. } => {
            true
        }
        Error::Unreachable(_)
        | Error::Overloaded { .. }
        | Error::Unauthorized { .. }
        | Error::Failed { .. }
        | Error::Partial { .. } => false,
    }
}

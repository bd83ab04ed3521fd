//! Asks in the background for what is asked for again and again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

use super::Topic;
use super::kept::{Kept, all_parts};
use super::landing::taken_apart;
use super::plan::{Form, Job};
use super::slot::Blame;
use super::topic::Narrow;
use crate::model::{ObjectNames, chain};
use crate::prometheus::{Answer, Asked, Error, Question};
use crate::provider::{Backend, Provider, now};
use crate::rules::{QueryFault, WideQuery};
use crate::telemetry::{BackendOutcome, RefreshForm};

/// How often it is looked what is due.
const TICK: Duration = Duration::from_millis(250);

/// Questions under way at once to each backend; the others of its concurrent queries are left to requests.
const AT_ONCE: usize = 4;

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
        let mut waiting: VecDeque<Job> = VecDeque::new();
        let mut hurry = self.shared.hurry.subscribe();
        loop {
            for job in self.shared.take_due(name, now()) {
                line_up(&mut waiting, job);
            }
            while under_way.len() < AT_ONCE
                && let Some(job) = waiting.pop_front()
            {
                under_way.push(self.ask_again(backend, job));
            }
            let ended = tokio::select! {
                Some(ended) = under_way.next() => ended,
                () = tokio::time::sleep(TICK) => Ok(()),
                _ = hurry.changed() => Ok(()),
            };
            // A backend that answers nobody is not asked the rest, and the log has it once.
            if let Err(error) = ended {
                for job in waiting.drain(..) {
                    self.shared.failed(&job, &error, Blame::Backend, now());
                }
            }
        }
    }

    /// Asks one question. The error is one that others to the same backend would meet too.
    async fn ask_again(&self, backend: &Backend, job: Job) -> Result<(), Arc<Error>> {
        let Ok(rendered) = Rendered::new(&job) else {
            // Its rule could render it for each request, but not for the objects of all requests together.
            self.shared.give_up(&job, now());
            return Ok(());
        };
        let question = Question {
            query: rendered.text().to_owned(),
            on_partial: job.topic.rule().policies.on_partial,
        };
        let form = match job.form {
            Form::Wide | Form::All => RefreshForm::Shared,
            Form::Narrow { .. } => RefreshForm::Narrow,
        };
        let at = self.sources.ages.evaluation_time(now());
        match backend.instant(&question, at).await {
            Ok(answer) => {
                self.sources.metrics.refreshed(form, BackendOutcome::Success);
                self.landed(rendered, answer, &job);
                Ok(())
            }
            Err(error) => {
                self.sources.metrics.refreshed(form, error.outcome());
                self.not_refreshed(&job, &question, error)
            }
        }
    }

    fn landed(&self, rendered: Rendered, answer: Answer, job: &Job) {
        let is_wide = matches!(job.form, Form::Wide);
        match (&job.form, rendered) {
            (Form::All, Rendered::Wide(wide)) => match all_parts(&answer, &wide) {
                Some(all) => self.shared.landed_all(job, all, now()),
                None => self.shared.give_up(job, now()),
            },
            (_, Rendered::Wide(wide)) => {
                let brought = taken_apart(&answer, &wide, &job.keys);
                self.shared.landed(brought, is_wide, now());
            }
            (_, Rendered::Narrow { names, label, .. }) => {
                let kept = Kept::narrow(answer, names, label);
                let brought = job.keys.iter().cloned().zip([kept]);
                self.shared.landed(brought.collect(), is_wide, now());
            }
        }
    }

    fn not_refreshed(&self, job: &Job, question: &Question, error: Error) -> Result<(), Arc<Error>> {
        let rule = job.topic.rule().key();
        let blame = match job.form {
            Form::Wide | Form::All => blame(&error),
            Form::Narrow { .. } => Blame::Backend,
        };
        let then = match (&job.form, blame) {
            (_, Blame::Backend) | (Form::Wide | Form::Narrow { .. }, Blame::Either) => "",
            (Form::All, _) => ", so that not all namespaces are asked about at once for a while",
            (Form::Wide | Form::Narrow { .. }, Blame::Question) => {
                ", so its namespaces are asked about one by one"
            }
        };
        let query = question.logged();
        let (error, namespaces) = (Arc::new(error), job.keys.len());
        let cause = chain(&*error);
        match &*error {
            // As it has to be after a start, for every question.
            Error::TooYoung { .. } => tracing::debug!(rule, query, "{rule}: not refreshed yet: {cause}"),
            _ => tracing::warn!(
                rule,
                query,
                namespaces,
                error = cause,
                "{rule}: an answer could not be refreshed{then}"
            ),
        }
        self.shared.failed(job, &error, blame, now());
        match is_of_all(&error) {
            true => Err(error),
            false => Ok(()),
        }
    }
}

/// Questions about all namespaces go before the others, for somebody waits for them, and who has waited longest is first.
fn line_up(waiting: &mut VecDeque<Job>, job: Job) {
    let is_all = |job: &Job| matches!(job.form, Form::All);
    let place = match is_all(&job) {
        true => waiting.partition_point(is_all),
        false => waiting.len(),
    };
    waiting.insert(place, job);
}

/// A question as it is sent.
enum Rendered {
    Wide(WideQuery),
    /// With the objects in it, and the label that tells them apart if there is one that does.
    Narrow {
        text: String,
        names: ObjectNames,
        label: Option<String>,
    },
}

impl Rendered {
    fn new(job: &Job) -> Result<Rendered, QueryFault> {
        let namespaces: Vec<String> = job.keys.iter().filter_map(|key| key.namespace.clone()).collect();
        match &job.form {
            Form::Wide => {
                let wide = job.topic.wide(&namespaces);
                wide.map(Rendered::Wide).ok_or(QueryFault::Empty)
            }
            Form::All => {
                let all = job.topic.wide(&[]);
                all.map(Rendered::Wide).ok_or(QueryFault::Empty)
            }
            Form::Narrow { names, is_wide } => {
                let namespace = namespaces.first().map(String::as_str);
                Rendered::narrow(&job.topic, namespace, names.as_ref(), *is_wide)
            }
        }
    }

    /// About some objects of a namespace, or about all if they are not known or make the query too long.
    fn narrow(
        topic: &Topic,
        namespace: Option<&str>,
        names: Option<&ObjectNames>,
        is_wide: bool,
    ) -> Result<Rendered, QueryFault> {
        let Some(names) = names else {
            let all = topic.all_of(namespace);
            return all.map(Rendered::Wide).ok_or(QueryFault::Empty);
        };
        Ok(match topic.asked(namespace, names)? {
            Narrow::AllObjects(all) => Rendered::Wide(all),
            Narrow::Objects(text) => Rendered::Narrow {
                text,
                names: names.clone(),
                label: topic.object_label().filter(|_| is_wide).map(str::to_owned),
            },
        })
    }

    fn text(&self) -> &str {
        match self {
            Rendered::Wide(wide) => &wide.text,
            Rendered::Narrow { text, .. } => text,
        }
    }
}

/// What the failure of a wide question is put down to.
fn blame(error: &Error) -> Blame {
    match error {
        Error::Rejected { .. } | Error::Malformed { .. } | Error::TooLarge { .. } => Blame::Question,
        Error::TimedOut(_) | Error::Overloaded { .. } | Error::Failed { .. } | Error::Partial { .. } => {
            Blame::Either
        }
        Error::Unreachable(_) | Error::Unauthorized { .. } | Error::TooYoung { .. } => Blame::Backend,
    }
}

/// Whether any other question to the backend would fail too.
fn is_of_all(error: &Error) -> bool {
    match error {
        Error::Unreachable(_) | Error::Unauthorized { .. } | Error::Overloaded { .. } => true,
        Error::TimedOut(_)
        | Error::Rejected { .. }
        | Error::TooYoung { .. }
        | Error::Malformed { .. }
        | Error::TooLarge { .. }
        | Error::Failed { .. }
        | Error::Partial { .. } => false,
    }
}

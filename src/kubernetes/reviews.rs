//! Asks the cluster whose a token is and what somebody may do.
//!
//! Verdicts are kept for a while, and who asks the same at the same time shares one review.
//! What could not be decided is not kept.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::Cluster;
use super::ask::{AskError, Permission, ask};
use crate::model::{Action, User, chain};
use crate::telemetry::{Metrics, Review, ReviewOutcome};

/// Most that is kept of either kind of verdict, in bytes as we reckon them; the least used go first.
/// Callers choose what they ask for, and who is nobody may ask too.
const MOST_KEPT_BYTES: u64 = 8 << 20;

/// What a verdict takes beside the texts of its question.
const VERDICT_BYTES: usize = 256;

/// How long to wait before a review is sent again whose connection broke: often it was only an old one.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long verdicts are kept.
#[derive(Clone, Copy, Debug)]
pub struct KeptFor {
    /// Whose a token is, or that it is nobody's.
    pub token: Duration,
    /// That somebody may.
    pub allowed: Duration,
    /// That somebody may not.
    pub denied: Duration,
}

/// Whether somebody may do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, in the words of the cluster; often empty.
    pub reason: String,
}

/// Asks a cluster, and keeps what it says.
///
/// Its questions are in boxes, or each request, of which few have to be asked about, would carry the room for them.
#[derive(Debug)]
pub struct Reviews {
    tokens: Tokens,
    permissions: Permissions,
}

impl Reviews {
    /// Reviews by these clusters, which are usually the same.
    pub fn new(
        authentication: &Cluster,
        authorization: &Cluster,
        kept_for: KeptFor,
        metrics: &Arc<Metrics>,
    ) -> Reviews {
        Reviews {
            tokens: Tokens {
                api: Api::all(authentication.client()),
                known: Cache::builder()
                    .weigher(|_, user: &Option<Arc<User>>| weight(user.as_deref().map_or(0, user_bytes)))
                    .max_capacity(MOST_KEPT_BYTES)
                    .time_to_live(kept_for.token)
                    .build(),
                log: Log::new(Review::Token, metrics),
            },
            permissions: Permissions {
                api: Api::all(authorization.client()),
                known: Cache::builder()
                    .weigher(|(user, action): &Question, verdict: &Verdict| {
                        weight(user_bytes(user) + action_bytes(action) + verdict.reason.len())
                    })
                    .max_capacity(MOST_KEPT_BYTES)
                    .expire_after(kept_for)
                    .build(),
                log: Log::new(Review::Permission, metrics),
            },
        }
    }

    /// Whose token it is; `None` if it is nobody's, or no longer.
    pub async fn user_of(&self, token: &str) -> Result<Option<Arc<User>>, Arc<AskError>> {
        // The token itself is not kept.
        let key: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.tokens.known.get(&key).await {
            return Ok(known);
        }
        let review = self.tokens.review(token);
        Box::pin(self.tokens.known.try_get_with(key, review)).await
    }

    /// Whether this user may do this.
    pub async fn verdict(&self, question: &Question) -> Result<Verdict, Arc<AskError>> {
        if let Some(known) = self.permissions.known.get(question).await {
            return Ok(known);
        }
        let review = self.permissions.review(question);
        Box::pin(self.permissions.known.try_get_with_by_ref(question, review)).await
    }
}

/// Who wants to do what.
pub type Question = (Arc<User>, Action);

#[derive(Debug)]
struct Tokens {
    api: Api<TokenReview>,
    known: Cache<[u8; 32], Option<Arc<User>>>,
    log: Log,
}

impl Tokens {
    async fn review(&self, token: &str) -> Result<Option<Arc<User>>, AskError> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: Some(token.to_owned()),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let what = "ask whose a token is";
        let answer = twice(what, permission("authentication.k8s.io", "tokenreviews"), || {
            self.api.create(&POST, &review)
        });
        let status = answer.await.map(|answer| answer.status.unwrap_or_default());
        let user = status.map(|status| {
            let refused = status.error.is_some_and(|error| !error.is_empty());
            let known = status.authenticated == Some(true) && !refused;
            known.then(|| Arc::new(user(status.user.unwrap_or_default())))
        });
        self.log.end(user, Option::is_some)
    }
}

#[derive(Debug)]
struct Permissions {
    api: Api<SubjectAccessReview>,
    known: Cache<Question, Verdict>,
    log: Log,
}

impl Permissions {
    async fn review(&self, (user, action): &Question) -> Result<Verdict, AskError> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(user.name.clone()),
                uid: Some(user.uid.clone()).filter(|uid| !uid.is_empty()),
                groups: Some(user.groups.clone()),
                extra: Some(user.extra.clone()).filter(|extra| !extra.is_empty()),
                ..attributes(action)
            },
            ..SubjectAccessReview::default()
        };
        let what = "ask what somebody may do";
        let answer = twice(
            what,
            permission("authorization.k8s.io", "subjectaccessreviews"),
            || self.api.create(&POST, &review),
        );
        let status = answer.await.map(|answer| answer.status.unwrap_or_default());
        let verdict = status.map(|status| Verdict {
            // What is denied outright is denied whatever else is said.
            allowed: status.allowed && status.denied != Some(true),
            reason: status.reason.unwrap_or_default(),
        });
        self.log.end(verdict, |verdict| verdict.allowed)
    }
}

fn user(info: UserInfo) -> User {
    User {
        name: info.username.unwrap_or_default(),
        uid: info.uid.unwrap_or_default(),
        groups: info.groups.unwrap_or_default(),
        extra: info.extra.unwrap_or_default(),
    }
}

fn attributes(action: &Action) -> SubjectAccessReviewSpec {
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    match action {
        Action::Path { path, verb } => SubjectAccessReviewSpec {
            non_resource_attributes: Some(NonResourceAttributes {
                path: text(path),
                verb: text(verb),
            }),
            ..SubjectAccessReviewSpec::default()
        },
        Action::Resource(action) => SubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: text(&action.verb),
                group: text(&action.group),
                version: text(&action.version),
                namespace: text(&action.namespace),
                resource: text(&action.resource),
                subresource: text(&action.subresource),
                name: text(&action.name),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
    }
}

const POST: PostParams = PostParams {
    dry_run: false,
    field_manager: None,
};

/// Sends a review, and once more if it did not reach the cluster.
async fn twice<T, F>(what: &str, permission: Permission, send: impl Fn() -> F) -> Result<T, AskError>
where
    F: Future<Output = Result<T, kube::Error>>,
{
    let what = || what.to_owned();
    match ask(what, &permission, send()).await {
        Err(AskError::Unreachable { .. }) => {
            sleep(AGAIN_AFTER).await;
            ask(what, &permission, send()).await
        }
        answer => answer,
    }
}

/// The ClusterRole `system:auth-delegator` has it.
fn permission(group: &str, resource: &str) -> Permission {
    Permission {
        role: "ClusterRole".to_owned(),
        rule: format!("{{apiGroups: [{group}], resources: [{resource}], verbs: [create]}}"),
    }
}

impl Expiry<Question, Verdict> for KeptFor {
    fn expire_after_create(&self, _: &Question, verdict: &Verdict, _: Instant) -> Option<Duration> {
        Some(if verdict.allowed {
            self.allowed
        } else {
            self.denied
        })
    }
}

fn weight(bytes: usize) -> u32 {
    u32::try_from(VERDICT_BYTES + bytes).unwrap_or(u32::MAX)
}

fn user_bytes(user: &User) -> usize {
    let texts = user.groups.iter().chain(user.extra.values().flatten());
    let keys: usize = user.extra.keys().map(String::len).sum();
    user.name.len()
        + user.uid.len()
        + keys
        + texts.map(|text| text.len() + size_of::<String>()).sum::<usize>()
}

fn action_bytes(action: &Action) -> usize {
    match action {
        Action::Path { path, verb } => path.len() + verb.len(),
        Action::Resource(action) => {
            let texts = [
                &action.namespace,
                &action.resource,
                &action.subresource,
                &action.name,
            ];
            texts.map(String::len).iter().sum()
        }
    }
}

/// Tells how reviews end; each cause of failure once.
#[derive(Debug)]
struct Log {
    kind: Review,
    metrics: Arc<Metrics>,
    failed: Mutex<Option<String>>,
}

impl Log {
    fn new(kind: Review, metrics: &Arc<Metrics>) -> Log {
        Log {
            kind,
            metrics: metrics.clone(),
            failed: Mutex::default(),
        }
    }

    fn end<T>(&self, result: Result<T, AskError>, is_yes: impl Fn(&T) -> bool) -> Result<T, AskError> {
        let outcome = match &result {
            Ok(answer) if is_yes(answer) => ReviewOutcome::Allowed,
            Ok(_) => ReviewOutcome::Denied,
            Err(_) => ReviewOutcome::Failed,
        };
        self.metrics.review(self.kind, outcome);
        let cause = result.as_ref().err().map(|error| chain(error));
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match (&cause, &*failed) {
            (Some(now), before) if before.as_ref() != Some(now) => tracing::warn!("{now}"),
            (None, Some(_)) => tracing::info!("reviews of a {} are answered again", self.kind.label()),
            _ => {}
        }
        *failed = cause;
        result
    }
}

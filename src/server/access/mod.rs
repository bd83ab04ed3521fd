//! Who may ask.
//!
//! Who it is say, in this order, a front proxy with a certificate of its authority (`front_proxy`), a client
//! certificate (`clients`), a bearer token; else it is nobody. What somebody may do is asked of the cluster.
//! Source: apiserver, `pkg/authentication/authenticatorfactory/delegating.go` and
//! `pkg/authorization/authorizerfactory/delegating.go`, 1.36.

mod clients;
mod connection;
mod front_proxy;
mod open;
mod paths;

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};

pub(super) use connection::keep_shown;
pub(super) use open::open;

use self::clients::Clients;
use self::front_proxy::FrontProxies;
use self::paths::OpenPaths;
use super::probes;
use crate::api::{Status, action};
use crate::kubernetes::Reviews;
use crate::model::{Action, User};

/// The group of all whose name is known. Source: apiserver, `pkg/authentication/user/user.go`.
const AUTHENTICATED: &str = "system:authenticated";
/// Who may do everything, without asking.
const MASTERS: &str = "system:masters";
/// The name and the group of those whose name is not known.
const ANONYMOUS: (&str, &str) = ("system:anonymous", "system:unauthenticated");

/// Decides who may ask.
#[derive(Debug)]
pub(crate) enum Access {
    /// Whoever reaches the listener, which is on loopback.
    Everybody,
    /// Whoever shows a certificate that is trusted; there is no cluster to ask for more.
    Known(Trust),
    /// Whom the cluster lets.
    Permitted {
        trust: Trust,
        reviews: Arc<Reviews>,
        open_paths: OpenPaths,
    },
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    clients: Arc<Clients>,
    front_proxies: Arc<FrontProxies>,
}

/// What one way of saying who it is comes to.
enum Said<T> {
    /// Who it is.
    Known(T),
    /// It says nothing.
    Nothing,
    /// It says what is not believed.
    Refused,
}

/// Who asks.
enum Caller {
    /// Whom kube-apiserver has let do this already.
    Proxied(Arc<User>),
    /// Who came here directly.
    Direct(Arc<User>),
    /// It is not known.
    Nobody,
}

impl Access {
    /// Lets a request pass or says why not. `who` is set as soon as it is known who asks.
    pub(super) async fn admit(
        &self,
        request: &HttpRequest,
        who: &mut Option<Arc<User>>,
    ) -> Result<(), Status> {
        if probes::is_probe(request.path()) {
            return Ok(());
        }
        match self {
            Access::Everybody => Ok(()),
            Access::Known(trust) => match trust.caller(request, None).await? {
                Caller::Proxied(user) | Caller::Direct(user) => {
                    *who = Some(user);
                    Ok(())
                }
                Caller::Nobody => Err(Status::unauthorized()),
            },
            Access::Permitted {
                trust,
                reviews,
                open_paths,
            } => {
                let action = action(request.method().as_str(), request.path(), request.query_string());
                if open_paths.have(&action) {
                    return Ok(());
                }
                let caller = trust.caller(request, Some(reviews)).await?;
                permit(reviews, caller, action, who).await
            }
        }
    }
}

impl Trust {
    /// Who asks. Whoever says who it is and is not believed is refused, unless another way says it too.
    async fn caller(&self, request: &HttpRequest, reviews: Option<&Reviews>) -> Result<Caller, Status> {
        let mut is_refused = false;
        match self.front_proxies.user(request) {
            Said::Known(user) => return Ok(Caller::Proxied(Arc::new(authenticated(user)))),
            Said::Nothing => {}
            Said::Refused => is_refused = true,
        }
        match self.clients.user(request) {
            Said::Known(user) => return Ok(Caller::Direct(user)),
            Said::Nothing => {}
            Said::Refused => is_refused = true,
        }
        if let Some((token, reviews)) = bearer(request.headers()).zip(reviews) {
            let user = reviews.user_of(token).await;
            // Why is in the log; it may name the address of the cluster.
            match user.map_err(|_| Status::internal("the cluster cannot be asked whose the token is"))? {
                Some(user) => return Ok(Caller::Direct(Arc::new(authenticated(User::clone(&user))))),
                None => is_refused = true,
            }
        }
        match is_refused {
            true => Err(Status::unauthorized()),
            false => Ok(Caller::Nobody),
        }
    }
}

/// Asks whether the caller may do this.
async fn permit(
    reviews: &Reviews,
    caller: Caller,
    action: Action,
    who: &mut Option<Arc<User>>,
) -> Result<(), Status> {
    let (user, wide) = match caller {
        // Asked once for all that such a user asks. What is left out is only what kube-apiserver asked a moment ago.
        Caller::Proxied(user) => (user, action.with_whole_group()),
        Caller::Direct(user) => (user, None),
        Caller::Nobody => (Arc::new(anonymous()), None),
    };
    *who = Some(Arc::clone(&user));
    if user.groups.iter().any(|group| group == MASTERS) {
        return Ok(());
    }
    let unknown = |_| Status::internal("the cluster cannot be asked who may do this");
    let mut question = (user, action);
    if let Some(wide) = wide {
        let exact = std::mem::replace(&mut question.1, wide);
        if reviews.verdict(&question).await.map_err(unknown)?.allowed {
            return Ok(());
        }
        question.1 = exact;
    }
    let verdict = reviews.verdict(&question).await.map_err(unknown)?;
    match verdict.allowed {
        true => Ok(()),
        false => Err(Status::forbidden(&question.0.name, &question.1, &verdict.reason)),
    }
}

fn authenticated(mut user: User) -> User {
    let (anonymous, _) = ANONYMOUS;
    if user.name != anonymous && !user.groups.iter().any(|group| group == AUTHENTICATED) {
        user.groups.push(AUTHENTICATED.to_owned());
    }
    user
}

fn anonymous() -> User {
    let (name, group) = ANONYMOUS;
    User {
        name: name.to_owned(),
        groups: vec![group.to_owned()],
        ..User::default()
    }
}

/// The token of a request. Source: apiserver, `pkg/authentication/request/bearertoken/bearertoken.go`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut words = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split(' ');
    let scheme = words.next()?;
    let token = words.next().filter(|token| !token.is_empty())?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request allocates and moves it.
    #[test]
    fn future_of_a_request_has_no_room_for_reviews() {
        fn size_bytes<A, B, C, F>(_: impl FnOnce(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = size_bytes(Access::admit);
        assert!(bytes <= 3 << 10, "{bytes}");
    }
}

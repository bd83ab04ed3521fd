//! What every request passes: the limits, the deadline, who may ask, and the log line at its end.

use std::any::Any;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::{debug, error, info};

use super::access::Access;
use super::compression::compressed;
use super::plan::Limits;
use super::probes;
use super::readiness::Condition;
use super::room::Room;
use crate::api::{self, Status};
use crate::model::User;
use crate::telemetry::Metrics;

/// The route of requests for which there is none.
const NO_ROUTE: &str = "unknown";

/// How much of a request's target is logged.
const LOGGED_CHARACTERS: usize = 1024;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What the gate goes by, shared by all workers.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) access: Access,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) room: Room,
    /// Unmet once the adapter is about to stop.
    pub(crate) alive: Condition,
}

/// The one middleware.
pub(crate) async fn pass(
    gate: web::Data<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut visit = Visit::begin(&request);
    let audit_id = request.headers().get(AUDIT_ID).cloned();
    match gate.answer(request, next, &mut visit.user).await {
        Ok(mut response) => {
            finish_headers(response.headers_mut(), audit_id);
            gate.finish_connection(response.response_mut().head_mut());
            visit.end(&gate.metrics, response.status().as_u16());
            Ok(compressed(response))
        }
        Err(cause) => {
            let mut response = cause.error_response();
            finish_headers(response.headers_mut(), audit_id);
            gate.finish_connection(response.head_mut());
            visit.end(&gate.metrics, response.status().as_u16());
            Err(InternalError::from_response(cause, response).into())
        }
    }
}

impl Gate {
    async fn answer<B: MessageBody + 'static>(
        &self,
        request: ServiceRequest,
        next: Next<B>,
        user: &mut Option<Arc<User>>,
    ) -> Result<ServiceResponse<B>, Error> {
        let probe = probes::is_probe(request.path());
        self.limits.check(&request)?;
        // Probes have no place in the room: a full adapter is alive, and restarting it would not help.
        let place = if probe { None } else { Some(self.room.enter()?) };
        let answer = AssertUnwindSafe(async {
            self.access.admit(request.request(), user).await?;
            next.call(request).await
        });
        let answer = timeout(self.limits.request_timeout, answer.catch_unwind()).await;
        drop(place);
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => {
                error!("a request made the adapter panic: {}", said(&*panic));
                let message = "the request made the adapter panic, its log says where";
                Err(Status::internal(message).into())
            }
            Err(_) => Err(Status::timeout().into()),
        }
    }
}

impl Gate {
    /// Before the stop each connection ends with an answer, so that none is cut when a request is on its way in.
    ///
    /// It is said over HTTP/1 only: for HTTP/2 the HTTP library cannot say it (actix-web #3169).
    fn finish_connection(&self, head: &mut ResponseHead) {
        if !self.alive.is_met() {
            head.set_connection_type(ConnectionType::Close);
        }
    }
}

impl Limits {
    /// Checks the size of headers and body.
    fn check(&self, request: &ServiceRequest) -> Result<(), Status> {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len());
        if target(request).len() + headers.sum::<usize>() > self.max_header_bytes {
            return Err(Status::headers_too_large());
        }
        let length = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        // A body in chunks says its length only at the end. No route reads one, and no client of these APIs sends one.
        let is_chunked = length.is_none() && matches!(request.parts().1, Payload::H1 { .. });
        if is_chunked || length.unwrap_or(0) > self.max_body_bytes {
            return Err(Status::body_too_large());
        }
        Ok(())
    }
}

/// Path and query.
fn target(request: &ServiceRequest) -> &str {
    request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str())
}

/// What a panic said.
fn said(panic: &dyn Any) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("nothing")
}

/// Headers that every answer has.
fn finish_headers(headers: &mut HeaderMap, audit_id: Option<HeaderValue>) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    }
    if let Some(id) = audit_id {
        headers.insert(AUDIT_ID, id);
    }
}

/// What is said about a request at its end.
struct Visit {
    began: Instant,
    method: Method,
    target: Option<PathAndQuery>,
    route: Cow<'static, str>,
    probe: bool,
    /// `None` while it is not known who asks.
    user: Option<Arc<User>>,
}

impl Visit {
    fn begin(request: &ServiceRequest) -> Self {
        Self {
            began: Instant::now(),
            method: request.method().clone(),
            target: request.uri().path_and_query().cloned(),
            route: route(request),
            probe: probes::is_probe(request.path()),
            user: None,
        }
    }

    fn end(&self, metrics: &Metrics, code: u16) {
        let took = self.began.elapsed();
        metrics.http_request(self.route.clone(), code, took);
        self.log(code, took);
    }

    /// What went well is counted and not told: autoscalers ask again and again.
    fn log(&self, code: u16, took: Duration) {
        let Self { method, route, .. } = self;
        let target = || {
            let whole = self.target.as_ref().map_or("", PathAndQuery::as_str);
            let end = whole.char_indices().nth(LOGGED_CHARACTERS);
            &whole[..end.map_or(whole.len(), |(end, _)| end)]
        };
        let user = self.user.as_ref().map_or("-", |user| user.name.as_str());
        let duration_ms = took.as_secs_f64() * 1000.0;
        if self.probe || code < 400 {
            debug!(%route, code, duration_ms, ?user, "{method} {} {code}", target());
        } else {
            info!(%route, code, duration_ms, ?user, "{method} {} {code}", target());
        }
    }
}

/// The name under which a request is counted, never its path.
fn route(request: &ServiceRequest) -> Cow<'static, str> {
    match api::route_name(request.match_info().as_str()) {
        Some(name) => Cow::Borrowed(name),
        None => request
            .match_pattern()
            .map_or(Cow::Borrowed(NO_ROUTE), Cow::Owned),
    }
}

//! Answers a metric request: read it, ask the provider, write the list.

use super::ApiState;
use super::groups::CustomVersion;
use super::negotiation::{ListForm, is_for_reader, list_form, require_json, wants_pretty};
use super::path::ApiRequest;
use super::protobuf;
use super::reply;
use super::status::Status;
use super::types::{MetricValueList, external_list};
use super::usage::Usages;
use crate::model::{CustomRequest, ObjectValue};
use crate::provider::{Again, Basis, Detail};
use actix_web::rt::time::timeout as bounded;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::TryFutureExt;
use std::sync::Arc;
use std::time::Duration;

/// A custom metric request, as it was read, that had an answer.
pub(super) struct Answered {
    asked: Arc<Asked>,
    basis: Basis,
    /// The body of the answer, where that is worth keeping.
    written: Option<(ListForm, Bytes)>,
}

/// What the list that answers a custom metric request is made of, beside its values.
struct Asked {
    version: CustomVersion,
    request: CustomRequest,
}

/// `GET /apis/{group}/{version}/…`.
pub(super) async fn get(http: &HttpRequest, state: &ApiState) -> HttpResponse {
    let answer = answer(http, state).await;
    answer.unwrap_or_else(|status| reply::failure(http, &status))
}

async fn answer(http: &HttpRequest, state: &ApiState) -> Result<HttpResponse, Status> {
    let form = list_form(http);
    if let Ok(form) = form
        && let Some(response) = again(http, state, form)?
    {
        return Ok(response);
    }
    match state.read(http.uri().path(), http.query_string())? {
        ApiRequest::Custom {
            version,
            request,
            timeout,
        } => {
            let form = form?;
            let outcome = within(timeout, state.provider.custom(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            let asked = Arc::new(Asked { version, request });
            if form == ListForm::Json && wants_pretty(http) {
                return Ok(reply::ok(http, &asked.list(&values)));
            }
            let body = asked.write(form, &values);
            keep(http, state, asked, outcome.basis, (form, &body));
            Ok(reply::list(form, body))
        }
        ApiRequest::External { request, timeout } => {
            let form = form?;
            let outcome = within(timeout, state.provider.external(&request, Detail::Brief)).await?;
            let values = outcome.result.map_err(|error| Status::from(&error))?;
            Ok(match form {
                ListForm::Json => reply::ok(http, &external_list(&request, &values)),
                ListForm::Protobuf => reply::list(form, protobuf::external_list(&request, &values).into()),
            })
        }
        ApiRequest::Usage { request, timeout } => {
            require_json(http)?;
            let outcome = within(timeout, state.provider.usage(&request)).await?;
            let usages = outcome.result.map_err(|error| Status::from(&error))?;
            let usages = Usages::new(&request, &usages).ok_or_else(Status::unknown_route)?;
            Ok(reply::ok(http, &usages))
        }
    }
}

/// The answer to a request that had one before, if it is at hand: the request is not read again.
fn again(http: &HttpRequest, state: &ApiState, form: ListForm) -> Result<Option<HttpResponse>, Status> {
    let target = target(http).filter(|_| !is_for_reader(http));
    let Some(answered) = target.and_then(|target| state.repeated.get(target)) else {
        return Ok(None);
    };
    let Answered { asked, basis, .. } = &*answered;
    let body = answered.body(form);
    let body = match (state.provider.again(&asked.request, basis, body.is_some()), body) {
        (None, _) | (Some(Again::Same), None) => return Ok(None),
        (Some(Again::Same), Some(body)) => body.clone(),
        (Some(Again::Anew(values, basis)), _) => {
            let values = values.map_err(|error| Status::from(&error))?;
            let body = asked.write(form, &values);
            keep(http, state, Arc::clone(asked), basis, (form, &body));
            body
        }
    };
    Ok(Some(reply::list(form, body)))
}

/// Lets the next such request find what this one came to, and its body if it is worth keeping.
fn keep(
    http: &HttpRequest,
    state: &ApiState,
    asked: Arc<Asked>,
    basis: Option<Basis>,
    (form, body): (ListForm, &Bytes),
) {
    if let (Some(basis), Some(target)) = (basis, target(http)) {
        let written = basis.is_repeated().then(|| (form, body.clone()));
        let body_bytes = written.as_ref().map_or(0, |(_, body)| body.len());
        let answered = Answered {
            asked,
            basis,
            written,
        };
        state.repeated.keep(target, answered, body_bytes);
    }
}

impl Asked {
    fn list<'a>(&'a self, values: &'a [ObjectValue]) -> MetricValueList<'a> {
        MetricValueList::new(self.version, &self.request, values)
    }

    fn write(&self, form: ListForm, values: &[ObjectValue]) -> Bytes {
        match form {
            ListForm::Json => reply::line(self.list(values).to_vec()),
            ListForm::Protobuf => protobuf::custom_list(self.list(values)).into(),
        }
    }
}

impl Answered {
    fn body(&self, form: ListForm) -> Option<&Bytes> {
        let (written, body) = self.written.as_ref()?;
        (*written == form).then_some(body)
    }
}

/// Path and parameters as they came: what is written the same way is the same question.
fn target(http: &HttpRequest) -> Option<&str> {
    Some(http.uri().path_and_query()?.as_str())
}

/// The answer, or 504 if it takes longer than the caller waits.
pub(super) fn within<T>(
    timeout: Duration,
    answer: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Status>> {
    bounded(timeout, answer).map_err(|_| Status::timeout())
}

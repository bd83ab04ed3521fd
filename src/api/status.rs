//! Failures in the form clients of Kubernetes read: `metav1.Status`.

use super::groups::USAGE;
use crate::model::{Action, GroupResource};
use crate::provider;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::{Serialize, Serializer};
use std::fmt;

/// A failed request.
///
/// There is never a `Retry-After`: it would make the autoscaler wait inside one of its few workers.
/// Messages and reasons are those of apimachinery, `pkg/api/errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    code: StatusCode,
    reason: &'static str,
    message: String,
    details: Option<Box<Details>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    group: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Cause {
    reason: &'static str,
    message: String,
}

impl Status {
    /// 400 with the reason of the refusal.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Status::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 401: nobody is known to ask.
    pub fn unauthorized() -> Self {
        Status::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// 403: this user may not do it, for a reason that may be empty.
    ///
    /// Source: apiserver, `pkg/endpoints/handlers/responsewriters/errors.go`, `Forbidden`, 1.36.
    pub fn forbidden(user: &str, action: &Action, reason: &str) -> Self {
        let because = if reason.is_empty() { "" } else { ": " };
        let refusal = format!("User {user:?} cannot {action}{because}{reason}");
        let (message, details) = match action {
            Action::Path { .. } => (format!("forbidden: {refusal}"), Details::default()),
            Action::Resource(action) => {
                let of = GroupResource {
                    resource: action.resource.clone(),
                    group: action.group.clone(),
                };
                let details = Details {
                    name: action.name.clone(),
                    group: of.group.clone(),
                    kind: of.resource.clone(),
                    causes: Vec::new(),
                };
                (format!("{of} {:?} is forbidden: {refusal}", action.name), details)
            }
        };
        Status::new(StatusCode::FORBIDDEN, "Forbidden", message).with_details(details)
    }

    /// 404 for a path that is not served.
    pub fn unknown_route() -> Self {
        let message = "the server could not find the requested resource";
        Status::new(StatusCode::NOT_FOUND, "NotFound", message).with_details(Details::default())
    }

    /// 404 for an object that cannot exist.
    pub fn object_not_found(resource: &GroupResource, name: &str) -> Self {
        let message = format!("{resource} \"{name}\" not found");
        Status::new(StatusCode::NOT_FOUND, "NotFound", message).with_details(Details {
            name: name.to_owned(),
            group: resource.group.clone(),
            kind: resource.resource.clone(),
            causes: Vec::new(),
        })
    }

    /// 405: only `GET` is served.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Status::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
            .with_details(Details::default())
    }

    /// 405: no resource can be watched; `resource` is `*` where there is one for each metric.
    pub fn watch_not_supported(resource: &str, group: &str) -> Self {
        let message = format!("watch is not supported on resources of kind \"{resource}.{group}\"");
        Status::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with_details(Details {
            group: group.to_owned(),
            kind: resource.to_owned(),
            ..Details::default()
        })
    }

    /// 406: the caller takes none of the media types there are.
    pub(super) fn not_acceptable(types: &[&str]) -> Self {
        let types = types.join(", ");
        let message = format!("only the following media types are accepted: {types}");
        Status::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    /// 413: the body is larger than the server reads.
    pub fn body_too_large() -> Self {
        let message = "the body of the request is too large";
        Status::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    /// 431: target and headers are larger than the server reads. Kubernetes has no reason for it.
    pub fn headers_too_large() -> Self {
        let message = "the target and headers of the request are too large";
        Status::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "", message)
    }

    /// 500 with what went wrong, in words for the caller.
    pub fn internal(message: impl Into<String>) -> Self {
        let message = format!("Internal error occurred: {}", message.into());
        Status::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    /// 504: the answer took longer than the caller or the server allows.
    pub fn timeout() -> Self {
        let message = "Timeout: request did not complete within the allotted timeout";
        Status::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message)
    }

    /// The code of the response.
    pub fn code(&self) -> StatusCode {
        self.code
    }

    /// What the caller is told.
    pub fn message(&self) -> &str {
        &self.message
    }

    fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Status {
            code,
            reason,
            message: message.into(),
            details: None,
        }
    }

    fn with_details(self, details: Details) -> Self {
        Status {
            details: Some(Box::new(details)),
            ..self
        }
    }
}

/// The one place where a failed answer gets its code.
impl From<&provider::Error> for Status {
    fn from(error: &provider::Error) -> Self {
        let (code, reason) = match error {
            provider::Error::NotFound(_)
            | provider::Error::NoObject { .. }
            | provider::Error::NoUsage { .. } => (StatusCode::NOT_FOUND, "NotFound"),
            provider::Error::BadSelector(_) => (StatusCode::BAD_REQUEST, "BadRequest"),
            provider::Error::ObjectsUnknown(_) | provider::Error::BackendUnavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
            }
            provider::Error::BackendTimeout(_) => (StatusCode::GATEWAY_TIMEOUT, "Timeout"),
            provider::Error::BackendFailed(_) | provider::Error::Broken(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
            }
        };
        Status::new(code, reason, error.to_string()).with_details(Details::from(error))
    }
}

/// Which object it is about, as far as Kubernetes says so, and the cause.
impl From<&provider::Error> for Details {
    fn from(error: &provider::Error) -> Self {
        let because = |message: &str| {
            vec![Cause {
                reason: error.reason(),
                message: message.to_owned(),
            }]
        };
        match error {
            provider::Error::NotFound(missing) => Details {
                causes: because(&missing.cause),
                ..Details::default()
            },
            provider::Error::NoObject { of, name } => Details {
                name: name.clone(),
                kind: of.to_string(),
                causes: because(&error.to_string()),
                ..Details::default()
            },
            provider::Error::NoUsage {
                kind, name, cause, ..
            } => Details {
                name: name.clone(),
                group: USAGE.to_owned(),
                kind: (*kind).to_owned(),
                causes: because(cause),
            },
            provider::Error::BadSelector(_)
            | provider::Error::ObjectsUnknown(_)
            | provider::Error::BackendUnavailable(_)
            | provider::Error::BackendTimeout(_)
            | provider::Error::BackendFailed(_)
            | provider::Error::Broken(_) => Details {
                causes: because(&error.to_string()),
                ..Details::default()
            },
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            kind: &'static str,
            api_version: &'static str,
            metadata: super::types::ListMeta,
            status: &'static str,
            message: &'a str,
            #[serde(skip_serializing_if = "str::is_empty")]
            reason: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            details: Option<&'a Details>,
            code: u16,
        }
        let wire = Wire {
            kind: "Status",
            api_version: "v1",
            metadata: super::types::ListMeta {},
            status: "Failure",
            message: &self.message,
            reason: self.reason,
            details: self.details.as_deref(),
            code: self.code.as_u16(),
        };
        wire.serialize(serializer)
    }
}

/// Lets middleware of `server` refuse a request by returning the status.
impl ResponseError for Status {
    fn status_code(&self) -> StatusCode {
        self.code
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.code).json(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Error, NotFound};

    fn check(status: &Status, expected: &str) {
        assert_eq!(serde_json::to_string(status).unwrap(), expected);
    }

    #[test]
    fn a_status_has_the_keys_of_kubernetes_in_its_order() {
        check(
            &Status::unauthorized(),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#,
        );
        check(
            &Status::headers_too_large(),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the target and headers of the request are too large","code":431}"#,
        );
        check(
            &Status::unknown_route(),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the requested resource","reason":"NotFound","details":{},"code":404}"#,
        );
        check(
            &Status::object_not_found(&GroupResource::parse("deployments.apps"), "d%1"),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"deployments.apps \"d%1\" not found","reason":"NotFound","details":{"name":"d%1","group":"apps","kind":"deployments"},"code":404}"#,
        );
    }

    #[test]
    fn who_may_not_reads_what_it_may_not() {
        let action = |path| crate::api::action("GET", path, "");
        let resource = action("/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/*/http_requests");
        check(
            &Status::forbidden("deny", &resource, ""),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods.custom.metrics.k8s.io \"*\" is forbidden: User \"deny\" cannot get resource \"pods/http_requests\" in API group \"custom.metrics.k8s.io\" in the namespace \"ns\"","reason":"Forbidden","details":{"name":"*","group":"custom.metrics.k8s.io","kind":"pods"},"code":403}"#,
        );
        let nodes = Status::forbidden("deny", &action("/apis/metrics.k8s.io/v1beta1/nodes"), "no rule");
        assert_eq!(
            nodes.message(),
            r#"nodes.metrics.k8s.io "" is forbidden: User "deny" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope: no rule"#
        );
        check(
            &Status::forbidden("deny", &action("/apis/custom.metrics.k8s.io/v1beta1"), ""),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"forbidden: User \"deny\" cannot get path \"/apis/custom.metrics.k8s.io/v1beta1\"","reason":"Forbidden","details":{},"code":403}"#,
        );
    }

    #[test]
    fn a_missing_metric_names_its_cause_for_people_and_machines() {
        let error = Error::NotFound(NotFound {
            metric: "http_requests".to_owned(),
            target: "pods".to_owned(),
            cause: "selector app=cart matches no pods".to_owned(),
            reason: "NoObjects",
        });
        check(
            &Status::from(&error),
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the metric http_requests for pods: selector app=cart matches no pods","reason":"NotFound","details":{"causes":[{"reason":"NoObjects","message":"selector app=cart matches no pods"}]},"code":404}"#,
        );
    }

    #[test]
    fn each_kind_of_failure_has_its_code() {
        let text = || "why".to_owned();
        let codes = [
            (Error::BadSelector(text()), 400, "BadRequest"),
            (Error::ObjectsUnknown(text()), 503, "ServiceUnavailable"),
            (Error::BackendUnavailable(text()), 503, "ServiceUnavailable"),
            (Error::BackendTimeout(text()), 504, "Timeout"),
            (Error::BackendFailed(text()), 500, "InternalError"),
            (Error::Broken(text()), 500, "InternalError"),
        ];
        for (error, code, reason) in codes {
            let status = Status::from(&error);
            assert_eq!(
                (status.code().as_u16(), status.reason, status.message()),
                (code, reason, "why")
            );
        }
    }
}

//! Answers of the server itself, before or instead of a route's.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};

/// Why the server itself ends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Unauthorized")]
    Unauthorized,
    #[error("Too many requests, please try again later.")]
    TooMany,
    #[error("the target and headers of the request are too large")]
    HeadersTooLarge,
    #[error("the body of the request is too large")]
    BodyTooLarge,
    #[error("Timeout: request did not complete within the allotted timeout")]
    TimedOut,
    #[error("Internal error occurred: the request made the adapter panic, its log says where")]
    Panicked,
}

impl Refusal {
    /// The reason of the Kubernetes status; empty where Kubernetes has none.
    fn reason(self) -> &'static str {
        match self {
            Self::Unauthorized => "Unauthorized",
            Self::TooMany => "TooManyRequests",
            Self::HeadersTooLarge => "",
            Self::BodyTooLarge => "RequestEntityTooLarge",
            Self::TimedOut => "Timeout",
            Self::Panicked => "InternalError",
        }
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let code = self.status_code();
        // Plain text as apiserver has it (`pkg/server/filters/maxinflight.go`), but without its Retry-After:
        // client-go would sleep on it inside one of the few workers of the HPA controller.
        if *self == Self::TooMany {
            return HttpResponse::build(code)
                .content_type("text/plain; charset=utf-8")
                .body(self.to_string());
        }
        let reason = match self.reason() {
            "" => String::new(),
            reason => format!(r#""reason":"{reason}","#),
        };
        // The texts above hold nothing that JSON would escape.
        HttpResponse::build(code).insert_header(header::ContentType::json()).body(format!(
            r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{self}",{reason}"code":{}}}"#,
            code.as_u16()
        ))
    }
}

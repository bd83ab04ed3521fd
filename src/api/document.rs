//! Documents that stay the same while the process lives.

use actix_web::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha512};

/// A JSON body with the tag by which pollers see that nothing changed.
///
/// kube-apiserver asks for each of these every minute.
pub(super) struct Document {
    body: Bytes,
    content_type: &'static str,
    hash: String,
}

impl Document {
    /// Writes the body and computes its tag.
    pub(super) fn new(content_type: &'static str, body: &Value) -> Self {
        let body = Bytes::from(format!("{body}\n"));
        Document {
            hash: format!("{:X}", Sha512::digest(&body)),
            body,
            content_type,
        }
    }

    /// What the tag is made of.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// The body, or 304 if the caller has it.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        let tag = format!("\"{}\"", self.hash);
        let known = request
            .headers()
            .get(IF_NONE_MATCH)
            .is_some_and(|value| value == tag.as_str());
        let mut response = match known {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        response
            .insert_header((ETAG, tag))
            .insert_header((VARY, "Accept"))
            .insert_header((CACHE_CONTROL, "public"));
        match known {
            true => response.finish(),
            false => response.content_type(self.content_type).body(self.body.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_caller_that_has_the_document_gets_no_body() {
        let document = Document::new("application/json", &serde_json::json!({"a": 1}));
        let first = document.respond(&TestRequest::default().to_http_request());
        assert_eq!(first.status(), 200);
        let tag = first.headers().get(ETAG).unwrap().clone();
        let again = TestRequest::default()
            .insert_header((IF_NONE_MATCH, tag.clone()))
            .to_http_request();
        let second = document.respond(&again);
        assert_eq!(second.status(), 304);
        assert_eq!(second.headers().get(ETAG), Some(&tag));
        let other = TestRequest::default()
            .insert_header((IF_NONE_MATCH, "\"other\""))
            .to_http_request();
        assert_eq!(document.respond(&other).status(), 200);
    }
}

//! Writes responses.

use super::negotiation::{JSON, ListForm, PROTOBUF, wants_pretty};
use super::status::Status;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_TYPE, ContentEncoding, Encoding, HeaderValue, VARY,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use std::io::Write;

/// Why no body fails to be written.
pub(super) const SERIALIZES: &str = "keys are strings and no value fails to serialize";

/// Why nothing can go wrong where a vector is written to.
pub(super) const FITS: &str = "a vector takes all";

/// Smaller answers are sent as they are: compressing one takes longer than sending it.
/// The Go API servers begin at 128 KiB, for networks inside a cluster; metric lists of a namespace are a tenth of that.
pub const WORTH_COMPRESSING_BYTES: usize = 16 * 1024;

/// The body if there is one, else the failure.
pub(super) fn result<Body: Serialize>(request: &HttpRequest, result: Result<Body, Status>) -> HttpResponse {
    match result {
        Ok(body) => ok(request, &body),
        Err(status) => failure(request, &status),
    }
}

/// A body of success.
pub(super) fn ok(request: &HttpRequest, body: &impl Serialize) -> HttpResponse {
    json(request, StatusCode::OK, body)
}

/// A failure, with its code.
pub(super) fn failure(request: &HttpRequest, status: &Status) -> HttpResponse {
    json(request, status.code(), status)
}

/// A list of values that is written already.
pub(super) fn list(form: ListForm, body: Bytes) -> HttpResponse {
    let media = match form {
        ListForm::Json => JSON,
        ListForm::Protobuf => PROTOBUF,
    };
    builder(StatusCode::OK, media).body(body)
}

/// Any body, indented if a person reads it.
fn json(request: &HttpRequest, code: StatusCode, body: &impl Serialize) -> HttpResponse {
    let written = match wants_pretty(request) {
        true => serde_json::to_vec_pretty(body),
        false => serde_json::to_vec(body),
    };
    sent(code, written.expect(SERIALIZES))
}

/// What is answered depends on who asks and when, so that nobody may keep it.
fn sent(code: StatusCode, json: Vec<u8>) -> HttpResponse {
    builder(code, JSON).body(line(json))
}

/// Every body of JSON ends its line.
pub(super) fn line(mut json: Vec<u8>) -> Bytes {
    json.push(b'\n');
    json.into()
}

fn builder(code: StatusCode, media: &'static str) -> HttpResponseBuilder {
    let header = HeaderValue::from_static;
    let mut builder = HttpResponse::build(code);
    builder
        .insert_header((CACHE_CONTROL, header("no-cache, private")))
        .insert_header((CONTENT_TYPE, header(media)));
    builder
}

/// A body that is sent again and again: as it is, and compressed if that is worth it.
pub(super) struct Written {
    plain: Bytes,
    compressed: Option<Bytes>,
}

impl Written {
    pub(super) fn new(body: &impl Serialize) -> Self {
        let plain = line(serde_json::to_vec(body).expect(SERIALIZES));
        let is_worth_it = plain.len() >= WORTH_COMPRESSING_BYTES;
        Written {
            compressed: is_worth_it.then(|| gzip(&plain)),
            plain,
        }
    }

    /// The form that the caller takes.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponse {
        match self.compressed.as_ref().filter(|_| takes_gzip(request)) {
            Some(compressed) => builder(StatusCode::OK, JSON)
                .insert_header(ContentEncoding::Gzip)
                .insert_header((VARY, "Accept-Encoding"))
                .body(compressed.clone()),
            None => builder(StatusCode::OK, JSON).body(self.plain.clone()),
        }
    }
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).expect(FITS);
    encoder.finish().expect(FITS).into()
}

/// Whether the client takes what is compressed.
pub fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.get_header::<AcceptEncoding>();
    let offered = [Encoding::gzip(), Encoding::identity()];
    accepted.is_some_and(|accepted| accepted.negotiate(offered.iter()) == Some(Encoding::gzip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::to_bytes;
    use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;
    use std::io::Read;

    async fn sent(body: &str, accepted: &str) -> (Option<String>, Vec<u8>) {
        let request = TestRequest::default().insert_header((ACCEPT_ENCODING, accepted));
        let response = Written::new(&body).respond(&request.to_http_request());
        let encoding = response.headers().get(CONTENT_ENCODING);
        let encoding = encoding.map(|encoding| encoding.to_str().unwrap().to_owned());
        (encoding, to_bytes(response.into_body()).await.unwrap().to_vec())
    }

    #[actix_web::test]
    async fn large_body_is_sent_compressed_to_those_who_take_it() {
        let large = "a".repeat(WORTH_COMPRESSING_BYTES);
        let json = format!("\"{large}\"\n").into_bytes();
        assert_eq!(sent(&large, "identity").await, (None, json.clone()));
        assert_eq!(sent(&large, "gzip;q=0").await, (None, json.clone()));
        let (encoding, compressed) = sent(&large, "gzip").await;
        let mut text = Vec::new();
        GzDecoder::new(&*compressed).read_to_end(&mut text).unwrap();
        assert_eq!((encoding.as_deref(), text), (Some("gzip"), json));
        assert_eq!(sent("small", "gzip").await, (None, b"\"small\"\n".to_vec()));
    }
}

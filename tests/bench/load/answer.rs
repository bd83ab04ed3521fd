//! Reading an answer, no further than the load has to.

use prost::Message;

use crate::clock;

/// An answer whose body is all there.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a [u8],
}

/// What the head of an HTTP/1.1 answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Bytes of the head, its empty line among them.
    pub(super) head_bytes: usize,
    pub(super) body: Body,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    Bytes(usize),
    Chunks,
}

impl Head {
    /// `None` while it is not all there.
    pub(super) fn read(bytes: &[u8]) -> Option<Head> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head_bytes) = response.parse(bytes).expect("a server speaks HTTP")
        else {
            return None;
        };
        let length = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.map(|header| std::str::from_utf8(header.value).unwrap().parse().unwrap());
        Some(Head {
            status: response.code.expect("it is complete"),
            head_bytes,
            body: length.map_or(Body::Chunks, Body::Bytes),
        })
    }
}

/// Takes the chunks apart; `None` while they are not all there. Trailers are not sent by any server here.
pub(super) fn joined(mut chunks: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((begin, length)) =
            httparse::parse_chunk_size(chunks).expect("a chunk")
        else {
            return None;
        };
        let length = usize::try_from(length).expect("a chunk fits in memory");
        let rest = chunks.get(begin + length + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunks[begin..begin + length]);
        chunks = rest;
    }
}

/// How old the evaluation is that the first value of a list comes from, in seconds; `None` without a value.
/// Kubernetes writes whole seconds, so that up to one of it is theirs.
pub(crate) fn age_s(body: &[u8]) -> Option<f64> {
    let then = match body.strip_prefix(b"k8s\0") {
        Some(envelope) => of_protobuf(envelope)?,
        None => of_json(body)?,
    };
    Some(
        (clock::now() - then)
            .total(jiff::Unit::Second)
            .expect("seconds need no calendar"),
    )
}

fn of_json(body: &[u8]) -> Option<jiff::Timestamp> {
    const KEY: &[u8] = b"\"timestamp\":\"";
    let at = body.windows(KEY.len()).position(|bytes| bytes == KEY)? + KEY.len();
    let end = at + body[at..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&body[at..end]).ok()?.parse().ok()
}

fn of_protobuf(envelope: &[u8]) -> Option<jiff::Timestamp> {
    let list = Envelope::decode(envelope).ok()?.list;
    let first = List::decode(&*list).ok()?.items.into_iter().next()?;
    jiff::Timestamp::from_second(first.timestamp?.seconds).ok()
}

/// Of lists in protobuf what leads to the time of an item, which has the same numbers in custom and external metrics.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(bytes = "vec", tag = "2")]
    list: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct List {
    #[prost(message, repeated, tag = "2")]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, Message)]
struct Item {
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Time>,
}

#[derive(Clone, PartialEq, Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

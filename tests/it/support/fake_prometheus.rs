//! A Prometheus that answers what the test says, in ways a real one does not on demand.
//!
//! ```ignore
//! let fake = FakePrometheus::start().await;
//! fake.on("up", Reply::vector(&[(&[("pod", "cart-0")], "1")]));
//! fake.on("sum(up)", Reply::hang());
//! // … ask fake.url() …
//! assert_eq!(fake.requests()[0].parameter("query"), Some("up"));
//! ```

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A scripted backend on a free port of loopback; it ends when dropped.
///
/// Replies are chosen by the text of the query, by `match[]` where there is none, or else by the path: so it can be a
/// target of scrapes too. A question without a reply gets an empty success.
pub(crate) struct FakePrometheus {
    address: SocketAddr,
    scheme: &'static str,
    script: Arc<Script>,
    listening: JoinHandle<()>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<HashMap<String, Reply>>,
    requests: Mutex<Vec<Recorded>>,
    connections: Mutex<usize>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// Path without parameters.
    pub(crate) path: String,
    /// Parameters of the URL, decoded.
    pub(crate) in_url: Vec<(String, String)>,
    /// Parameters of the form, decoded.
    pub(crate) in_form: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
}

impl Recorded {
    /// The first parameter of a name, wherever it stands.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        first(self.in_url.iter().chain(&self.in_form), name)
    }

    /// The first header of a name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        first(self.headers.iter(), name)
    }
}

fn first<'a>(mut pairs: impl Iterator<Item = &'a (String, String)>, name: &str) -> Option<&'a str> {
    pairs
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// What to answer.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    ending: Ending,
    gate: Option<Arc<Semaphore>>,
}

/// How an answer ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// As it should.
    Complete,
    /// The connection closes after half of the body.
    CutOff,
    /// The body stops half-way and the connection stays open.
    Stalled,
    /// The body is repeated for ever.
    Endless,
    /// No answer; the connection stays open.
    Silent,
}

impl Reply {
    /// Success with a JSON text.
    pub(crate) fn json(body: impl Into<String>) -> Reply {
        Reply::status(200, body)
    }

    /// Success with these samples at one time, 1700000000; keys are in the order in which Prometheus writes them.
    pub(crate) fn vector(samples: &[(&[(&str, &str)], &str)]) -> Reply {
        let element = |(labels, value): &(&[(&str, &str)], &str)| {
            let labels: serde_json::Map<_, _> = labels
                .iter()
                .map(|(name, value)| (name.to_string(), (*value).into()))
                .collect();
            let (labels, value) = (Value::Object(labels), Value::from(*value));
            format!(r#"{{"metric":{labels},"value":[1700000000,{value}]}}"#)
        };
        let elements: Vec<_> = samples.iter().map(element).collect();
        let data = format!(r#"{{"resultType":"vector","result":[{}]}}"#, elements.join(","));
        Reply::json(format!(r#"{{"status":"success","data":{data}}}"#))
    }

    /// A failure in the words of the query API.
    pub(crate) fn error(status: u16, error_type: &str, text: &str) -> Reply {
        let body = serde_json::json!({"status": "error", "errorType": error_type, "error": text});
        Reply::status(status, body.to_string())
    }

    /// Any status and body.
    pub(crate) fn status(status: u16, body: impl Into<String>) -> Reply {
        let (headers, body) = (Vec::new(), body.into().into_bytes());
        Reply {
            status,
            headers,
            body,
            ending: Ending::Complete,
            gate: None,
        }
    }

    /// No answer at all.
    pub(crate) fn hang() -> Reply {
        Reply::json("").ending(Ending::Silent)
    }

    /// Half of the body, then the connection closes.
    pub(crate) fn cut_off(self) -> Reply {
        self.ending(Ending::CutOff)
    }

    /// Half of the body, then nothing.
    pub(crate) fn stalled(self) -> Reply {
        self.ending(Ending::Stalled)
    }

    /// The body again and again, without end.
    pub(crate) fn endless(self) -> Reply {
        self.ending(Ending::Endless)
    }

    /// Only when the test adds permits to the gate, one for each answer.
    pub(crate) fn behind(self, gate: &Arc<Semaphore>) -> Reply {
        Reply {
            gate: Some(Arc::clone(gate)),
            ..self
        }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// Compressed.
    pub(crate) fn gzip(mut self) -> Reply {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&self.body).unwrap();
        self.body = encoder.finish().unwrap();
        self.header("Content-Encoding", "gzip")
    }

    fn ending(self, ending: Ending) -> Reply {
        Reply { ending, ..self }
    }
}

impl FakePrometheus {
    /// Over plain HTTP.
    pub(crate) async fn start() -> FakePrometheus {
        FakePrometheus::listen(None).await
    }

    /// Over TLS.
    pub(crate) async fn start_tls(tls: Arc<rustls::ServerConfig>) -> FakePrometheus {
        FakePrometheus::listen(Some(tls)).await
    }

    async fn listen(tls: Option<Arc<rustls::ServerConfig>>) -> FakePrometheus {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let script = Arc::new(Script::default());
        let listening = tokio::spawn(accept(
            listener,
            tls.map(tokio_rustls::TlsAcceptor::from),
            Arc::clone(&script),
        ));
        FakePrometheus {
            address,
            scheme,
            script,
            listening,
        }
    }

    /// Base URL.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Sets the reply to a query, a `match[]` or a path, in place of an earlier one.
    pub(crate) fn on(&self, question: &str, reply: Reply) -> &FakePrometheus {
        self.script
            .replies
            .lock()
            .unwrap()
            .insert(question.to_owned(), reply);
        self
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.script.requests.lock().unwrap().clone()
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        *self.script.connections.lock().unwrap()
    }
}

impl Drop for FakePrometheus {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn accept(listener: TcpListener, tls: Option<tokio_rustls::TlsAcceptor>, script: Arc<Script>) {
    // Dropped with this task, and the connections with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, script) = (tls.clone(), Arc::clone(&script));
        connections.spawn(async move {
            *script.connections.lock().unwrap() += 1;
            match tls {
                None => serve(stream, &script).await,
                Some(tls) => serve(tls.accept(stream).await?, &script).await,
            }
        });
    }
}

/// Answers requests on one connection until either side closes it.
async fn serve(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    script: &Script,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await? {
        let question = request
            .parameter("query")
            .or(request.parameter("match[]"))
            .unwrap_or(&request.path);
        let reply = script.replies.lock().unwrap().get(question).cloned();
        let reply = reply.unwrap_or_else(|| empty_success(&request.path));
        script.requests.lock().unwrap().push(request);
        if !write_reply(&mut stream, &reply).await? {
            break;
        }
    }
    Ok(())
}

fn empty_success(path: &str) -> Reply {
    match path.ends_with("/query") {
        true => Reply::vector(&[]),
        false => Reply::json(r#"{"status":"success","data":[]}"#),
    }
}

async fn read_request(
    stream: &mut (impl tokio::io::AsyncBufRead + Unpin),
) -> std::io::Result<Option<Recorded>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines[0].split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let pair = |line: &String| {
        line.split_once(": ")
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
    };
    let headers: Vec<_> = lines[1..].iter().filter_map(pair).collect();
    let length = first(headers.iter(), "content-length").map_or(0, |length| length.parse().unwrap());
    let mut form = vec![0; length];
    stream.read_exact(&mut form).await?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let (in_url, in_form) = (decode(query), decode(&String::from_utf8(form).unwrap()));
    Ok(Some(Recorded {
        method,
        path: path.to_owned(),
        in_url,
        in_form,
        headers,
    }))
}

/// Decodes `a=b&c=d`.
fn decode(encoded: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://fake/?{encoded}")).unwrap();
    url.query_pairs().into_owned().collect()
}

/// Whether the connection can be used again.
async fn write_reply(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    reply: &Reply,
) -> std::io::Result<bool> {
    if let Some(gate) = &reply.gate {
        gate.acquire().await.unwrap().forget();
    }
    if reply.ending == Ending::Silent {
        std::future::pending::<()>().await;
    }
    let length = if reply.ending == Ending::Endless {
        u64::MAX / 2
    } else {
        reply.body.len() as u64
    };
    let mut head = format!(
        "HTTP/1.1 {} Scripted\r\nContent-Length: {length}\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).await?;
    let half = &reply.body[..reply.body.len() / 2];
    match reply.ending {
        Ending::Complete => stream.write_all(&reply.body).await?,
        Ending::CutOff | Ending::Stalled => stream.write_all(half).await?,
        Ending::Endless => loop {
            stream.write_all(&reply.body).await?;
        },
        Ending::Silent => {}
    }
    stream.flush().await?;
    if reply.ending == Ending::Stalled {
        std::future::pending::<()>().await;
    }
    Ok(reply.ending == Ending::Complete)
}

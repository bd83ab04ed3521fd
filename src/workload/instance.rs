//! One instance of the sample service: an HTTP server with its own metrics.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder, web};
use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::workload::load::Aim;
use crate::workload::metrics::{self, Metrics};
use crate::workload::truth::{Ledger, unix_now};

/// A started instance.
#[derive(Debug)]
pub(super) struct Instance {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    server: ServerHandle,
    task: JoinHandle<io::Result<()>>,
}

/// What the handlers of one instance share.
struct Shared {
    pod: String,
    metrics: Arc<Metrics>,
    ledger: Arc<Ledger>,
}

impl Instance {
    pub(super) fn start(pod: &str, address: SocketAddr, ledger: Arc<Ledger>) -> io::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let shared = web::Data::new(Shared {
            pod: pod.to_owned(),
            metrics: Arc::clone(&metrics),
            ledger,
        });
        let bound = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/", web::to(serve))
                .route("/metrics", web::get().to(scrape))
                .route("/truth", web::get().to(truth))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(2)
        .bind(address)?;
        let address = bound.addrs()[0];
        let server = bound.run();
        Ok(Instance {
            address,
            metrics,
            server: server.handle(),
            task: tokio::spawn(server),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn aim(&self) -> Aim {
        Aim {
            address: self.address,
            metrics: Arc::clone(&self.metrics),
        }
    }

    /// Lets the requests in flight finish, then stops.
    pub(super) async fn stop(self) {
        self.server.stop(true).await;
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(address = %self.address, "instance {} failed: {error}", self.address)
            }
            Err(error) => {
                tracing::error!(address = %self.address, "instance {} failed: {error}", self.address)
            }
        }
    }
}

/// The work that a request asks for; a request of a person asks for the least.
#[derive(Deserialize)]
#[serde(default)]
struct Asked {
    takes_us: u64,
    fails: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            takes_us: 10_000,
            fails: false,
        }
    }
}

/// The service itself: takes as long as it is asked to, and counts.
async fn serve(shared: web::Data<Shared>, request: HttpRequest, asked: web::Query<Asked>) -> impl Responder {
    let start = Instant::now();
    tokio::time::sleep(Duration::from_micros(asked.takes_us.min(10_000_000))).await;
    let status = if asked.fails {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::OK
    };
    let took = start.elapsed().as_secs_f64();
    shared
        .metrics
        .served(request.method().as_str(), status.as_u16(), took);
    shared.ledger.served(&shared.pod, unix_now(), took);
    HttpResponse::build(status)
        .content_type("text/plain")
        .body(status.to_string())
}

async fn scrape(shared: web::Data<Shared>) -> impl Responder {
    HttpResponse::Ok()
        .content_type(metrics::CONTENT_TYPE)
        .body(shared.metrics.encode())
}

/// The window that the truth is asked for: the last minute unless told otherwise.
#[derive(Deserialize)]
struct Window {
    /// Unix time.
    end: Option<f64>,
    seconds: Option<f64>,
}

async fn truth(shared: web::Data<Shared>, window: web::Query<Window>) -> impl Responder {
    let end = window.end.unwrap_or_else(unix_now);
    web::Json(shared.ledger.truth(end, window.seconds.unwrap_or(60.0)))
}

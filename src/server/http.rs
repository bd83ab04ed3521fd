//! The HTTP server on its listeners.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::map_config;
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer, web};
use rustls::ServerConfig;

use super::access::keep_shown;
use super::gate::{self, Gate};
use super::probes::{self, Probes};
use super::{Limits, Listeners};

/// Mounts the routes of the API, in each worker.
pub(crate) trait Configure: Fn(&mut web::ServiceConfig) + Clone + Send + 'static {}

impl<C: Fn(&mut web::ServiceConfig) + Clone + Send + 'static> Configure for C {}

/// What every worker is made of.
#[derive(Clone)]
pub(crate) struct Service<C> {
    pub(crate) gate: web::Data<Gate>,
    pub(crate) probes: web::Data<Probes>,
    pub(crate) configure: C,
}

/// How connections are kept.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pub(crate) limits: Limits,
    /// How long they may stay open after the stop; the HTTP library counts whole seconds, so that it gets one more.
    pub(crate) grace: Duration,
    /// Whether HTTP/2 is offered over TLS.
    pub(crate) http2: bool,
}

/// Serves on the listeners, which is one server or two.
pub(crate) fn serve<C: Configure>(
    listeners: Listeners,
    tls: Option<ServerConfig>,
    connections: &Connections,
    service: &Service<C>,
) -> io::Result<Vec<Server>> {
    let Listeners { https, http } = listeners;
    let (https, https_1) = match (https.zip(tls), connections.http2) {
        (https, true) => (https, None),
        (https, false) => (None, https),
    };
    let mut servers = Vec::new();
    if let Some((listener, tls)) = https_1 {
        servers.push(serve_https_1(listener, tls, connections, service.clone())?);
    }
    if https.is_some() || http.is_some() {
        servers.push(serve_both(https, http, connections, service.clone())?);
    }
    Ok(servers)
}

fn serve_both<C: Configure>(
    https: Option<(TcpListener, ServerConfig)>,
    http: Option<TcpListener>,
    Connections { limits, grace, .. }: &Connections,
    service: Service<C>,
) -> io::Result<Server> {
    let mut server = HttpServer::new(move || app(&service))
        // Without it an answer over HTTP/2 that is sent in parts waits 40 ms for an acknowledgement (actix-web #3841).
        // Must stand before the listeners are added.
        .tcp_nodelay(true)
        .on_connect(keep_shown)
        .workers(limits.workers)
        .max_connections(limits.max_connections)
        .keep_alive(limits.keep_alive)
        .client_request_timeout(limits.header_timeout)
        .shutdown_timeout(grace.as_secs() + 1)
        .disable_signals();
    if let Some((listener, tls)) = https {
        server = server.listen_rustls_0_23(listener, tls)?;
    }
    if let Some(listener) = http {
        server = server.listen(listener)?;
    }
    Ok(server.run())
}

/// HTTPS without HTTP/2, which `HttpServer` always offers.
fn serve_https_1<C: Configure>(
    listener: TcpListener,
    mut tls: ServerConfig,
    Connections { limits, grace, .. }: &Connections,
    service: Service<C>,
) -> io::Result<Server> {
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let limits = limits.clone();
    let server = Server::build()
        .workers(limits.workers)
        .max_concurrent_connections(limits.max_connections)
        .shutdown_timeout(grace.as_secs() + 1)
        .disable_signals();
    let server = server.listen("https", listener, move || {
        HttpService::build()
            .tcp_nodelay(true)
            .on_connect_ext(|stream: &TlsStream<TcpStream>, data| keep_shown(stream, data))
            .keep_alive(limits.keep_alive)
            .client_request_timeout(limits.header_timeout)
            .h1(map_config(app(&service), |()| AppConfig::default()))
            .rustls_0_23(tls.clone())
    })?;
    Ok(server.run())
}

/// The routes and what is around them.
fn app<C: Configure>(
    service: &Service<C>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<C>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<C>,
> {
    App::new()
        .app_data(service.gate.clone())
        .app_data(service.probes.clone())
        .configure(probes::configure)
        .configure(&service.configure)
        .wrap(from_fn(gate::pass))
}

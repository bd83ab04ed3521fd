//! A server of our own on free ports, with a few routes to ask for.

use std::convert::Infallible;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use promql_adapter::config::{AccessSettings, CipherSuites, ServingSettings, TlsVersion};
use promql_adapter::server::{Error, Listeners, ServePlan, Server};
use promql_adapter::telemetry::Metrics;
use reqwest::{Certificate, Client, ClientBuilder};
use tempfile::TempDir;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::certificates::{Authority, Pem};

/// A server that is running.
pub(crate) struct Started {
    https: Option<SocketAddr>,
    http: Option<SocketAddr>,
    pub(crate) wait: Arc<Wait>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), Error>>,
}

/// The two ends of the route `/wait`.
pub(crate) struct Wait {
    entered: Semaphore,
    released: Semaphore,
}

impl Wait {
    /// Waits until a request has come in.
    pub(crate) async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    /// Lets one request be answered.
    pub(crate) fn release(&self) {
        self.released.add_permits(1);
    }
}

/// A directory with a serving certificate for 127.0.0.1 and the settings that name it.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
    pub(crate) authority: Authority,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self {
            directory: tempfile::tempdir().unwrap(),
            authority: Authority::new(),
        };
        home.authority.server().write(home.path(), "tls");
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn settings(&self) -> ServingSettings {
        ServingSettings {
            tls_cert_file: Some(self.path().join("tls.crt")),
            tls_private_key_file: Some(self.path().join("tls.key")),
            ..settings(self.path())
        }
    }

    pub(crate) fn plan(&self) -> ServePlan {
        plan(self.settings())
    }

    /// A plan that lets in clients of `authority` only, and the file that says so.
    pub(crate) fn plan_with_client_ca(&self, authority: &Authority) -> (ServePlan, PathBuf) {
        let file = self.path().join("client-ca.crt");
        std::fs::write(&file, authority.pem()).unwrap();
        let plan = plan(ServingSettings {
            client_ca_file: Some(file.clone()),
            ..self.settings()
        });
        (plan, file)
    }

    /// A client that trusts the serving certificate.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// A client that shows a certificate.
    pub(crate) fn client_showing(&self, pem: &Pem) -> Client {
        self.builder().identity(pem.identity()).build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        trusting(self.authority.pem())
    }
}

/// A client that trusts one authority, or several.
pub(crate) fn trusting(authorities: &str) -> ClientBuilder {
    // Fails if another test did it before, which is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authorities = Certificate::from_pem_bundle(authorities.as_bytes()).unwrap();
    Client::builder()
        .tls_certs_only(authorities)
        .timeout(Duration::from_secs(30))
}

/// Settings without any file.
pub(crate) fn settings(home: &Path) -> ServingSettings {
    ServingSettings {
        bind_address: None,
        secure_port: 443,
        insecure_http_port: None,
        cert_dir: home.join("made"),
        tls_cert_file: None,
        tls_private_key_file: None,
        certificate_secret: None,
        client_ca_file: None,
        tls_min_version: TlsVersion::default(),
        cipher_suites: CipherSuites::default(),
        sni_certificates: Vec::new(),
        http2: true,
        http2_max_streams: None,
        shutdown_delay: Duration::ZERO,
        shutdown_grace: Duration::from_secs(1),
    }
}

/// Settings that leave who may ask to what the plan says.
fn access() -> AccessSettings {
    AccessSettings {
        authentication_kubeconfig: None,
        authorization_kubeconfig: None,
        lookup: true,
        request_header: None,
        always_allow_paths: Vec::new(),
        token_ttl: Duration::ZERO,
        allowed_ttl: Duration::ZERO,
        denied_ttl: Duration::ZERO,
    }
}

/// A plan that reloads at once and ends at once.
pub(crate) fn plan(settings: ServingSettings) -> ServePlan {
    let mut plan = ServePlan::new(settings, access(), Arc::new(Metrics::default()));
    plan.limits.workers = 1;
    plan.limits.reload_interval = Duration::from_millis(20);
    plan
}

/// Runs a plan on loopback, HTTPS and plain HTTP.
pub(crate) fn start(plan: ServePlan) -> Started {
    let listen = || Some(TcpListener::bind("127.0.0.1:0").unwrap());
    let wait = Arc::new(Wait {
        entered: Semaphore::new(0),
        released: Semaphore::new(0),
    });
    let data = web::Data::from(Arc::clone(&wait));
    let listeners = Listeners {
        https: listen(),
        http: listen(),
    };
    let server = Server::new(plan, listeners, move |service: &mut web::ServiceConfig| {
        routes(service, &data)
    })
    .unwrap();
    let (stop, stopped) = oneshot::channel();
    let (https, http) = (server.https_address(), server.http_address());
    let done = tokio::spawn(server.run(async move { stopped.await.unwrap_or_default() }));
    Started {
        https,
        http,
        wait,
        stop,
        done,
    }
}

fn routes(service: &mut web::ServiceConfig, wait: &web::Data<Wait>) {
    async fn waiting(wait: web::Data<Wait>) -> &'static str {
        wait.entered.add_permits(1);
        wait.released.acquire().await.unwrap().forget();
        "waited"
    }
    async fn in_parts() -> HttpResponse {
        let parts = stream::iter(["in ", "parts"]).then(async |part| {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Bytes::from_static(part.as_bytes()))
        });
        HttpResponse::Ok().streaming(Box::pin(parts))
    }
    async fn panicking() -> &'static str {
        panic!("asked to")
    }
    service
        .app_data(wait.clone())
        .route("/hello", web::get().to(async || "hello"))
        .route(
            "/hello/{name}",
            web::get().to(async |name: web::Path<String>| format!("hello {name}")),
        )
        .route("/big", web::get().to(async || "0123456789".repeat(10_000)))
        .route("/in-parts", web::get().to(in_parts))
        .route("/wait", web::get().to(waiting))
        .route("/panic", web::get().to(panicking));
}

impl Started {
    pub(crate) fn https(&self, path: &str) -> String {
        format!("https://{}{path}", self.https.unwrap())
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.http.unwrap())
    }

    pub(crate) fn https_address(&self) -> SocketAddr {
        self.https.unwrap()
    }

    /// Asks the server to end; what comes back is its end.
    pub(crate) fn shut_down(self) -> JoinHandle<Result<(), Error>> {
        self.stop.send(()).unwrap();
        self.done
    }

    /// Waits for the end that comes of itself.
    pub(crate) async fn ended(self) -> Result<(), Error> {
        self.done.await.unwrap()
    }
}

/// Asks again until it is so, for ten seconds at most.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, so: impl Fn() -> F) {
    for _ in 0..1000 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never came about: {what}");
}

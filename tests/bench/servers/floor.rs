//! The floor: a handler that serves the same bytes over the same TLS and does nothing else.
//!
//! It runs in a process of its own, which is this program started again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::{accepts, loopback, wait_for};
use crate::process::Process;
use crate::support::certificates::install_crypto;
use crate::support::servers::free_port;

/// The first argument that makes this program the floor.
pub(crate) const ARGUMENT: &str = "static-handler";

/// A running static handler.
pub(crate) struct Floor {
    pub(crate) process: Process,
    /// Where it speaks HTTPS.
    pub(crate) address: SocketAddr,
}

impl Floor {
    /// Starts it with the certificate of a directory, to answer everything with these bytes.
    pub(crate) fn start(directory: &Path, body: &[u8]) -> Floor {
        std::fs::write(directory.join("body"), body).unwrap();
        let address = loopback(free_port());
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .current_dir(directory)
            .args([ARGUMENT, &address.port().to_string()]);
        let mut process = Process::start(command, &directory.join("floor.log"));
        wait_for(&mut process, "a static handler that serves", || accepts(address));
        Floor { process, address }
    }
}

/// Serves on a port of loopback until it is killed, with the files of the working directory.
pub(crate) fn serve(port: u16) {
    install_crypto();
    let body: &'static [u8] = std::fs::read("body").unwrap().leak();
    let answer = move || async move {
        HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .insert_header((header::CACHE_CONTROL, "no-cache, private"))
            .body(body)
    };
    let app = move || App::new().default_service(web::to(answer));
    let server = HttpServer::new(app)
        // As the adapter has it.
        .tcp_nodelay(true)
        .workers(std::thread::available_parallelism().map_or(1, |count| count.get().min(4)))
        .listen_rustls_0_23(std::net::TcpListener::bind(loopback(port)).unwrap(), tls())
        .unwrap();
    actix_web::rt::System::new().block_on(server.run()).unwrap();
}

/// Asks for a certificate of `ca.crt`, as the adapter does.
fn tls() -> rustls::ServerConfig {
    let read = |name| std::fs::read(name).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&read("ca.crt")).unwrap())
        .unwrap();
    let clients = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(&read("tls.crt")).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(&read("tls.key")).unwrap();
    rustls::ServerConfig::builder()
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .unwrap()
}

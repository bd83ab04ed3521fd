//! Pods that expose metrics: a page for each path, all in one process, which is this program started again.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};

use super::{accepts, loopback, wait_for};
use crate::process::Process;
use crate::support::servers::free_port;

/// The first argument that makes this program the pods.
pub(crate) const ARGUMENT: &str = "pods";

/// Series on a page that are read by a rule.
pub(crate) const READ: usize = 60;

/// Series on a page that nobody reads.
pub(crate) const UNREAD: usize = 140;

/// Running pods.
pub(crate) struct Pods {
    pub(crate) port: u16,
    _process: Process,
}

impl Pods {
    pub(crate) fn start(directory: &Path) -> Pods {
        let port = free_port();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([ARGUMENT, &port.to_string()]);
        let mut process = Process::start(command, &directory.join("pods.log"));
        wait_for(&mut process, "pods that serve", || accepts(loopback(port)));
        Pods {
            port,
            _process: process,
        }
    }
}

/// Serves on a port of loopback until it is killed.
pub(crate) fn serve(port: u16) {
    let page: &'static str = page().leak();
    let answer = move || async move {
        HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/plain; version=0.0.4"))
            .body(page)
    };
    let app = move || App::new().default_service(web::to(answer));
    let server = HttpServer::new(app).workers(1).bind(loopback(port)).unwrap();
    actix_web::rt::System::new().block_on(server.run()).unwrap();
}

/// Metrics of ten series each, those that are read first.
fn page() -> String {
    let mut page = String::new();
    for metric in 0..(READ + UNREAD) / 10 {
        let name = match metric < READ / 10 {
            true => format!("read_{metric}_requests_total"),
            false => format!("unread_{metric}_requests_total"),
        };
        writeln!(
            page,
            "# HELP {name} Requests that were served.\n# TYPE {name} counter"
        )
        .unwrap();
        for series in 0..10 {
            writeln!(
                page,
                "{name}{{code=\"20{series}\",handler=\"/api/v1/things\",method=\"GET\"}} {}",
                metric * 1000 + series
            )
            .unwrap();
        }
    }
    page
}

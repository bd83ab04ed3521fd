//! The programs that are measured, and those they need.

mod adapter;
mod control_plane;
pub(crate) mod floor;
pub(crate) mod page;
pub(crate) mod peer;
pub(crate) mod pods;
mod prometheus;
pub(crate) mod scraper;
mod stepping;
mod tls;

pub(crate) use adapter::Adapter;
pub(crate) use control_plane::ControlPlane;
pub(crate) use floor::Floor;
pub(crate) use peer::Peer;
pub(crate) use prometheus::Prometheus;
pub(crate) use stepping::Stepping;
pub(crate) use tls::Tls;

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Process;

/// How long a program may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether this program was started to be one of those that are measured; then it is that until it is killed.
pub(crate) fn is_one_of_them(arguments: &[String]) -> bool {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<u32>().expect("a number");
    let port = |word: &str| word.parse::<u16>().expect("a port");
    match words[..] {
        [floor::ARGUMENT, at] => floor::serve(port(at)),
        [pods::ARGUMENT, at] => pods::serve(port(at)),
        [scraper::ARGUMENT, of, count, interval_ms] => {
            let interval = Duration::from_millis(number(interval_ms).into());
            scraper::run(port(of), number(count) as usize, interval);
        }
        _ => return false,
    }
    true
}

/// Waits until it is so, while the program runs.
fn wait_for(process: &mut Process, what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(
            process.runs() && Instant::now() < deadline,
            "{what} never came about:\n{}",
            process.log()
        );
        thread::sleep(Duration::from_millis(5));
    }
}

fn accepts(address: SocketAddr) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

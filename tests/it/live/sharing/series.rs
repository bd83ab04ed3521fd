//! Series that are made up, for servers to scrape.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const NAMESPACES: [&str; 3] = ["mail", "orders", "shop"];
pub(super) const PODS: [&str; 4] = ["cart-0", "cart-1", "web.2", "young"];
const CONTAINERS: [&str; 2] = ["a", "b"];

/// Serves the series until it is dropped.
pub(super) struct Exporter {
    /// Its address, as the servers read it.
    pub(super) targets_file: PathBuf,
    _directory: TempDir,
    serving: JoinHandle<()>,
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// With series of every kind.
pub(super) async fn start_exporter() -> Exporter {
    start_exporter_of(page).await
}

/// With a page that depends on the seconds since the start.
pub(super) async fn start_exporter_of(page: impl Fn(f64) -> String + Send + Sync + 'static) -> Exporter {
    let page = Arc::new(page);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let targets_file = directory.path().join("targets.json");
    std::fs::write(&targets_file, format!(r#"[{{"targets":["{address}"]}}]"#)).unwrap();
    let started = Instant::now();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let page = Arc::clone(&page);
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let page = page(started.elapsed().as_secs_f64());
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
                let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    Exporter {
        targets_file,
        _directory: directory,
        serving,
    }
}

/// Values with long fractions, so that the order of adding shows; some that are no numbers; series that lack a label.
fn page(seconds: f64) -> String {
    let mut page = String::new();
    let mut number = 0.0;
    for namespace in NAMESPACES {
        // One namespace has pods that another lacks.
        for pod in PODS.iter().skip(usize::from(namespace == "mail")) {
            for container in CONTAINERS {
                number += 1.0;
                let labels = format!("namespace=\"{namespace}\",pod=\"{pod}\",container=\"{container}\"");
                let depth = (number * 1.7 + seconds).sin() * 1e3 / 3.0;
                let _ = writeln!(
                    page,
                    "depth{{{labels}}} {depth}\nlimit{{{labels}}} {}",
                    depth / 7.0 + number
                );
                let odd = ["NaN", "+Inf", "-0.3", "1e-9", "12345678.9"][number as usize % 5];
                let _ = writeln!(
                    page,
                    "odd{{{labels}}} {odd}\ndone_total{{{labels}}} {}",
                    number * seconds / 3.0
                );
                for (bound, share) in [("0.1", 0.3), ("0.5", 0.8), ("+Inf", 1.0)] {
                    let count = number * seconds * share;
                    let _ = writeln!(page, "took_bucket{{{labels},le=\"{bound}\"}} {count}");
                }
            }
        }
        for (series, labels) in [
            ("depth", ""),
            ("done_total", ""),
            ("limit", ""),
            ("took_bucket", ",le=\"+Inf\""),
        ] {
            let _ = writeln!(
                page,
                "{series}{{namespace=\"{namespace}\",container=\"a\"{labels}}} {number}"
            );
        }
        for zone in ["z1", "z2"].iter().take(1 + usize::from(namespace == "mail")) {
            let labels = format!("namespace=\"{namespace}\",pod=\"cart-1\",zone=\"{zone}\"");
            let _ = writeln!(page, "capacity{{{labels}}} 8");
        }
    }
    let _ = writeln!(
        page,
        "depth{{pod=\"cart-0\",container=\"a\"}} 3.3\nlimit{{pod=\"cart-0\"}} 4"
    );
    page
}

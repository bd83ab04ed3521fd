//! A page of metrics that this program serves itself.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// Starts to serve a page that is made for each scrape; gives where.
pub(crate) fn serve(page: impl Fn() -> String + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with this program; it takes nothing while nobody scrapes.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A scraper that goes away comes again.
            let _ = answer(&stream.unwrap(), &page);
        }
    });
    address
}

fn answer(stream: &TcpStream, page: &impl Fn() -> String) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let body = page();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

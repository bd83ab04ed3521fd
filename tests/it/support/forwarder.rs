//! Servers behind one port, as a Service has its pods.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A port of loopback whose connections lead to others in turn; it closes when dropped.
pub(crate) struct Forwarder {
    port: u16,
    servers: Vec<u16>,
    accepted: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Forwarder {
    pub(crate) async fn start(servers: &[u16]) -> Forwarder {
        Forwarder::listen(0, servers.to_vec()).await
    }

    async fn listen(port: u16, servers: Vec<u16>) -> Forwarder {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let accepted = Arc::<AtomicUsize>::default();
        Forwarder {
            port: listener.local_addr().unwrap().port(),
            servers: servers.clone(),
            accepted: Arc::clone(&accepted),
            accepting: tokio::spawn(accept(listener, servers, accepted)),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Connections so far.
    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Ends all connections and takes no other.
    pub(crate) fn cut(&self) {
        self.accepting.abort();
    }

    /// Takes connections again after a cut.
    pub(crate) async fn mend(&mut self) {
        *self = Forwarder::listen(self.port, self.servers.clone()).await;
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.cut();
    }
}

async fn accept(listener: TcpListener, servers: Vec<u16>, accepted: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let number = accepted.fetch_add(1, Ordering::Relaxed);
        connections.spawn(forward(client, servers[number % servers.len()]));
        while connections.try_join_next().is_some() {}
    }
}

/// Ends when both sides have ended, or one has failed.
async fn forward(mut client: TcpStream, server: u16) {
    if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await {
        // How it ends is told to both by the end of their connections.
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}

//! A load on the replicas of the Go workload, at a rate that a test sets while it runs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::servers::http_client;

/// What is asked of all replicas together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demand {
    /// Requests a second, spread evenly over the replicas.
    pub(crate) rate: f64,
    /// Processor time of a request.
    pub(crate) busy: Duration,
    /// How long a request waits, for each request a second that its replica gets: a crowded replica is slow.
    pub(crate) wait_per_rate: Duration,
}

impl Demand {
    /// Only this many requests a second.
    pub(crate) fn rate(rate: f64) -> Demand {
        Demand {
            rate,
            ..Demand::default()
        }
    }
}

/// A running load; it ends when dropped.
pub(crate) struct Load {
    demand: watch::Sender<Demand>,
    outcomes: Arc<Outcomes>,
    driver: JoinHandle<()>,
}

#[derive(Default)]
struct Outcomes {
    answered: AtomicU64,
    failed: AtomicU64,
}

impl Load {
    /// Starts without any demand; `replicas` are those that are ready at each moment.
    pub(crate) fn start(replicas: watch::Receiver<Vec<SocketAddr>>) -> Load {
        let (demand, demanded) = watch::channel(Demand::default());
        let outcomes = Arc::<Outcomes>::default();
        let driver = tokio::spawn(drive(demanded, replicas, Arc::clone(&outcomes)));
        Load {
            demand,
            outcomes,
            driver,
        }
    }

    /// Asks for this from now on.
    pub(crate) fn set(&self, demand: Demand) {
        self.demand.send_replace(demand);
    }

    /// Requests answered with 200 so far.
    pub(crate) fn answered(&self) -> u64 {
        self.outcomes.answered.load(Ordering::Relaxed)
    }

    /// Requests that failed so far: no answer, or not 200.
    pub(crate) fn failed(&self) -> u64 {
        self.outcomes.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The load is open: a slow answer does not hold up the next request, as with real clients.
async fn drive(
    mut demanded: watch::Receiver<Demand>,
    replicas: watch::Receiver<Vec<SocketAddr>>,
    outcomes: Arc<Outcomes>,
) {
    let client = http_client();
    let mut in_flight = JoinSet::new();
    let mut last = Instant::now();
    for number in 0_usize.. {
        let demand = *demanded.borrow_and_update();
        if demand.rate <= 0.0 {
            if demanded.changed().await.is_err() {
                return;
            }
            last = Instant::now();
            continue;
        }
        let next = last + Duration::from_secs_f64(1.0 / demand.rate);
        tokio::select! {
            () = sleep_until(next) => last = next,
            changed = demanded.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            }
        }
        let url = {
            let replicas = replicas.borrow();
            (!replicas.is_empty()).then(|| url(replicas[number % replicas.len()], demand, replicas.len()))
        };
        if let Some(url) = url {
            in_flight.spawn(ask(client.clone(), url, Arc::clone(&outcomes)));
        }
        while in_flight.try_join_next().is_some() {}
    }
}

fn url(replica: SocketAddr, demand: Demand, replicas: usize) -> String {
    let wait = demand.wait_per_rate.mul_f64(demand.rate / replicas as f64);
    format!(
        "http://{replica}/price?item=tea&delay={}us&cpu={}us",
        wait.as_micros(),
        demand.busy.as_micros()
    )
}

async fn ask(client: reqwest::Client, url: String, outcomes: Arc<Outcomes>) {
    let answer = client.get(url).send().await;
    let counter = match answer {
        Ok(answer) if answer.status() == 200 => &outcomes.answered,
        _ => &outcomes.failed,
    };
    counter.fetch_add(1, Ordering::Relaxed);
}

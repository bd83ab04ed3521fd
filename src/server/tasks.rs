//! What runs as long as the process.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use tokio::task::{Id, JoinSet};

/// Something that runs as long as the process: when it ends, the process does.
pub struct Task {
    name: &'static str,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Task {
    /// A task and the name that is said when it ends.
    pub fn new(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            name,
            work: Box::pin(work),
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.name).finish()
    }
}

/// The tasks of the process.
pub(super) struct Tasks {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    pub(super) fn start(tasks: Vec<Task>) -> Self {
        let mut running = JoinSet::new();
        let names = tasks
            .into_iter()
            .map(|task| (running.spawn(task.work).id(), task.name))
            .collect();
        Self { running, names }
    }

    /// The name of the first task that ends, by return or by panic.
    pub(super) async fn first_end(&mut self) -> &'static str {
        let id = match self.running.join_next_with_id().await {
            None => std::future::pending().await,
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
        };
        self.names.get(&id).copied().unwrap_or("unknown")
    }
}

//! The whole program: from a configuration to a server that answers metric requests.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::assemble::{Assembled, assemble, read_objects};
use super::file_watch::FileWatch;
use super::{Error, Listeners, Note, Notes, ServePlan, Server, Task};
use crate::api::{self, ApiState};
use crate::config::{Configuration, Settings};
use crate::kubernetes::{Cluster, Objects};
use crate::provider::Provider;
use crate::telemetry::Metrics;

/// How often the objects file is looked at for changes.
const OBJECTS_INTERVAL: Duration = Duration::from_secs(1);

/// Serves until `shutdown` is ready, then lets requests in flight finish.
///
/// Everything that can be wrong at start is found before the first request is taken; whether a backend can be
/// reached does not matter.
pub async fn serve(configuration: Configuration, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let metrics = Arc::new(Metrics::default());
    #[expect(unused_variables, reason = "what asks it comes with the next commits")]
    let cluster = cluster(&configuration.settings).await?;
    let objects_file = configuration.settings.objects_file.clone();
    let watched = objects_file.map(|file| (FileWatch::new("the objects file", vec![file.clone()]), file));
    let Assembled { provider, objects } = assemble(&configuration, &metrics)?;
    let serving = configuration.settings.serving;
    let listeners = Listeners::bind(&serving)?;
    let mut plan = ServePlan::new(serving, metrics);
    plan.notes = notes(&provider);
    plan.tasks.push(discovery(&provider));
    if let Some((watch, file)) = watched {
        plan.tasks.push(objects_reload(watch, file, objects, &provider));
    }
    let state = ApiState { provider };
    let server = Server::new(plan, listeners, move |service| api::configure(service, &state))?;
    server.run(shutdown).await
}

/// The cluster of the settings, else the one this process runs in, unless objects come from a file.
async fn cluster(settings: &Settings) -> Result<Option<Cluster>, Error> {
    match (&settings.kubernetes.kubeconfig, &settings.objects_file) {
        (Some(kubeconfig), _) => Ok(Some(Cluster::from_kubeconfig(kubeconfig).await?)),
        (None, Some(_)) => Ok(None),
        (None, None) => Ok(Cluster::of_this_pod()?),
    }
}

fn notes(provider: &Arc<Provider>) -> Notes {
    let provider = provider.clone();
    Notes::new(move || {
        let notes = provider.notes();
        notes
            .into_iter()
            .map(|(name, text)| Note { name, text })
            .collect()
    })
}

fn discovery(provider: &Arc<Provider>) -> Task {
    let provider = provider.clone();
    Task::new("discovery", async move { match provider.discover().await {} })
}

fn objects_reload(watch: FileWatch, file: PathBuf, objects: Arc<Objects>, provider: &Arc<Provider>) -> Task {
    let provider = provider.clone();
    Task::new("objects file", async move {
        let reload = move || {
            let before = objects.resources();
            objects.replace(&read_objects(&file)?).map_err(Error::Faults)?;
            // Objects come and go; only other resources make other rules, whose series are looked for again.
            if objects.resources() == before {
                return Ok(());
            }
            provider.resources_changed().map_err(Error::Faults)
        };
        watch.run(OBJECTS_INTERVAL, reload).await;
    })
}

//! The whole program: from a configuration to a server that answers metric requests.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::assemble::{Assembled, assemble, cluster, read_objects};
use super::file_watch::FileWatch;
use super::targets::Scraping;
use super::{Error, Listeners, Note, Notes, ServePlan, Server, Task};
use crate::api::{self, ApiState};
use crate::config::{Configuration, EmbeddedBackend};
use crate::embedded::Embedded;
use crate::kubernetes::{Cluster, KeptFor, Objects, Reviews, RunningPods};
use crate::provider::Provider;
use crate::telemetry::Metrics;

/// How often the objects file is looked at for changes.
const OBJECTS_INTERVAL: Duration = Duration::from_secs(1);

/// Longest that is kept what the cluster says of a caller: somebody may have lost a permission since.
const LONGEST_KEPT: Duration = Duration::from_secs(60 * 60);

/// Serves until `shutdown` is ready, then lets requests in flight finish.
pub async fn serve(configuration: Configuration, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    open(configuration).await?.run(shutdown).await
}

/// A server that is ready to run.
///
/// Everything that can be wrong at start is found here, before the first request is taken; whether a backend can be
/// reached does not matter.
pub async fn open(configuration: Configuration) -> Result<Server, Error> {
    let metrics = Arc::new(Metrics::default());
    let cluster = cluster(&configuration).await?;
    let objects_file = configuration.settings.objects_file.clone();
    let watch_of = |file: &PathBuf| FileWatch::new("the objects file", vec![file.clone()]);
    let watched = objects_file.as_ref().map(|file| (watch_of(file), file.clone()));
    if cluster.is_none() && objects_file.is_none() && configuration.objects.is_none() {
        tracing::warn!("there is neither a cluster nor an objects file, so `*` requests match no object");
    }
    let Assembled {
        provider,
        objects,
        embedded,
    } = assemble(&configuration, cluster.clone(), &metrics).await?;
    let settings = configuration.settings;
    let mut plan = ServePlan::new(settings.serving, settings.access, metrics);
    who_may_ask(&mut plan, cluster.as_ref()).await?;
    let listeners = Listeners::bind(&plan.serving, plan.asks_who())?;
    plan.cluster = cluster;
    plan.api_services = api::api_services(&provider);
    plan.tasks.push(discovery(&provider));
    plan.tasks.push(refreshing(&provider));
    plan.tasks.push(cluster_objects(&objects));
    plan.tasks.push(cluster_resources(&objects, &provider));
    let pods = scraping(embedded, &mut plan);
    plan.notes = notes(&provider, pods);
    if let Some((watch, file)) = watched {
        plan.tasks.push(objects_reload(watch, file, objects, &provider));
    }
    let state = ApiState::new(provider);
    Server::new(plan, listeners, move |service| api::configure(service, &state))
}

/// Where it is asked who asks and who may: the cluster, unless the settings name others.
async fn who_may_ask(plan: &mut ServePlan, cluster: Option<&Cluster>) -> Result<(), Error> {
    let access = &plan.access;
    let named = async |kubeconfig: &Option<PathBuf>| match kubeconfig {
        Some(path) => Cluster::from_kubeconfig(path).await.map(Some),
        None => Ok(cluster.cloned()),
    };
    let authentication = named(&access.authentication_kubeconfig).await?;
    let authorization = named(&access.authorization_kubeconfig).await?;
    // Whoever names a cluster for one of the questions wants the other asked as well.
    let clusters = match (authentication, authorization) {
        (Some(one), Some(other)) => Some((one, other)),
        (Some(only), None) | (None, Some(only)) => Some((only.clone(), only)),
        (None, None) => None,
    };
    let kept_for = KeptFor {
        token: access.token_ttl.min(LONGEST_KEPT),
        allowed: access.allowed_ttl.min(LONGEST_KEPT),
        denied: access.denied_ttl.min(LONGEST_KEPT),
    };
    plan.reviews = clusters.as_ref().map(|(authentication, authorization)| {
        Arc::new(Reviews::new(
            authentication,
            authorization,
            kept_for,
            &plan.metrics,
        ))
    });
    plan.authentication = clusters.map(|(authentication, _)| authentication);
    Ok(())
}

fn notes(provider: &Arc<Provider>, pods: Vec<Arc<RunningPods>>) -> Notes {
    let provider = provider.clone();
    Notes::new(move || {
        let failing = pods.iter().filter_map(|pods| pods.failure());
        let failing = failing.map(|failure| ("pods to scrape".to_owned(), format!("not watched: {failure}")));
        let notes = provider.notes().into_iter().chain(failing);
        notes.map(|(name, text)| Note { name, text }).collect()
    })
}

fn discovery(provider: &Arc<Provider>) -> Task {
    let provider = provider.clone();
    Task::new("discovery", async move { match provider.discover().await {} })
}

/// Answers are refreshed while they are asked for.
fn refreshing(provider: &Arc<Provider>) -> Task {
    let provider = provider.clone();
    Task::new("refreshing", async move { match provider.refresh().await {} })
}

/// Each embedded backend scrapes its targets. The pods of a cluster, as far as some scrape them.
fn scraping(embedded: Vec<(Arc<Embedded>, EmbeddedBackend)>, plan: &mut ServePlan) -> Vec<Arc<RunningPods>> {
    let mut followed = Vec::new();
    for (backend, settings) in embedded {
        let cluster = plan.cluster.clone().filter(|_| settings.scrapes_pods());
        let pods = cluster.map(|cluster| Arc::new(RunningPods::of(cluster, plan.metrics.clone())));
        let name = backend.name().clone();
        if pods.is_none() && settings.scrapes_pods() {
            tracing::warn!(backend = %name, "backend {name} scrapes no pods: there is no cluster");
        }
        followed.extend(pods.clone());
        let scraping = Scraping {
            backend,
            settings,
            pods,
        };
        plan.tasks.push(Task::new(
            "scraping",
            async move { match scraping.run().await {} },
        ));
    }
    followed
}

/// The watches of a cluster.
fn cluster_objects(objects: &Arc<Objects>) -> Task {
    let objects = objects.clone();
    Task::new("objects", async move { match objects.follow().await {} })
}

/// Rules are compiled again when the cluster serves other resources.
fn cluster_resources(objects: &Arc<Objects>, provider: &Arc<Provider>) -> Task {
    let mut compiled = objects.resources();
    let (objects, provider) = (objects.clone(), provider.clone());
    Task::new("resources", async move {
        loop {
            compiled = objects.resources_other_than(&compiled).await;
            if let Err(faults) = provider.resources_changed() {
                let faults = Error::Faults(faults);
                tracing::warn!("the rules stay as they are for the resources of before: {faults}");
            }
        }
    })
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

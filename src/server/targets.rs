//! What an embedded backend scrapes: targets of the settings, and pods.

use crate::config::EmbeddedBackend;
use crate::embedded::Target;
use crate::model::Labels;

/// The label that says where a series was scraped.
const INSTANCE: &str = "instance";

/// The targets that the settings name.
pub(super) fn fixed(settings: &EmbeddedBackend) -> Vec<Target> {
    let targets = settings.targets.iter();
    targets
        .map(|target| Target {
            url: target.url.clone(),
            labels: with_instance(&target.labels, host(&target.url)),
        })
        .collect()
}

/// Labels that say for themselves where the target is, or are told.
fn with_instance(labels: &Labels, instance: &str) -> Labels {
    let mut labels = labels.clone();
    if labels.get(INSTANCE).is_none() {
        labels.insert(INSTANCE, instance);
    }
    labels
}

/// Host and port of a URL, as far as it has them.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

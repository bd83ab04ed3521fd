//! The file of scrape targets: each instance with the labels that a scrape in a cluster would attach.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Value, json};

/// One instance as a scraper sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it listens; the scraper makes it the label `instance`.
    pub address: SocketAddr,
    /// Label `namespace`.
    pub namespace: String,
    /// Label `service`.
    pub service: String,
    /// Label `pod`.
    pub pod: String,
}

/// Writes the targets in the form of `file_sd_configs`.
///
/// The file appears whole, so that who waits for it may read it at once.
pub(super) fn write(targets: &[Target], path: &Path) -> io::Result<()> {
    let groups: Vec<Value> = targets.iter().map(group).collect();
    let partial = path.with_extension("partial");
    fs::write(&partial, serde_json::to_vec_pretty(&groups)?)?;
    fs::rename(&partial, path)
}

fn group(target: &Target) -> Value {
    json!({
        "targets": [target.address.to_string()],
        "labels": {"namespace": target.namespace, "service": target.service, "pod": target.pod},
    })
}

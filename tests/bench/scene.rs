//! A Prometheus with a shop's series and the files that an adapter is started with.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use crate::load::{Request, Target};
use crate::servers::{Adapter, Prometheus, Tls};
use crate::shop::Shop;

/// Everything but the adapter.
pub(crate) struct Scene {
    pub(crate) shop: Shop,
    pub(crate) prometheus: Prometheus,
    pub(crate) tls: Tls,
    directory: TempDir,
}

impl Scene {
    /// With the shop's rules and objects, once Prometheus has a sample of each series.
    pub(crate) fn set(shop: Shop, scrape_interval: Duration) -> Scene {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        fs::write(path.join("config.yaml"), shop.rules()).unwrap();
        fs::write(path.join("objects.yaml"), shop.objects()).unwrap();
        let tls = Tls::new();
        tls.write(path);
        let mut prometheus = Prometheus::start(path, shop.export(), scrape_interval);
        prometheus.wait_for("{__name__=~\"requests_.*_total\"}", shop.series());
        Scene {
            shop,
            prometheus,
            tls,
            directory,
        }
    }

    /// The same, once there are rates where the adapter looks for them: up to its grid of 5 s in the past.
    pub(crate) fn with_rates(shop: Shop, scrape_interval: Duration) -> Scene {
        let mut scene = Scene::set(shop, scrape_interval);
        // A rate takes two scrapes: the first is more than one interval past by then.
        let past_s = scrape_interval.as_secs() + 6;
        let scraped = format!("{{__name__=~\"requests_.*_total\"}} offset {past_s}s");
        scene.prometheus.wait_for(&scraped, shop.series());
        scene
    }

    /// With other rules.
    pub(crate) fn configure(&self, config: &str) {
        fs::write(self.path().join("config.yaml"), config).unwrap();
    }

    /// Without objects.
    pub(crate) fn empty(&self) {
        fs::write(self.path().join("objects.yaml"), "objects: []\n").unwrap();
    }

    /// Lets one pod go and another, without samples, come, as the objects file tells it; for the adapter reads that
    /// while it runs, it is replaced whole.
    pub(crate) fn churn(&self, number: usize) {
        let objects = self.shop.objects();
        let gone = number % (self.shop.workloads * self.shop.pods);
        let (header, pods) = objects
            .split_once('\n')
            .expect("a line for each pod after the first");
        let mut text = header.to_owned();
        for (at, pod) in pods.lines().enumerate() {
            text.push('\n');
            match at == gone {
                true => text += &pod.replacen("5c9f7d8b64", &format!("{number:010}"), 1),
                false => text += pod,
            }
        }
        fs::write(self.path().join("objects.yaml.next"), text).unwrap();
        fs::rename(
            self.path().join("objects.yaml.next"),
            self.path().join("objects.yaml"),
        )
        .unwrap();
    }

    /// An adapter without a cluster.
    pub(crate) fn adapter(&self) -> Adapter {
        Adapter::start_alone(self.path(), &self.prometheus.url)
    }

    /// Where the files are.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The requests of all autoscalers, for an adapter.
    pub(crate) fn requests(&self, target: &Target) -> Vec<Request> {
        let paths = self.shop.paths();
        paths.iter().map(|path| Request::get(target, path)).collect()
    }

    /// Prometheus itself and what prometheus-adapter would ask it for the same.
    pub(crate) fn narrow(&self) -> (Target, Vec<Request>) {
        let target = Target::plain(self.prometheus.address());
        let paths = self.shop.narrow_queries();
        let requests = paths.iter().map(|path| Request::get(&target, path)).collect();
        (target, requests)
    }
}

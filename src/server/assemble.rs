//! From settings and rules to a provider: the one place that knows every room it is made of.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::config::{
    self, BackendSettings, Configuration, EmbeddedBackend, KubernetesCredentials, ObjectsFile, Settings,
};
use crate::embedded::Embedded;
use crate::http;
use crate::kubernetes::{self, Cluster, ClusterError, Objects};
use crate::model::Diagnostic;
use crate::prometheus::{self, Ages, Cache};
use crate::provider::{Backend, OwnBackend, Provider, Sources};
use crate::rules::{self, Options};
use crate::telemetry::Metrics;

/// How long a cluster may delay the start by not saying which resources it serves.
const RESOURCES_WITHIN: Duration = Duration::from_secs(3);

/// Why no provider can be made.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// Faults in the objects file or in rules, all of them.
    #[error("the configuration has faults")]
    Faults(Vec<Diagnostic>),
    /// The client of a backend cannot be made.
    #[error("backend `{name}` cannot be used")]
    Backend {
        /// Its name in `backends`.
        name: String,
        /// Why.
        source: http::Error,
    },
    /// Credentials that Kubernetes clients use cannot be read.
    #[error("the Kubernetes credentials of backend `{name}` cannot be read")]
    Credentials {
        /// Its name in `backends`.
        name: String,
        /// Why.
        source: kubernetes::CredentialsError,
    },
}

/// A provider and the objects it answers for.
pub struct Assembled {
    /// Answers requests.
    pub provider: Arc<Provider>,
    /// Replaced when the objects file changes; those of a cluster are to be followed.
    pub objects: Arc<Objects>,
    /// The adapter's own backends, which answer as far as they scrape, and what they are to scrape.
    pub embedded: Vec<(Arc<Embedded>, EmbeddedBackend)>,
}

/// The cluster of the settings, else the one this process runs in, unless objects come from elsewhere.
pub async fn cluster(configuration: &Configuration) -> Result<Option<Cluster>, ClusterError> {
    let settings = &configuration.settings;
    let has_objects = configuration.objects.is_some() || settings.objects_file.is_some();
    match &settings.kubernetes.kubeconfig {
        Some(kubeconfig) => Cluster::from_kubeconfig(kubeconfig).await.map(Some),
        None if has_objects => Ok(None),
        None => Cluster::of_this_pod(),
    }
}

/// Makes a provider. No query may take longer than a request to the adapter.
///
/// No backend is asked yet. A cluster is asked which resources it serves, for which the rules are compiled; if it
/// does not say so soon, they are compiled again when it does.
pub async fn assemble(
    configuration: &Configuration,
    cluster: Option<Cluster>,
    metrics: &Arc<Metrics>,
) -> Result<Assembled, AssembleError> {
    let settings = &configuration.settings;
    let objects = Arc::new(objects(configuration, cluster, metrics)?);
    // What is not read in time is read by the task that follows the cluster.
    let _ = timeout(RESOURCES_WITHIN, objects.read_resources()).await;
    let mut backends = BTreeMap::new();
    let mut embedded = Vec::new();
    for (name, backend) in &settings.backends {
        let backend = match backend {
            config::Backend::Remote(written) => Backend::Remote(remote(name, written, settings, metrics)?),
            config::Backend::Embedded(written) => {
                let own = Arc::new(own(name, written, metrics)?);
                embedded.push((own.clone(), written.clone()));
                Backend::Own(OwnBackend::new(own, settings.request_timeout, metrics.clone()))
            }
        };
        backends.insert(name.clone(), backend);
    }
    let written = configuration.rules.clone();
    let options = Options {
        raw_selector_values: settings.raw_selector_values,
        discover_by_series: settings.metrics_max_age.is_some(),
        embedded_backends: embedded.iter().map(|(own, _)| own.name().to_string()).collect(),
    };
    let provider = Provider::new(Sources {
        objects: objects.clone(),
        backends,
        cache: Cache::new(Ages::from(settings), metrics.clone()),
        ages: Ages::from(settings),
        sync_period: settings.sync_period,
        request_timeout: settings.request_timeout,
        compile: Box::new(move |resources| rules::compile(&written, resources, &options)),
        metrics: metrics.clone(),
        relist_interval: settings.metrics_relist_interval,
        max_age: settings
            .metrics_max_age
            .unwrap_or(settings.metrics_relist_interval),
    })
    .map_err(AssembleError::Faults)?;
    Ok(Assembled {
        provider: Arc::new(provider),
        objects,
        embedded,
    })
}

/// Objects as they are given, of a file, of a cluster, or none.
fn objects(
    configuration: &Configuration,
    cluster: Option<Cluster>,
    metrics: &Arc<Metrics>,
) -> Result<Objects, AssembleError> {
    let settings = &configuration.settings;
    let of_file = |file: &ObjectsFile| Objects::from_file(file).map_err(AssembleError::Faults);
    match (&configuration.objects, &settings.objects_file, cluster) {
        (Some(given), _, _) => of_file(given),
        (None, Some(path), _) => of_file(&read_objects(path)?),
        (None, None, Some(cluster)) => {
            let wait = settings.request_timeout;
            let metrics = metrics.clone();
            Ok(Objects::of_cluster(cluster, &settings.kubernetes, wait, metrics))
        }
        (None, None, None) => Ok(Objects::none()),
    }
}

/// A backend that is asked over HTTP.
fn remote(
    name: &str,
    written: &BackendSettings,
    settings: &Settings,
    metrics: &Arc<Metrics>,
) -> Result<prometheus::Backend, AssembleError> {
    let written = BackendSettings {
        timeout: written.timeout.min(settings.request_timeout),
        ..written.clone()
    };
    let client = client(name, &written)?;
    Ok(prometheus::Backend::new(name, &written, client, metrics.clone()))
}

/// A backend of the adapter's own, which does not scrape yet.
fn own(name: &str, written: &EmbeddedBackend, metrics: &Arc<Metrics>) -> Result<Embedded, AssembleError> {
    Embedded::new(name, written.settings.clone(), metrics.clone()).map_err(|source| AssembleError::Backend {
        name: name.to_owned(),
        source,
    })
}

/// Reads the objects file.
pub(crate) fn read_objects(path: &Path) -> Result<ObjectsFile, AssembleError> {
    ObjectsFile::read(path).map_err(AssembleError::Faults)
}

fn client(name: &str, settings: &BackendSettings) -> Result<http::Client, AssembleError> {
    let of_kubernetes = match &settings.kubernetes_credentials {
        KubernetesCredentials::None => Ok(None),
        KubernetesCredentials::InCluster => kubernetes::in_cluster().map(Some),
        KubernetesCredentials::Kubeconfig(path) => kubernetes::from_kubeconfig(path).map(Some),
    };
    let credentials = of_kubernetes.map_err(|source| AssembleError::Credentials {
        name: name.to_owned(),
        source,
    })?;
    http::Client::new(settings, &credentials.map(handed_over).unwrap_or_default()).map_err(|source| {
        AssembleError::Backend {
            name: name.to_owned(),
            source,
        }
    })
}

/// `kubernetes` and `http` do not know of each other.
fn handed_over(from: kubernetes::BackendCredentials) -> http::Credentials {
    let source = |source: kubernetes::CredentialSource| match source {
        kubernetes::CredentialSource::Text(text) => http::Source::Text(text),
        kubernetes::CredentialSource::File(path) => http::Source::File(path),
    };
    http::Credentials {
        certificate_authority: from.certificate_authority.map(source),
        client_certificate: from
            .client_certificate
            .map(|(certificate, key)| (source(certificate), source(key))),
        authorization: from.authorization.map(|authorization| match authorization {
            kubernetes::BackendAuthorization::Basic { username, password } => http::Authorization::Basic {
                username,
                password: source(password),
            },
            kubernetes::BackendAuthorization::Bearer(token) => http::Authorization::Bearer(source(token)),
        }),
        insecure_skip_tls_verify: from.insecure_skip_tls_verify,
    }
}

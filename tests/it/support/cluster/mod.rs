//! A real control plane, as `tests/cluster` runs it.
//!
//! ```ignore
//! let cluster = Cluster::shared().await;
//! let namespace = cluster.namespace("scaling").await;
//! let _kubelet = Kubelet::start(cluster.client().await, &namespace).await;
//! let answer = cluster.kubectl(&["get", "pods", "-n", &namespace]).await;
//! ```

mod decode;
mod kubelet;
mod process;
mod registration;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::OnceLock;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;
use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::certificates::{Authority, install_crypto};
pub(crate) use decode::decoded;
pub(crate) use kubelet::Kubelet;
use process::Process;
pub(crate) use process::Ready;
pub(crate) use registration::{Registration, SERVICE};

/// What a test that cares for autoscaling wants: seconds instead of minutes.
const QUICK: &[&str] = &[
    "--hpa-sync-period=2s",
    "--hpa-downscale-stabilization=10s",
    "--hpa-cpu-initialization-period=5s",
    "--hpa-initial-readiness-delay=1s",
];

/// A running control plane; it ends when this is dropped.
pub(crate) struct Cluster {
    process: Process,
    registering: Mutex<()>,
}

impl Cluster {
    /// The one that all tests share which do not stop its programs, started by the first of them. Each test has its own
    /// namespaces in it. It ends with the test process, whose end it sees by the end of its stdin.
    pub(crate) async fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
        let started = tokio::task::spawn_blocking(|| SHARED.get_or_init(|| Cluster::try_start(QUICK)));
        match started.await.unwrap() {
            Ok(cluster) => cluster,
            Err(why) => panic!("{why}"),
        }
    }

    /// One for a single test, with autoscaling as quick as the shared one's.
    pub(crate) async fn start() -> Cluster {
        let started = tokio::task::spawn_blocking(|| Cluster::try_start(QUICK));
        started.await.unwrap().unwrap_or_else(|why| panic!("{why}"))
    }

    fn try_start(arguments: &[&str]) -> Result<Cluster, String> {
        Ok(Cluster {
            process: Process::start(arguments)?,
            registering: Mutex::new(()),
        })
    }

    /// What it said when it was ready.
    pub(crate) fn ready(&self) -> &Ready {
        self.process.ready()
    }

    /// The port of the API server.
    pub(crate) fn port(&self) -> u16 {
        let kubeconfig = Kubeconfig::read_from(&self.ready().kubeconfig).unwrap();
        let cluster = kubeconfig.clusters[0].cluster.as_ref().unwrap();
        let url = cluster.server.as_ref().unwrap();
        url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The administrator's kubeconfig, by way of another port.
    pub(crate) fn kubeconfig_through(&self, port: u16) -> String {
        let kubeconfig = std::fs::read_to_string(&self.ready().kubeconfig).unwrap();
        kubeconfig.replace(
            &format!("127.0.0.1:{}", self.port()),
            &format!("127.0.0.1:{port}"),
        )
    }

    /// Has `stop`, `kill` or `start` done to one of its programs: `kill kube-apiserver`.
    pub(crate) async fn order(&self, order: &str) {
        tokio::task::block_in_place(|| self.process.order(order));
    }

    /// A client of the administrator, for the runtime of this test.
    pub(crate) async fn client(&self) -> kube::Client {
        client(&self.ready().kubeconfig).await
    }

    /// Makes a namespace whose name begins with this.
    pub(crate) async fn namespace(&self, name: &str) -> String {
        let namespace = json!({"metadata": {"generateName": format!("{name}-")}});
        let namespace = serde_json::from_value(namespace).unwrap();
        let namespaces: Api<Namespace> = Api::all(self.client().await);
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        made.unwrap().metadata.name.unwrap()
    }

    /// Writes a kubeconfig of a user with a certificate, who may do nothing as yet.
    pub(crate) fn kubeconfig_of(&self, user: &str, directory: &Path) -> PathBuf {
        let pem = self.authority("client-ca").client(user, &[]);
        let (certificate, key) = pem.write(directory, user);
        let credentials = AuthInfo {
            client_certificate: Some(certificate.display().to_string()),
            client_key: Some(key.display().to_string()),
            ..AuthInfo::default()
        };
        self.kubeconfig_with(&credentials, directory)
    }

    /// Writes a kubeconfig with these credentials.
    pub(crate) fn kubeconfig_with(&self, credentials: &AuthInfo, directory: &Path) -> PathBuf {
        let mut kubeconfig = Kubeconfig::read_from(&self.ready().kubeconfig).unwrap();
        for user in &mut kubeconfig.auth_infos {
            user.auth_info = Some(credentials.clone());
        }
        let path = directory.join("kubeconfig");
        std::fs::write(&path, serde_json::to_string(&kubeconfig).unwrap()).unwrap();
        path
    }

    /// One of its authorities: `serving-ca`, `client-ca` or `request-header-ca`.
    pub(crate) fn authority(&self, name: &str) -> Authority {
        Authority::read(&self.ready().certificates, name)
    }

    /// The certificate file of one of its authorities.
    pub(crate) fn authority_file(&self, name: &str) -> PathBuf {
        self.ready().certificates.join(format!("{name}.crt"))
    }

    /// Runs kubectl as the administrator and gives what it prints; fails if it fails.
    pub(crate) async fn kubectl(&self, arguments: &[&str]) -> String {
        let output = self.kubectl_as(&self.ready().kubeconfig, arguments).await;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs kubectl with a kubeconfig.
    pub(crate) async fn kubectl_as(&self, kubeconfig: &Path, arguments: &[&str]) -> Output {
        // Otherwise what the API server served a while ago would be remembered.
        let cache = tempfile::tempdir().unwrap();
        let mut command = Command::from(kubectl(kubeconfig));
        command
            .args(arguments)
            .env("KUBECACHEDIR", cache.path())
            .kill_on_drop(true);
        command.output().await.unwrap()
    }

    /// The place of an adapter in this cluster; waits while another test has it.
    pub(crate) async fn registration(&self) -> Registration<'_> {
        Registration::of(self).await
    }
}

/// The program with a kubeconfig.
fn kubectl(kubeconfig: &Path) -> std::process::Command {
    let Some(program) = std::env::var_os("KUBECTL") else {
        panic!("this test needs kubectl and KUBECTL is not set; run the tests with `tests/run`");
    };
    let mut command = std::process::Command::new(program);
    command
        .arg("--request-timeout=60s")
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null());
    command
}

/// A client with the credentials of a kubeconfig.
async fn client(kubeconfig: &Path) -> kube::Client {
    install_crypto();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    kube::Client::try_from(config.unwrap()).unwrap()
}

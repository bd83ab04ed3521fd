//! From a plan to who may ask, and the tasks that keep it up to date.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};

use super::paths::OpenPaths;
use super::{Access, Trust};
use crate::kubernetes::AuthenticationSettings;
use crate::model::{FrontProxy, chain};
use crate::server::file_watch::FileWatch;
use crate::server::tls::certificates;
use crate::server::{Error, ServePlan, Task};

type Verifier = Arc<dyn ClientCertVerifier>;

/// Who may ask by this plan, which gets the tasks that it takes.
///
/// What is read from files must be there; what the cluster says may come later, and until then `/readyz` waits.
pub(in crate::server) fn open(plan: &mut ServePlan) -> Result<Access, Error> {
    let trust = Trust::default();
    if let Some(file) = plan.serving.client_ca_file.clone() {
        let clients = trust.clients.clone();
        follow(plan, "client CA", file, move |verifier| {
            clients.trust(Some(verifier))
        })?;
    }
    if let Some(header) = plan.access.request_header.clone() {
        let proxies = trust.front_proxies.clone();
        follow(plan, "front proxy CA", header.client_ca_file, move |verifier| {
            proxies.trust(Some((verifier, header.proxy.clone())));
        })?;
    }
    let Some(reviews) = plan.reviews.clone() else {
        let nobody_is_known = plan.serving.client_ca_file.is_none() && plan.access.request_header.is_none();
        return Ok(match nobody_is_known {
            true => Access::Everybody,
            false => Access::Known(trust),
        });
    };
    look_up(plan, &trust);
    Ok(Access::Permitted {
        trust,
        reviews,
        open_paths: OpenPaths::new(&plan.access.always_allow_paths),
    })
}

/// Reads a file of authorities, now and after each change.
fn follow(
    plan: &mut ServePlan,
    what: &'static str,
    file: PathBuf,
    trust: impl Fn(Verifier) + Send + 'static,
) -> Result<(), Error> {
    let watch = FileWatch::new(what, vec![file.clone()]);
    let read = move || of_file(&file).map(&trust);
    read()?;
    plan.tasks
        .push(Task::new(what, watch.run(plan.limits.reload_interval, read)));
    Ok(())
}

/// Lets the cluster say whom to trust where no file does.
fn look_up(plan: &mut ServePlan, trust: &Trust) {
    let Some(cluster) = plan.authentication.clone().filter(|_| plan.access.lookup) else {
        return;
    };
    let of_file = Trusted {
        clients: plan.serving.client_ca_file.is_some(),
        front_proxies: plan.access.request_header.is_some(),
    };
    let ready = plan.readiness.condition("authentication");
    let trust = trust.clone();
    let work = async move {
        let tell = |settings: AuthenticationSettings| {
            trust.learn(settings, of_file);
            ready.met();
        };
        match cluster.follow_authentication(tell).await {}
    };
    plan.tasks.push(Task::new("authentication", work));
}

/// What is said by files.
#[derive(Clone, Copy)]
struct Trusted {
    clients: bool,
    front_proxies: bool,
}

impl Trust {
    /// Takes what the cluster says. What cannot be used is said in the log, and what was said before stays.
    fn learn(&self, settings: AuthenticationSettings, of_file: Trusted) {
        if !of_file.clients {
            match settings.client_ca.as_deref().map(of_pem).transpose() {
                Ok(verifier) => self.clients.trust(verifier),
                Err(fault) => tracing::warn!("the cluster's client CA cannot be used: {fault}"),
            }
        }
        if !of_file.front_proxies {
            let with_verifier =
                |(pem, proxy): (String, FrontProxy)| of_pem(&pem).map(|verifier| (verifier, proxy));
            match settings.front_proxy.map(with_verifier).transpose() {
                Ok(proxy) => self.front_proxies.trust(proxy),
                Err(fault) => tracing::warn!("the CA of the cluster's front proxy cannot be used: {fault}"),
            }
        }
    }
}

fn of_file(file: &Path) -> Result<Verifier, Error> {
    verifier(certificates(file)?).map_err(|source| Error::ClientCa {
        path: file.to_owned(),
        source,
    })
}

fn of_pem(pem: &str) -> Result<Verifier, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.map_err(|fault| chain(&fault))?;
    verifier(certificates).map_err(|fault| chain(&fault))
}

fn verifier(authorities: Vec<CertificateDer<'static>>) -> Result<Verifier, VerifierBuilderError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities);
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider())).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    const BY_THE_CLUSTER: Trusted = Trusted {
        clients: false,
        front_proxies: false,
    };

    fn settings(pem: &str) -> AuthenticationSettings {
        AuthenticationSettings {
            client_ca: Some(pem.to_owned()),
            front_proxy: Some((pem.to_owned(), FrontProxy::default())),
        }
    }

    fn authority() -> String {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().pem()
    }

    fn is_there(trust: &Trust) -> (bool, bool) {
        (trust.clients.is_some(), trust.front_proxies.is_some())
    }

    #[test]
    fn what_the_cluster_says_last_counts_unless_it_cannot_be_used() {
        let trust = Trust::default();
        trust.learn(settings(&authority()), BY_THE_CLUSTER);
        assert_eq!(is_there(&trust), (true, true));
        for unusable in [
            "no certificate",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            trust.learn(settings(unusable), BY_THE_CLUSTER);
            assert_eq!(is_there(&trust), (true, true));
        }
        trust.learn(AuthenticationSettings::default(), BY_THE_CLUSTER);
        assert_eq!(is_there(&trust), (false, false));
    }

    #[test]
    fn what_files_say_the_cluster_does_not_change() {
        let by_files = Trusted {
            clients: true,
            front_proxies: true,
        };
        let trust = Trust::default();
        trust.learn(settings(&authority()), by_files);
        assert_eq!(is_there(&trust), (false, false));
    }
}

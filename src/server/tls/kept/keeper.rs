//! Keeps the Secret, the APIServices and the certificate that is served in step.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;
use tracing::{info, warn};

use super::authorities::{Authorities, Previous};
use super::authority::{Authority, Dates, Fault};
use super::rotation::{Step, View, decide, ended, settle};
use crate::config::{CertificateSecret, Lifetimes, NamespacedName};
use crate::kubernetes::{ApiServices, AskError, Cluster, NamedSecret, ReadSecret, Registration, Written};
use crate::model::chain;
use crate::server::Condition;
use crate::server::tls::ServingCertificates;
use crate::telemetry::Metrics;

/// How often Secret and APIServices are looked at, or more often where certificates live shortly.
///
/// Asking for a few objects by name takes no permission to watch, and this is soon enough for any of them.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Pause before looking again at what was just changed, by us or by somebody else.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Pause after the first failure; it doubles with each until it is as long as between two looks.
const TRY_AGAIN: Duration = Duration::from_millis(500);

/// Keeps serving certificates of the adapters' own.
pub(in crate::server) struct Keeper {
    secret: NamedSecret,
    api_services: ApiServices,
    /// Namespace and name.
    service: (String, String),
    lifetimes: Lifetimes,
    certificates: Arc<ServingCertificates>,
    metrics: Arc<Metrics>,
    ready: Condition,
    known: Option<Authorities>,
    served: Option<Served>,
    trusted: Option<Trusted>,
    troubles: Troubles,
}

/// The certificate that is served.
struct Served {
    /// The certificate of the authority that signed it.
    by: String,
    dates: Dates,
}

/// What every APIService was seen to trust.
struct Trusted {
    bundle: String,
    since: Timestamp,
}

/// How a look ended.
enum Look {
    /// All is as it should be.
    Settled,
    /// Something was changed.
    Changed,
}

/// Why a look ended early.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("{secret} cannot be used\n  hint: delete it, and a new one is made")]
    Unusable { secret: String, source: Fault },
    #[error(transparent)]
    Make(Fault),
}

impl Keeper {
    /// `group_versions` are those that the adapter serves, as APIServices are named: `v1beta1.custom.metrics.k8s.io`.
    pub(in crate::server) fn new(
        cluster: &Cluster,
        settings: &CertificateSecret,
        group_versions: Vec<String>,
        certificates: Arc<ServingCertificates>,
        metrics: Arc<Metrics>,
        ready: Condition,
    ) -> Self {
        let place = |it: &NamespacedName| {
            let namespace = it.namespace.as_deref().unwrap_or(cluster.namespace());
            (namespace.to_owned(), it.name.clone())
        };
        let (namespace, name) = place(&settings.secret);
        Self {
            secret: cluster.secret(&namespace, &name),
            api_services: cluster.api_services(group_versions),
            service: place(&settings.service),
            lifetimes: settings.lifetimes,
            certificates,
            metrics,
            ready,
            known: None,
            served: None,
            trusted: None,
            troubles: Troubles::default(),
        }
    }

    /// Runs for ever. Whatever fails is tried again, and what is served stays.
    #[expect(clippy::disallowed_methods, reason = "the clock is read here and handed down")]
    pub(in crate::server) async fn run(mut self) {
        let between = LOOK_EVERY.min(settle(self.lifetimes));
        let mut failures: u64 = 0;
        loop {
            let now = Timestamp::now();
            let look = self.look(now).await;
            if let Err(error) = &look {
                self.troubles.add(error);
                self.outlast(now + between);
            }
            failures = match self.troubles.say(self.served.is_some()) {
                true => failures.saturating_add(1),
                false => 0,
            };
            sleep(match look {
                Ok(Look::Changed) => LOOK_AGAIN,
                _ => pause(failures, between),
            })
            .await;
        }
    }

    /// Looks at everything once and does at most one step.
    ///
    /// The APIServices are read before the Secret is: a bundle that another adapter has set since then, from a newer
    /// Secret, makes ours come too late.
    async fn look(&mut self, now: Timestamp) -> Result<Look, KeepError> {
        let (namespace, service) = &self.service;
        let registered = self.api_services.leading_to(namespace, service).await;
        let registered = registered.map_err(|error| self.troubles.add(&error)).ok();
        let read = self.secret.read().await?;
        let stored = self.stored(read.as_ref())?;

        let view = View {
            stored: stored.as_ref().map(Authorities::kept),
            known: self.known.as_ref().map(Authorities::kept),
            trusted_since: self.trusted_since(stored.as_ref(), registered.as_deref(), now),
        };
        let step = decide(&view, self.lifetimes, now);
        let registered = registered.unwrap_or_default();
        match (step, stored) {
            (Step::Stay, Some(authorities)) => self.use_them(authorities, &registered, now).await,
            (step, stored) => {
                let changed = self
                    .changed(step, stored, &registered, now)
                    .map_err(KeepError::Make)?;
                self.write(read, &changed, step).await
            }
        }
    }

    fn stored(&self, read: Option<&ReadSecret>) -> Result<Option<Authorities>, KeepError> {
        let stored = read.map(Authorities::read).transpose();
        stored.map(Option::flatten).map_err(|source| KeepError::Unusable {
            secret: self.secret.to_string(),
            source,
        })
    }

    /// Since when every APIService was seen to trust what is stored, nothing more and nothing less.
    fn trusted_since(
        &mut self,
        stored: Option<&Authorities>,
        registered: Option<&[Registration]>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let bundle = stored?.bundle();
        let before = self.trusted.take().filter(|trusted| trusted.bundle == bundle);
        if !registered?.iter().all(|it| it.ca_bundle() == bundle) {
            return None;
        }
        let since = before.map_or(now, |trusted| trusted.since);
        self.trusted = Some(Trusted { bundle, since });
        Some(since)
    }

    /// What the Secret holds after a step.
    fn changed(
        &self,
        step: Step,
        stored: Option<Authorities>,
        registered: &[Registration],
        now: Timestamp,
    ) -> Result<Authorities, Fault> {
        let make = || Authority::make(now, self.lifetimes.authority);
        let until = ended(self.lifetimes, now);
        Ok(match (step, stored, self.known.clone()) {
            (Step::Publish, Some(stored), _) => stored.publish(make()?),
            (Step::Promote, Some(stored), _) => stored.promote(until),
            (Step::Forget, Some(stored), _) => stored.forget(),
            // Whoever deletes the Secret wants other keys; those that are in use stay trusted until they are replaced.
            (Step::Restore, None, Some(known)) if known.next.is_none() && known.previous.is_none() => {
                known.publish(make()?)
            }
            (Step::Restore, None, Some(known)) => known,
            // Another adapter may still show what the deleted authority has signed.
            _ => Authorities::found(make()?, trusted_now(registered, until)),
        })
    }

    async fn write(
        &self,
        read: Option<ReadSecret>,
        authorities: &Authorities,
        step: Step,
    ) -> Result<Look, KeepError> {
        let data = authorities.to_data();
        let written = match read {
            Some(read) => self.secret.replace(read, data).await?,
            None => self.secret.create(data).await?,
        };
        if written == Written::Done {
            info!("{}", step.done(&self.secret));
        }
        Ok(Look::Changed)
    }

    /// Has the authorities trusted, then serves what they sign.
    async fn use_them(
        &mut self,
        authorities: Authorities,
        registered: &[Registration],
        now: Timestamp,
    ) -> Result<Look, KeepError> {
        let bundle = authorities.bundle();
        let mut look = Look::Settled;
        for registration in registered.iter().filter(|it| it.ca_bundle() != bundle) {
            match self.api_services.set_ca_bundle(registration, &bundle).await {
                Ok(_) => look = Look::Changed,
                Err(error) => self.troubles.add(&error),
            }
        }
        let renew = self.served.as_ref().is_none_or(|served| {
            served.by != authorities.signing.certificate || now >= served.dates.renewal()
        });
        if renew {
            self.serve(&authorities.signing, now).map_err(KeepError::Make)?;
        }
        self.known = Some(authorities);
        Ok(look)
    }

    fn serve(&mut self, authority: &Authority, now: Timestamp) -> Result<(), Fault> {
        let (namespace, service) = &self.service;
        let leaf = authority.sign(&names(namespace, service), now, self.lifetimes.leaf)?;
        self.certificates.show(&leaf.pair);
        self.metrics
            .serving_certificate(leaf.dates.until.as_second() as f64);
        self.metrics
            .serving_authority(authority.dates.until.as_second() as f64);
        info!(
            "serving with a certificate that is valid until {:.0}",
            leaf.dates.until
        );
        self.served = Some(Served {
            by: authority.certificate.clone(),
            dates: leaf.dates,
        });
        self.ready.met();
        Ok(())
    }

    /// Signs without having read the Secret, if what is served ends before this time.
    fn outlast(&mut self, time: Timestamp) {
        let ends = self
            .served
            .as_ref()
            .is_some_and(|served| served.dates.until <= time);
        let known = self.known.as_ref().map(|known| known.signing.clone());
        if let Some(authority) = known.filter(|it| ends && time < it.dates.until)
            && let Err(error) = self.serve(&authority, time)
        {
            self.troubles.add(&error);
        }
    }
}

/// How long to wait after so many failures in a row.
fn pause(failures: u64, between: Duration) -> Duration {
    match failures {
        0 => between,
        // Whoever fails for longer than that waits as long as between two looks anyway.
        _ => between.min(TRY_AGAIN * 2_u32.pow(failures.min(10) as u32)),
    }
}

/// The authorities that kube-apiserver trusts now, if they can be kept for a while.
fn trusted_now(registered: &[Registration], until: Timestamp) -> Option<Previous> {
    let bundles: BTreeSet<&str> = registered
        .iter()
        .map(|it| it.ca_bundle().trim_end())
        .filter(|bundle| bundle.starts_with("-----BEGIN CERTIFICATE"))
        .collect();
    let certificates = Vec::from_iter(bundles).join("\n");
    (!certificates.is_empty()).then_some(Previous { certificates, until })
}

/// The names by which a Service is called. kube-apiserver asks for the first.
fn names(namespace: &str, service: &str) -> [String; 4] {
    [
        format!("{service}.{namespace}.svc"),
        format!("{service}.{namespace}.svc.cluster.local"),
        format!("{service}.{namespace}"),
        service.to_owned(),
    ]
}

impl Step {
    /// What was done, for the log.
    fn done(self, secret: &NamedSecret) -> String {
        match self {
            Step::Found => format!("made a certificate authority in {secret}"),
            Step::Restore => format!("{secret} was deleted; put it back, to replace its authority"),
            Step::Publish => format!("made the next certificate authority in {secret}, to be trusted"),
            Step::Promote => format!("the next certificate authority in {secret} signs from now on"),
            Step::Forget => format!("the previous certificate authority in {secret} is trusted no longer"),
            Step::Stay => format!("{secret} is as it should be"),
        }
    }
}

/// What does not work, said when it begins and when it ends.
#[derive(Debug, Default)]
struct Troubles {
    said: BTreeSet<String>,
    now: BTreeSet<String>,
}

impl Troubles {
    fn add(&mut self, error: &dyn std::error::Error) {
        self.now.insert(chain(error));
    }

    /// Says what is new, and whether there is anything.
    fn say(&mut self, serving: bool) -> bool {
        let meanwhile = match serving {
            true => "the last certificate stays in use",
            false => "there is no certificate to serve yet",
        };
        for trouble in self.now.difference(&self.said) {
            warn!("serving certificates: {meanwhile}: {trouble}");
        }
        if self.now.is_empty() && !self.said.is_empty() {
            info!("serving certificates are in order again");
        }
        self.said = std::mem::take(&mut self.now);
        !self.said.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_without_end_are_tried_again_at_the_usual_pace() {
        let pauses: Vec<u64> = [0, 1, 2, 4, 5, 64, u64::MAX]
            .map(|failures| pause(failures, LOOK_EVERY).as_secs())
            .to_vec();
        assert_eq!(pauses, [15, 1, 2, 8, 15, 15, 15]);
    }
}

//! Answers a metric request; keeps the catalog of known metrics fresh.
//!
//! The only room that combines sources: objects from `kubernetes`, rules from `rules`, samples from `prometheus` and
//! `embedded`.
//! [`Provider::custom`], [`Provider::external`] and [`Provider::usage`] are the one way an answer comes about, for the API and
//! for `explain`.

mod ages;
mod backend;
mod basis;
mod custom;
mod discovery;
mod error;
mod external;
mod last;
mod shared;
mod trace;
mod usage;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::kubernetes::Objects;
use crate::model::{
    CustomRequest, Diagnostic, ExternalRequest, ExternalValue, ObjectValue, Place, Resources, Timestamp,
    UsageRequest,
};
use crate::prometheus::{Ages, Cache, Question};
use crate::rules::{Catalog, Compiled, OnPartial, Rule, UsageRules};
use crate::telemetry::Metrics;

pub use crate::prometheus::{Answer as BackendAnswer, Shape};
pub use ages::SampleAge;
pub use backend::{Backend, OwnBackend};
pub use basis::{Again, Basis};
pub use error::{Error, NotFound};
pub use trace::{Detail, Outcome, Reading, Trace, UsageOutcome};

use discovery::{Found, Occasion};
use last::LastValues;
use shared::Shared;
use usage::{Narrowed, Slices};

/// Compiles the rules for the resources that are served.
pub type CompileRules = dyn Fn(&Resources) -> Result<Compiled, Vec<Diagnostic>> + Send + Sync;

/// What a provider is made of.
pub struct Sources {
    /// Resources and objects.
    pub objects: Arc<Objects>,
    /// Backends by name.
    pub backends: BTreeMap<String, Backend>,
    /// Shared answers.
    pub cache: Cache,
    /// How long answers hold.
    pub ages: Ages,
    /// How often each autoscaler asks.
    pub sync_period: Duration,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Rules for the resources that are served now; asked again when those change.
    pub compile: Box<CompileRules>,
    /// The adapter's own metrics.
    pub metrics: Arc<Metrics>,
    /// How often series are looked for.
    pub relist_interval: Duration,
    /// How far back series are looked for.
    pub max_age: Duration,
}

/// Combines objects, rules and backends into answers.
pub struct Provider {
    sources: Sources,
    rules: ArcSwap<Vec<Arc<Rule>>>,
    usage_rules: ArcSwapOption<UsageRules>,
    narrowed: Narrowed,
    slices: Slices,
    catalog: ArcSwap<Catalog>,
    found: Found,
    last: LastValues,
    shared: Shared,
}

impl Provider {
    /// A provider whose fixed rules answer at once; the others when [`Provider::discover`] has found their series.
    ///
    /// The error holds every fault of the rules that stops the program.
    pub fn new(sources: Sources) -> Result<Provider, Vec<Diagnostic>> {
        let compiled = (sources.compile)(&sources.objects.resources())?;
        let shared = Shared::new(
            sources.ages,
            sources.sync_period,
            sources.request_timeout,
            sources.metrics.clone(),
        );
        let provider = Provider {
            sources,
            rules: ArcSwap::default(),
            usage_rules: ArcSwapOption::default(),
            narrowed: Narrowed::default(),
            slices: Slices::default(),
            catalog: ArcSwap::default(),
            found: Found::default(),
            last: LastValues::default(),
            shared,
        };
        provider.replace_rules(compiled);
        Ok(provider)
    }

    /// Values of a custom metric.
    pub async fn custom(&self, request: &CustomRequest, detail: Detail) -> Outcome<ObjectValue> {
        let mut trace = Trace::new(detail);
        let (result, basis) = match custom::answer(self, request, now(), &mut trace).await {
            Ok((values, basis)) => (Ok(values), basis),
            Err(error) => (Err(error), None),
        };
        Outcome { result, trace, basis }
    }

    /// Values of an external metric.
    pub async fn external(&self, request: &ExternalRequest, detail: Detail) -> Outcome<ExternalValue> {
        let mut trace = Trace::new(detail);
        let result = external::answer(self, request, now(), &mut trace).await;
        Outcome {
            result,
            trace,
            basis: None,
        }
    }

    /// What pods or nodes use.
    pub async fn usage(&self, request: &UsageRequest) -> UsageOutcome {
        usage::answer(self, request, now()).await
    }

    /// Rules for what pods and nodes use, if there are any.
    pub fn usage_rules(&self) -> Option<Arc<UsageRules>> {
        self.usage_rules.load_full()
    }

    /// What metrics there are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// All rules, disabled ones too.
    pub fn rules(&self) -> Arc<Vec<Arc<Rule>>> {
        self.rules.load_full()
    }

    /// Other resources are served: rules are compiled for those, and their series looked for again.
    ///
    /// Rules that do not compile any more leave everything as it was.
    pub fn resources_changed(&self) -> Result<(), Vec<Diagnostic>> {
        let compiled = (self.sources.compile)(&self.sources.objects.resources())?;
        self.replace_rules(compiled);
        self.found.restart.notify_one();
        Ok(())
    }

    /// The log has each fault once, and its end.
    fn replace_rules(&self, compiled: Compiled) {
        let before = self.rules.swap(Arc::new(compiled.rules));
        for rule in self.rules().iter() {
            let same = before.iter().find(|before| before.key() == rule.key());
            self.tell(&rule.place, same.and_then(|same| same.fault()), rule.fault());
        }
        let before = self.usage_rules.swap(compiled.usage);
        let before = || before.iter().flat_map(|usage| &usage.rules);
        for rule in self.usage_rules().iter().flat_map(|usage| &usage.rules) {
            let same = before().find(|before| before.key() == rule.key());
            self.tell(&rule.place, same.and_then(|same| same.fault()), rule.fault());
        }
        self.rebuild_catalog(Occasion::Rules);
    }

    fn tell(&self, place: &Place, before: Option<&Diagnostic>, now: Option<&Diagnostic>) {
        self.sources.metrics.rule_fault(&place.key, now.is_some());
        match (before, now) {
            (_, Some(fault)) if before != now => tracing::warn!("disabled: {fault}"),
            (Some(_), None) => tracing::info!("{place}: is no longer disabled"),
            _ => {}
        }
    }

    /// Asks a backend, once however many ask. `metric` is what the values are called in messages.
    async fn ask(
        &self,
        asker: &Asker<'_>,
        metric: &str,
        query: &str,
        now: Timestamp,
        trace: &mut Trace,
    ) -> Result<Arc<crate::prometheus::Answer>, Error> {
        let question = Question {
            query: query.to_owned(),
            on_partial: asker.on_partial,
        };
        let key = &asker.place.key;
        trace.asked(asker, query);
        let backend = self
            .sources
            .backends
            .get(asker.backend)
            .ok_or_else(|| Error::no_backend(asker, metric))?;
        let cached = self
            .sources
            .cache
            .answer(backend, &question, now)
            .await
            .map_err(|error| Error::of_backend(key, metric, &error))?;
        trace.answered(&cached);
        if cached.answer.is_incomplete() {
            self.accepts_incomplete(asker, trace);
        }
        Ok(cached.answer)
    }

    /// An incomplete answer is served; otherwise it would have been refused.
    fn accepts_incomplete(&self, asker: &Asker<'_>, trace: &mut Trace) {
        let key = &asker.place.key;
        self.sources.metrics.policy_used(key, "onPartial");
        trace.note(format!(
            "the answer is incomplete, accepted by onPartial of {key}"
        ));
    }
}

/// Whose question it is: a rule of any kind.
struct Asker<'a> {
    place: &'a Place,
    backend: &'a str,
    on_partial: OnPartial,
}

impl<'a> From<&'a Rule> for Asker<'a> {
    fn from(rule: &'a Rule) -> Self {
        Asker {
            place: &rule.place,
            backend: &rule.backend,
            on_partial: rule.policies.on_partial,
        }
    }
}

/// The one place of this room that reads the clock.
#[expect(
    clippy::disallowed_methods,
    reason = "requests enter here; below, time is a parameter"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

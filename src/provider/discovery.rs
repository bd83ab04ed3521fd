//! Looks for the series of rules, each question on its own, and keeps the catalog fresh.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, Semaphore};

use super::{Backend, Provider, now};
use crate::model::{Timestamp, chain};
use crate::prometheus::{self, Lookup};
use crate::rules::{self, Catalog, Discovered, Discovery, FoundSeries, OnPartial, Question, Rule};

/// Questions under way at once, to each backend: one that hangs holds up no rule of another.
const AT_ONCE: usize = 4;
/// First pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause after a failure, unless the relist interval is shorter.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Time for one look. Series of a large backend take longer than a query may.
const WITHIN: Duration = Duration::from_secs(60);

/// A question and the backend it goes to. Rules with the same one share its answer.
type Key = (String, Question);

/// Leave to ask, by backend.
type Slots = BTreeMap<String, Semaphore>;

/// Why the catalog is put together anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// There are other rules.
    Rules,
    /// Series were looked for.
    Series,
}

/// What every question has brought so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    answers: Mutex<BTreeMap<Key, Findings>>,
    /// The rules were replaced: other questions are to be asked.
    pub(super) restart: Notify,
}

/// What one question has brought. A failure leaves the last findings in force.
#[derive(Clone, Debug, Default)]
struct Findings {
    series: Option<(Arc<Vec<FoundSeries>>, Timestamp)>,
    failure: Option<String>,
}

impl Found {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Findings>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provider {
    /// Looks for series, again and again, for as long as the process lives.
    pub async fn discover(&self) -> Infallible {
        loop {
            let slots = self.slots();
            let questions = self.questions();
            let asking = async {
                join_all(
                    questions
                        .iter()
                        .map(|(key, rules)| self.keep_asking(key, rules, &slots)),
                )
                .await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = asking => {}
                () = self.found.restart.notified() => {}
            }
        }
    }

    /// Looks for series once, for a run that answers one question and ends.
    pub async fn discover_once(&self) {
        let slots = self.slots();
        let questions = self.questions();
        join_all(questions.iter().map(|(key, rules)| self.look(key, rules, &slots))).await;
    }

    /// What a person should know, as name and text: backends, watches that fail, disabled rules, failing
    /// discovery.
    ///
    /// Anyone who reaches the port may read it, so it says which rule and not what is in it.
    pub fn notes(&self) -> Vec<(String, String)> {
        let backends = self.sources.backends.iter().map(|(name, backend)| {
            let text = match backend.last_outcome() {
                None => "not asked yet".to_owned(),
                Some(Ok(())) => "answered".to_owned(),
                Some(Err(cause)) => cause,
            };
            (format!("backend {name}"), text)
        });
        let rules = self.rules();
        let usage = self.usage_rules();
        let usage = usage.iter().flat_map(|usage| &usage.rules);
        let disabled = rules
            .iter()
            .filter(|rule| rule.fault().is_some())
            .map(|rule| rule.key());
        let disabled = disabled.chain(usage.filter(|rule| rule.fault().is_some()).map(|rule| rule.key()));
        let disabled = disabled.map(|key| (key.to_owned(), "disabled, see the log".to_owned()));
        let questions = self.questions();
        let found = self.found.lock();
        let failing = questions.iter().filter_map(|(key, rules)| {
            let failure = found.get(key)?.failure.as_ref()?;
            Some((keys_of(rules), format!("cannot look for series: {failure}")))
        });
        let unwatched = self.sources.objects.failures();
        backends.chain(unwatched).chain(disabled).chain(failing).collect()
    }

    /// Puts the catalog together from what has been found.
    pub(super) fn rebuild_catalog(&self, occasion: Occasion) {
        // Held to the end, so that of two at the same time the later one has the last word.
        let found = self.found.lock();
        let rules = self.rules();
        let now = now();
        let discovered: Vec<Discovered> = rules.iter().map(|rule| discovered(rule, &found, now)).collect();
        let before = self.catalog();
        let catalog = Catalog::build(&discovered, &before, now);
        if !catalog.custom().eq(before.custom()) || !catalog.external().eq(before.external()) {
            let (custom, external) = (catalog.custom().count(), catalog.external().count());
            tracing::info!(
                custom,
                external,
                "there are {custom} custom and {external} external metrics now"
            );
        }
        let is_new = |note: &&String| !before.notes().contains(*note);
        for note in catalog.notes().iter().filter(is_new) {
            tracing::warn!("{note}");
        }
        // Rendering all queries takes longer than looking for series in memory.
        if occasion == Occasion::Rules || !catalog.is_as(&before) {
            self.load_backends(&rules, &catalog);
        }
        self.catalog.store(Arc::new(catalog));
    }

    /// Tells each backend what it can be asked.
    fn load_backends(&self, rules: &[Arc<Rule>], catalog: &Catalog) {
        let usage = self.usage_rules();
        for (name, backend) in &self.sources.backends {
            backend.load(|| rules::reads(rules, usage.as_deref(), catalog, name));
        }
    }

    fn slots(&self) -> Slots {
        let names = self.sources.backends.keys();
        names
            .map(|name| (name.clone(), Semaphore::new(AT_ONCE)))
            .collect()
    }

    /// Every question with the rules that ask it.
    fn questions(&self) -> BTreeMap<Key, Vec<Arc<Rule>>> {
        let mut questions: BTreeMap<Key, Vec<Arc<Rule>>> = BTreeMap::new();
        for rule in self.rules().iter() {
            if let Discovery::Ask(question) = &rule.discovery {
                let key = (rule.backend.clone(), question.clone());
                questions.entry(key).or_default().push(rule.clone());
            }
        }
        questions
    }

    async fn keep_asking(&self, key: &Key, rules: &[Arc<Rule>], slots: &Slots) {
        let interval = self.relist_interval(&key.0);
        let mut pause = FIRST_PAUSE;
        loop {
            let found = self.look(key, rules, slots).await;
            if found {
                pause = FIRST_PAUSE;
                tokio::time::sleep(spread(interval, key)).await;
            } else {
                tokio::time::sleep(pause.min(interval)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    fn relist_interval(&self, backend: &str) -> Duration {
        let interval = self.sources.relist_interval;
        let backend = self.sources.backends.get(backend);
        backend.map_or(interval, |backend| backend.relist_interval(interval))
    }

    /// Asks one question and takes its answer in; whether there was one.
    async fn look(&self, key: &Key, rules: &[Arc<Rule>], slots: &Slots) -> bool {
        let (name, question) = key;
        let (Some(backend), Some(slots)) = (self.sources.backends.get(name), slots.get(name)) else {
            return false;
        };
        let (at, asked) = {
            let _slot = slots.acquire().await;
            let at = now();
            (at, ask(backend, question, at - self.sources.max_age, at).await)
        };
        let found = asked.is_ok();
        match asked {
            Ok(series) => self.take_in(key, series, at),
            Err(error) => {
                let keys = keys_of(rules);
                tracing::warn!(
                    rules = keys,
                    error = chain(&error),
                    "{keys}: cannot look for series"
                );
                self.take_failure(key, error.public_text());
            }
        }
        // Before the metrics: who reads there that series were found may ask for them.
        self.rebuild_catalog(Occasion::Series);
        for rule in rules {
            let metrics = &self.sources.metrics;
            metrics.rule_fault(rule.key(), !found || rule.fault().is_some());
            if found {
                metrics.discovered(rule.key(), at.as_duration().as_secs_f64());
            }
        }
        found
    }

    fn take_in(&self, key: &Key, series: Vec<FoundSeries>, at: Timestamp) {
        let mut found = self.found.lock();
        let findings = found.entry(key.clone()).or_default();
        findings.failure = None;
        findings.series = Some((Arc::new(series), at));
    }

    fn take_failure(&self, key: &Key, failure: String) {
        self.found.lock().entry(key.clone()).or_default().failure = Some(failure);
    }
}

fn keys_of(rules: &[Arc<Rule>]) -> String {
    let keys: Vec<&str> = rules.iter().map(|rule| rule.key()).collect();
    keys.join(", ")
}

fn discovered(rule: &Arc<Rule>, found: &BTreeMap<Key, Findings>, now: Timestamp) -> Discovered {
    let series = match &rule.discovery {
        Discovery::Fixed(series) => Ok((Arc::new(series.clone()), now)),
        Discovery::Ask(question) => {
            let findings = found.get(&(rule.backend.clone(), question.clone()));
            let findings = findings.cloned().unwrap_or_default();
            let why = || {
                findings
                    .failure
                    .unwrap_or_else(|| "the first look is under way".to_owned())
            };
            findings.series.ok_or_else(why)
        }
    };
    Discovered {
        rule: rule.clone(),
        series,
    }
}

async fn ask(
    backend: &Backend,
    question: &Question,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<FoundSeries>, prometheus::Error> {
    let lookup = |selector: &str| Lookup {
        selector: selector.to_owned(),
        start: Some(start),
        end: Some(end),
        limit: None,
        on_partial: OnPartial::Refuse,
        within: WITHIN,
    };
    match question {
        Question::Labels(names) => {
            let mut found = Vec::new();
            for (name, narrowed) in names {
                let label_names = backend.label_names(&lookup(narrowed)).await?;
                if !label_names.is_empty() {
                    found.push(FoundSeries {
                        name: name.clone(),
                        label_names: label_names
                            .into_iter()
                            .filter(|label| label != "__name__")
                            .collect(),
                    });
                }
            }
            Ok(found)
        }
        Question::Series(selector) => {
            let series = backend.series(&lookup(selector)).await?;
            let named = series.labels_by_metric.into_iter();
            Ok(named
                .map(|(name, label_names)| FoundSeries { name, label_names })
                .collect())
        }
    }
}

/// The interval, a tenth shorter or longer, so that questions do not come all at once.
fn spread(interval: Duration, key: &Key) -> Duration {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let share = f64::from((hasher.finish() % 1000) as u16) / 1000.0;
    interval.mul_f64(0.9 + 0.2 * share)
}

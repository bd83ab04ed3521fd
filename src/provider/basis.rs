//! On what an answer rests, and what the next one to the same request is.

use std::sync::{Arc, Weak};

use super::custom::Asked;
use super::error::{Error, Subject};
use super::shared::Held;
use super::trace::{Detail, Trace};
use super::{Provider, now};
use crate::kubernetes::Edition;
use crate::model::{CustomRequest, ObjectNames, ObjectValue, Resource};
use crate::rules::{Catalog, CustomEntry};
use crate::telemetry::CacheOutcome;

/// On what an answer rests.
#[derive(Debug)]
pub struct Basis {
    grounds: Arc<Grounds>,
    held: Held,
    is_repeated: bool,
}

/// What a request came to before samples were looked for. Neither rules nor answers are kept for it.
#[derive(Debug)]
pub(super) struct Grounds {
    pub(super) catalog: Weak<Catalog>,
    pub(super) entry: Weak<CustomEntry>,
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: Option<Arc<str>>,
    /// The objects chosen.
    pub(super) names: ObjectNames,
    /// What they were found in; `None` where they were named.
    pub(super) objects: Option<Edition>,
}

/// The answer to a request that had one before.
#[derive(Debug)]
pub enum Again {
    /// The same as before.
    Same,
    /// Made anew: the values to serve, or why there is none, and on what they rest.
    Anew(Result<Vec<ObjectValue>, Error>, Option<Basis>),
}

impl Basis {
    /// What a policy decided is decided anew, and counted, each time.
    pub(super) fn new(grounds: Arc<Grounds>, held: Held, trace: &Trace) -> Basis {
        Basis {
            is_repeated: held.is_repeated && trace.notes.is_empty(),
            grounds,
            held,
        }
    }

    /// Whether it was asked for before of the same samples: then the answer is worth keeping as it was written.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }
}

impl Provider {
    /// The answer to the request that was answered on this basis, if its rules and objects are the same now and a fresh
    /// answer of the backend is kept. If so, it counts as asked. Nothing is waited for.
    ///
    /// Only who has the answer as it was written is told that it is the same.
    pub fn again(&self, request: &CustomRequest, basis: &Basis, is_written: bool) -> Option<Again> {
        let (grounds, now) = (&basis.grounds, now());
        let entry = self.entry_as_before(grounds)?;
        let choice = &request.objects;
        let found = self
            .shared
            .recall_held(&basis.held, choice, &grounds.names, now)?;
        self.sources.metrics.cache(CacheOutcome::Refreshed);
        if is_written && basis.is_repeated && found.is_held_by(&basis.held) {
            return Some(Again::Same);
        }
        let asked = Asked {
            provider: self,
            request,
            entry: &entry,
            namespace: grounds.namespace.clone(),
            names: &grounds.names,
            subject: Subject::custom(request),
            now,
        };
        let mut trace = Trace::new(Detail::Brief);
        let result = asked.read(&found, &mut trace);
        let held = found.held.filter(|_| result.is_ok());
        let basis = held.map(|held| Basis::new(Arc::clone(grounds), held, &trace));
        Some(Again::Anew(result, basis))
    }

    /// The entry of the same rules, if the objects are the same too.
    fn entry_as_before(&self, grounds: &Grounds) -> Option<Arc<CustomEntry>> {
        let Grounds {
            resource, namespace, ..
        } = grounds;
        let is_same_catalog = Arc::as_ptr(&self.catalog.load()) == Weak::as_ptr(&grounds.catalog);
        let known = &self.sources.objects;
        let is_current = |objects| known.is_current(objects, resource, namespace.as_deref());
        let is_as_before = is_same_catalog && grounds.objects.as_ref().is_none_or(is_current);
        is_as_before.then(|| grounds.entry.upgrade())?
    }
}

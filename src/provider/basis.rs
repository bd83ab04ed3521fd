//! On what an answer rests, and whether the next one to the same request would be the same.

use std::sync::{Arc, Weak};

use super::shared::Held;
use super::{Provider, now};
use crate::kubernetes::Edition;
use crate::model::{ObjectChoice, ObjectNames, Resource};
use crate::rules::Catalog;
use crate::telemetry::CacheOutcome;

/// On what an answer rests. It keeps none of it alive.
#[derive(Debug)]
pub struct Basis {
    pub(super) catalog: Weak<Catalog>,
    pub(super) resource: Arc<Resource>,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) choice: ObjectChoice,
    /// The objects chosen.
    pub(super) names: ObjectNames,
    /// What they were found in; `None` where they were named.
    pub(super) objects: Option<Edition>,
    pub(super) held: Held,
}

impl Provider {
    /// Whether the same request has the same answer now: same rules, same objects, same samples, and these fresh.
    ///
    /// If so, it counts as asked. Nothing is waited for.
    pub fn stands(&self, basis: &Basis) -> bool {
        let is_same_catalog = Arc::as_ptr(&self.catalog.load()) == Weak::as_ptr(&basis.catalog);
        let are_same_objects = || {
            let objects = basis.objects.as_ref();
            let known = &self.sources.objects;
            objects
                .is_none_or(|objects| known.is_current(objects, &basis.resource, basis.namespace.as_deref()))
        };
        let Basis {
            held, choice, names, ..
        } = basis;
        let stands = is_same_catalog && are_same_objects() && self.shared.is_held(held, choice, names, now());
        if stands {
            self.sources.metrics.cache(CacheOutcome::Refreshed);
        }
        stands
    }
}

//! Lists of resources as they are sent, written once for each catalog.
//!
//! kube-apiserver and every `kubectl` ask for them again and again, and with thousands of metrics writing and
//! compressing one takes longer than all else that the adapter does.

use super::discovery::ApiResourceList;
use super::reply::Written;
use crate::rules::Catalog;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The lists of the last catalog that was asked for.
#[derive(Default)]
pub(super) struct Listings(Mutex<Listed>);

#[derive(Default)]
struct Listed {
    catalog: Option<Arc<Catalog>>,
    /// By group and version.
    lists: HashMap<String, Arc<Written>>,
}

impl Listings {
    /// The list of a group and version, which is written if it was not yet. Whoever asks meanwhile waits for it.
    pub(super) fn written<Fault>(
        &self,
        catalog: &Arc<Catalog>,
        group_version: &str,
        list: impl FnOnce(&Catalog) -> Result<ApiResourceList, Fault>,
    ) -> Result<Arc<Written>, Fault> {
        let mut listed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |known: &Arc<Catalog>| Arc::ptr_eq(known, catalog);
        if !listed.catalog.as_ref().is_some_and(is_same) {
            *listed = Listed {
                catalog: Some(Arc::clone(catalog)),
                lists: HashMap::new(),
            };
        }
        if let Some(written) = listed.lists.get(group_version) {
            return Ok(Arc::clone(written));
        }
        let written = Arc::new(Written::new(&list(catalog)?));
        listed
            .lists
            .insert(group_version.to_owned(), Arc::clone(&written));
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::discovery::usage_resources;

    #[test]
    fn list_is_written_once_for_each_catalog() {
        let listings = Listings::default();
        let [one, other] = [(); 2].map(|()| Arc::new(Catalog::default()));
        let written = |catalog| {
            let mut times = 0;
            for _ in 0..2 {
                let list = listings.written(catalog, "metrics.k8s.io/v1beta1", |_| {
                    times += 1;
                    Ok::<_, ()>(usage_resources())
                });
                assert!(list.is_ok());
            }
            times
        };
        assert_eq!((written(&one), written(&one), written(&other)), (1, 0, 1));
    }

    #[test]
    fn list_that_is_not_served_is_asked_for_again() {
        let (listings, catalog) = (Listings::default(), Arc::default());
        let refused = listings.written(&catalog, "other/v1", |_| Err("it is not served"));
        assert!(refused.is_err());
        let served = listings.written(&catalog, "other/v1", |_| Ok::<_, ()>(usage_resources()));
        assert!(served.is_ok());
    }
}

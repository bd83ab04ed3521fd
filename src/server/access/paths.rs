//! Paths that need no permission.

use crate::model::Action;

/// Paths that anyone may ask for. Resources are never among them.
///
/// Source: apiserver, `pkg/authorization/path/path.go`, 1.36.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenPaths(Vec<String>);

impl OpenPaths {
    /// Paths as they are, or with `*` at their end all that begin so.
    pub(super) fn new(paths: &[String]) -> OpenPaths {
        let trimmed = paths.iter().map(|path| path.trim_start_matches('/').to_owned());
        OpenPaths(trimmed.collect())
    }

    pub(super) fn have(&self, action: &Action) -> bool {
        let Action::Path { path, .. } = action else {
            return false;
        };
        let path = path.trim_start_matches('/');
        self.0.iter().any(|open| match open.strip_suffix('*') {
            Some(begin) => path.starts_with(begin),
            None => path == open,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::action;

    fn is_open(open: &str, path: &str) -> bool {
        let paths: Vec<String> = open.split(',').map(str::to_owned).collect();
        OpenPaths::new(&paths).have(&action("GET", path, ""))
    }

    #[test]
    fn a_path_is_open_alone_or_with_all_that_begin_so() {
        assert!(is_open("/healthz,/metrics", "/metrics"));
        assert!(!is_open("/metrics", "/metrics/more"));
        assert!(!is_open("/metrics", "/"));
        assert!(is_open("/livez*", "/livez/ping"));
        assert!(is_open("/*", "/apis/custom.metrics.k8s.io/v1beta1"));
    }

    #[test]
    fn no_path_opens_a_metric() {
        let metric = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/ns/pods/p/m";
        assert!(!is_open("/*", metric));
        assert!(!is_open(metric, metric));
        assert!(!is_open("/*", &format!("/explain{metric}")));
    }
}

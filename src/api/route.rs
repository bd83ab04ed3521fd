//! Where a path leads.
//!
//! Cut by hand: expressions for the paths took a third of what a warm request takes.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    Root,
    Version,
    OpenApiV2,
    OpenApiV3Index,
    OpenApiV3 {
        group: &'a str,
        version: &'a str,
    },
    Groups,
    Group(&'a str),
    Resources {
        group: &'a str,
        version: &'a str,
    },
    /// Below a version: the path says it all, and is read with its parameters.
    Metrics,
    Explain,
}

impl<'a> Route<'a> {
    /// Where a path leads, if it is to something that is served. One trailing slash changes nothing.
    pub(super) fn of(path: &'a str) -> Option<Self> {
        let mut segments = path.strip_prefix('/')?.splitn(4, '/');
        let first = segments.next()?;
        let rest = [segments.next(), segments.next(), segments.next()];
        match (first, rest) {
            ("", [None, ..]) => Some(Route::Root),
            ("version", [None | Some(""), None, _]) => Some(Route::Version),
            ("apis", rest) => Route::of_apis(rest),
            ("openapi", [Some("v2"), None, _]) => Some(Route::OpenApiV2),
            ("openapi", [Some("v3"), None | Some(""), None]) => Some(Route::OpenApiV3Index),
            ("openapi", [Some("v3"), Some("apis"), Some(rest)]) => {
                let (group, version) = rest.split_once('/')?;
                let is_one = !group.is_empty() && !version.is_empty() && !version.contains('/');
                is_one.then_some(Route::OpenApiV3 { group, version })
            }
            ("explain", [Some(_), ..]) => Some(Route::Explain),
            _ => None,
        }
    }

    fn of_apis(segments: [Option<&'a str>; 3]) -> Option<Self> {
        match segments {
            [None | Some(""), None, _] => Some(Route::Groups),
            [Some(""), ..] | [_, Some(""), Some(_)] => None,
            [Some(group), None | Some(""), None] => Some(Route::Group(group)),
            [Some(group), Some(version), None | Some("")] => Some(Route::Resources { group, version }),
            [Some(_), Some(_), Some(_)] => Some(Route::Metrics),
            [_, None, _] | [None, ..] => None,
        }
    }

    /// The name under which requests are counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Route::Root => "/",
            Route::Version => "/version",
            Route::OpenApiV2 => "/openapi/v2",
            Route::OpenApiV3Index => "/openapi/v3",
            Route::OpenApiV3 { .. } => "/openapi/v3/apis/{group}/{version}",
            Route::Groups => "/apis",
            Route::Group(_) => "/apis/{group}",
            Route::Resources { .. } => "/apis/{group}/{version}",
            Route::Metrics => "/apis/{group}/{version}/{rest:.*}",
            Route::Explain => "/explain/{path:.*}",
        }
    }
}

/// The name under which requests for a path are counted, if it is served.
pub fn route_name(path: &str) -> Option<&'static str> {
    Route::of(path).map(Route::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_what_is_served_with_and_without_a_trailing_slash() {
        for (path, name) in [
            ("/", "/"),
            ("/version", "/version"),
            ("/version/", "/version"),
            ("/openapi/v2", "/openapi/v2"),
            ("/openapi/v3/", "/openapi/v3"),
            ("/openapi/v3/apis/g/v1", "/openapi/v3/apis/{group}/{version}"),
            ("/apis", "/apis"),
            ("/apis/", "/apis"),
            ("/apis/g", "/apis/{group}"),
            ("/apis/g/", "/apis/{group}"),
            ("/apis/g/v1", "/apis/{group}/{version}"),
            ("/apis/g/v1/", "/apis/{group}/{version}"),
            ("/apis/g/v1/x", "/apis/{group}/{version}/{rest:.*}"),
            ("/apis/g/v1//", "/apis/{group}/{version}/{rest:.*}"),
            (
                "/apis/g/v1/namespaces/n/pods/*/m",
                "/apis/{group}/{version}/{rest:.*}",
            ),
            ("/explain/", "/explain/{path:.*}"),
            ("/explain/apis/g/v1/x", "/explain/{path:.*}"),
        ] {
            assert_eq!(route_name(path), Some(name), "{path}");
        }
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "//",
            "/api",
            "/versions",
            "/version//",
            "/apis//",
            "/apis//v1",
            "/apis/g//",
            "/apis/g//x",
            "/openapi",
            "/openapi/v2/",
            "/openapi/v3//",
            "/openapi/v3/apis",
            "/openapi/v3/apis/g",
            "/openapi/v3/apis/g/v1/x",
            "/openapi/v3/apis//v1",
            "/explain",
        ] {
            assert_eq!(route_name(path), None, "{path}");
        }
    }

    #[test]
    fn documents_are_told_their_group_and_version() {
        assert_eq!(Route::of("/apis/g/"), Some(Route::Group("g")));
        let (group, version) = ("g", "v1");
        assert_eq!(Route::of("/apis/g/v1"), Some(Route::Resources { group, version }));
        assert_eq!(
            Route::of("/openapi/v3/apis/g/v1"),
            Some(Route::OpenApiV3 { group, version })
        );
    }
}

//! One request, and how it is written.

use reqwest::Url;

use super::error::Error;
use crate::config::Method;

/// Longest encoded query that `Method::Auto` puts into a URL.
/// Proxies commonly refuse request lines beyond 4 or 8 KiB; the rest of the URL and the headers need room too.
const LONGEST_SHORT_QUERY_BYTES: usize = 2048;

/// Longest URL that can be written at all; the `http` crate's limit on a URI.
const LONGEST_URL_BYTES: usize = u16::MAX as usize - 1;

/// A question to the backend.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Path below the base URL: `/api/v1/query`.
    pub path: &'a str,
    /// Parameters in their order, not encoded; a name may repeat.
    pub parameters: Vec<(&'a str, String)>,
    /// How it may be sent.
    pub verbs: Verbs,
    /// Largest answer, after decompression.
    pub limit_bytes: usize,
}

/// With which verbs an endpoint can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// GET, or POST with the parameters as a form.
    GetOrPost,
    /// GET alone, whatever the settings say.
    Get,
}

/// Where a request goes, and whether its parameters are in the URL or in a form.
#[derive(Debug)]
pub(crate) enum Target {
    /// With the parameters in the URL.
    Get(Url),
    /// With the parameters in a form.
    Post(Url),
}

impl Request<'_> {
    /// Where the request goes from a base URL, whose own parameters are kept with either verb.
    pub(crate) fn target(&self, base: &Url, method: Method) -> Result<Target, Error> {
        let url = join(base, self.path);
        let mut complete = url.clone();
        complete.query_pairs_mut().extend_pairs(&self.parameters);
        let url_bytes = complete.as_str().len();
        if self.posts(method, &complete) {
            Ok(Target::Post(url))
        } else if url_bytes > LONGEST_URL_BYTES {
            Err(Error::TooLongForGet { url_bytes })
        } else {
            Ok(Target::Get(complete))
        }
    }

    fn posts(&self, method: Method, complete: &Url) -> bool {
        let query_bytes = complete.query().map_or(0, str::len);
        match (self.verbs, method) {
            (Verbs::Get, _) | (_, Method::Get) => false,
            (Verbs::GetOrPost, Method::Post) => true,
            (Verbs::GetOrPost, Method::Auto) => query_bytes > LONGEST_SHORT_QUERY_BYTES,
        }
    }
}

/// Puts a path below the base URL. Doubled and trailing slashes of the base fall away, as with Go's `path.Join`.
fn join(base: &Url, path: &str) -> Url {
    let segments = base
        .path()
        .split('/')
        .chain(path.split('/'))
        .filter(|segment| !segment.is_empty());
    let joined = segments.fold(String::new(), |joined, segment| joined + "/" + segment);
    let mut url = base.clone();
    url.set_path(&joined);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_goes_below_the_base_whatever_its_slashes() {
        for (base, joined) in [
            ("https://h", "https://h/api/v1/query"),
            ("https://h/", "https://h/api/v1/query"),
            ("https://h/prom/", "https://h/prom/api/v1/query"),
            ("https://h//prom//a%2Fb", "https://h/prom/a%2Fb/api/v1/query"),
            (
                "https://h/select/0/?dedup=true",
                "https://h/select/0/api/v1/query?dedup=true",
            ),
        ] {
            let url = join(&Url::parse(base).unwrap(), "/api/v1/query");
            assert_eq!(url.as_str(), joined);
        }
    }

    /// The verb and how the URL begins and ends, for a query of this length.
    fn check(length: usize, verbs: Verbs, method: Method) -> String {
        let parameters = vec![("query", "x".repeat(length))];
        let request = Request {
            path: "/api/v1/query",
            parameters,
            verbs,
            limit_bytes: 1,
        };
        match request.target(&Url::parse("http://h/?a=b").unwrap(), method) {
            Ok(Target::Get(url)) => format!("GET {}", url.as_str().replace(&"x".repeat(length), "…")),
            Ok(Target::Post(url)) => format!("POST {url}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn verb_follows_the_setting_and_the_length_and_the_urls_own_parameters_stay() {
        let (get, post) = (
            "GET http://h/api/v1/query?a=b&query=…",
            "POST http://h/api/v1/query?a=b",
        );
        assert_eq!(check(10, Verbs::GetOrPost, Method::Auto), get);
        assert_eq!(check(3000, Verbs::GetOrPost, Method::Auto), post);
        assert_eq!(check(10, Verbs::GetOrPost, Method::Post), post);
        assert_eq!(check(3000, Verbs::GetOrPost, Method::Get), get);
        assert_eq!(check(3000, Verbs::Get, Method::Post), get);
    }

    #[test]
    fn query_beyond_any_url_is_refused_for_get() {
        let refused = "the query is too long for a GET request (70032 bytes)";
        assert_eq!(check(70_000, Verbs::GetOrPost, Method::Get), refused);
    }
}

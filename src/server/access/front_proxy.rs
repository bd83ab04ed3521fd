//! Front proxies, such as kube-apiserver, that say in headers who asks.
//!
//! Headers count only together with a certificate of a front proxy. They are never handed on.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use arc_swap::ArcSwapOption;
use percent_encoding::percent_decode_str;
use rustls::server::danger::ClientCertVerifier;

use super::Said;
use super::connection::{Shown, common_name};
use crate::model::{FrontProxy, User};

/// Whose word is believed; nobody's while there is no authority.
#[derive(Debug, Default)]
pub(super) struct FrontProxies(ArcSwapOption<Proxy>);

/// A front proxy that is believed.
#[derive(Debug)]
pub(super) struct Proxy {
    verifier: Arc<dyn ClientCertVerifier>,
    allowed_names: Vec<String>,
    headers: Headers,
}

/// Where it says who asks.
#[derive(Debug)]
struct Headers {
    user: Vec<HeaderName>,
    uid: Vec<HeaderName>,
    group: Vec<HeaderName>,
    extra_prefixes: Vec<String>,
}

impl FrontProxies {
    #[cfg(test)]
    pub(super) fn is_some(&self) -> bool {
        self.0.load().is_some()
    }

    /// From now on this one is believed, or nobody.
    pub(super) fn trust(&self, proxy: Option<(Arc<dyn ClientCertVerifier>, FrontProxy)>) {
        let proxy = proxy.map(|(verifier, settings)| Proxy {
            verifier,
            headers: Headers::of(&settings),
            allowed_names: settings.allowed_names,
        });
        self.0.store(proxy.map(Arc::new));
    }

    /// Who asks, as the front proxy says.
    pub(super) fn user(&self, request: &HttpRequest) -> Said<User> {
        let Some((shown, proxy)) = request.conn_data::<Shown>().zip(self.0.load_full()) else {
            return Said::Nothing;
        };
        match shown.proxy.of(&proxy, || proxy.is(shown)) {
            true => proxy
                .headers
                .user(request.headers())
                .map_or(Said::Nothing, Said::Known),
            false => Said::Refused,
        }
    }
}

impl Proxy {
    /// Whether this certificate is its own.
    fn is(&self, shown: &Shown) -> bool {
        let Some(leaf) = shown.vouched(self.verifier.as_ref()) else {
            return false;
        };
        let allowed = &self.allowed_names;
        let name = common_name(&leaf).unwrap_or_default();
        allowed.is_empty() || allowed.iter().any(|allowed| allowed == name)
    }
}

impl Headers {
    /// What cannot be the name of a header names none.
    fn of(settings: &FrontProxy) -> Headers {
        let names = |names: &[String]| -> Vec<HeaderName> {
            let names = names.iter().map(|name| HeaderName::from_bytes(name.as_bytes()));
            names.flatten().collect()
        };
        Headers {
            user: names(&settings.user_headers),
            uid: names(&settings.uid_headers),
            group: names(&settings.group_headers),
            extra_prefixes: settings.extra_prefixes.clone(),
        }
    }

    /// Source: apiserver, `pkg/authentication/request/headerrequest/requestheader.go`, 1.36.
    fn user(&self, sent: &HeaderMap) -> Option<User> {
        let first = |names| values(sent, names).next().map(str::to_owned);
        Some(User {
            name: first(&self.user)?,
            uid: first(&self.uid).unwrap_or_default(),
            groups: values(sent, &self.group).map(str::to_owned).collect(),
            extra: extra(sent, &self.extra_prefixes),
        })
    }
}

/// What is sent under these names, empty values left out.
fn values<'a>(sent: &'a HeaderMap, names: &'a [HeaderName]) -> impl Iterator<Item = &'a str> {
    let values = names.iter().flat_map(|name| sent.get_all(name));
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.filter(|text| !text.is_empty())
}

/// The part of a header's name behind a prefix is the key, in lower case and percent-encoded.
fn extra(headers: &HeaderMap, prefixes: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let key = prefixes.iter().find_map(|prefix| {
            let (begin, key) = name.as_str().split_at_checked(prefix.len())?;
            begin.eq_ignore_ascii_case(prefix).then_some(key)
        });
        if let Some((key, value)) = key.zip(value.to_str().ok()) {
            let decoded = percent_decode_str(key).decode_utf8();
            let key = decoded.map_or_else(|_| key.to_owned(), |key| key.into_owned());
            extra.entry(key).or_default().push(value.to_owned());
        }
    }
    extra
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn read(lines: &[(&str, &str)]) -> Option<User> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let proxy = FrontProxy {
            allowed_names: Vec::new(),
            user_headers: list(&["X-Remote-User", "X-User"]),
            uid_headers: list(&["X-Remote-Uid"]),
            group_headers: list(&["X-Remote-Group"]),
            extra_prefixes: list(&["X-Remote-Extra-"]),
        };
        Headers::of(&proxy).user(&headers)
    }

    #[test]
    fn every_line_of_a_group_counts_and_commas_do_not_part_them() {
        let user = read(&[
            ("X-Remote-User", "kim"),
            ("x-remote-group", "a,b"),
            ("X-Remote-Group", "c"),
            ("X-Remote-Group", ""),
            ("X-Remote-Uid", "42"),
        ])
        .unwrap();
        assert_eq!((user.name.as_str(), user.uid.as_str()), ("kim", "42"));
        assert_eq!(user.groups, ["a,b", "c"]);
    }

    #[test]
    fn the_first_header_that_names_somebody_counts() {
        assert_eq!(
            read(&[("X-User", "kim"), ("X-Remote-User", "")]).unwrap().name,
            "kim"
        );
        assert_eq!(
            read(&[("X-User", "kim"), ("X-Remote-User", "lee")]).unwrap().name,
            "lee"
        );
        assert_eq!(read(&[("X-Remote-Group", "system:masters")]), None);
    }

    #[test]
    fn keys_of_what_else_is_known_are_decoded() {
        let user = read(&[
            ("X-Remote-User", "kim"),
            ("X-Remote-Extra-Acme.com%2fproject", "one"),
            ("X-Remote-Extra-Acme.com%2fproject", "two"),
            ("X-Remote-Extra-Broken%ff", "x"),
        ])
        .unwrap();
        assert_eq!(user.extra["acme.com/project"], ["one", "two"]);
        assert_eq!(user.extra["broken%ff"], ["x"]);
    }
}

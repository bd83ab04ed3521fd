//! The `Authorization` header of each request.

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{RequestBuilder, Url};

use super::credentials::{Authorization, Credentials, Source};
use super::error::Error;
use super::reloading::Reloading;
use crate::config::BackendSettings;

/// What is put into the header now.
#[derive(Clone)]
pub(crate) enum Proof {
    Basic { username: String, password: String },
    Bearer(HeaderValue),
}

/// Decides between the ways in which a request can prove who sends it.
///
/// A user outranks a token, as the URL's user does in prometheus-adapter: Go's client sets the header from
/// the URL first, and client-go's token wrapper leaves a header alone that is already set.
pub(crate) fn choose(
    settings: &BackendSettings,
    base: &Url,
    credentials: &Credentials,
) -> Result<Option<Reloading<Proof>>, Error> {
    let from_settings = from_settings(settings)?;
    from_url(base)?
        .or(from_settings)
        .or_else(|| credentials.authorization.clone())
        .map(reloading)
        .transpose()
}

/// Adds the header.
pub(crate) fn apply(request: RequestBuilder, proof: Proof) -> RequestBuilder {
    match proof {
        Proof::Basic { username, password } => request.basic_auth(username, Some(password)),
        Proof::Bearer(value) => request.header(AUTHORIZATION, value),
    }
}

fn from_settings(settings: &BackendSettings) -> Result<Option<Authorization>, Error> {
    let file = |path: &std::path::PathBuf| Source::File(path.clone());
    match (&settings.username, &settings.token_file) {
        (Some(_), Some(_)) => Err(Error::setting(
            "tokenFile",
            "a backend has either a user or a token",
        )),
        (Some(username), None) => Ok(Some(Authorization::Basic {
            username: username.clone(),
            password: settings
                .password_file
                .as_ref()
                .map_or(Source::Text(String::new()), file),
        })),
        (None, Some(path)) => Ok(Some(Authorization::Bearer(file(path)))),
        (None, None) => Ok(None),
    }
}

fn from_url(base: &Url) -> Result<Option<Authorization>, Error> {
    let plain = |text: &str| {
        percent_decode(text)
            .ok_or_else(|| Error::setting("url", "user or password is not valid percent-encoding"))
    };
    if base.username().is_empty() && base.password().is_none() {
        return Ok(None);
    }
    let username = plain(base.username())?;
    let password = Source::Text(plain(base.password().unwrap_or_default())?);
    Ok(Some(Authorization::Basic { username, password }))
}

/// Decodes `%2B` and the like; `None` for what is not UTF-8 or not hexadecimal.
fn percent_decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn reloading(authorization: Authorization) -> Result<Reloading<Proof>, Error> {
    match authorization {
        Authorization::Basic { username, password } => {
            Reloading::new("password", vec![password], move |texts| {
                let password = texts[0].trim_end_matches(['\r', '\n']).to_owned();
                Ok(Proof::Basic {
                    username: username.clone(),
                    password,
                })
            })
        }
        Authorization::Bearer(token) => {
            Reloading::new("bearer token", vec![token], |texts| bearer(&texts[0]))
        }
    }
}

fn bearer(token: &str) -> Result<Proof, Error> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Error::credentials("bearer token", "it is empty"));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|error| Error::credentials("bearer token", error))?;
    value.set_sensitive(true);
    Ok(Proof::Bearer(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_of_the_url_is_decoded() {
        let base = Url::parse("http://a%40b:p%3Aw%25@prometheus").unwrap();
        let Some(Authorization::Basic { username, password }) = from_url(&base).unwrap() else {
            panic!("the URL names a user");
        };
        assert_eq!(
            (username.as_str(), password),
            ("a@b", Source::Text("p:w%".to_owned()))
        );
    }

    #[test]
    fn token_is_trimmed_and_must_not_be_empty() {
        let Ok(Proof::Bearer(value)) = bearer(" abc\n") else {
            panic!("a token is a token")
        };
        assert_eq!(value.to_str().unwrap(), "Bearer abc");
        assert!(bearer("\n").is_err());
        assert!(bearer("a\nb").is_err());
    }
}

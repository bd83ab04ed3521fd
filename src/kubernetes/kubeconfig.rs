//! What of a kubeconfig is a credential.

use k8s_openapi::ByteString;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::IntoDeserializer;

use super::credentials::{BackendAuthorization, BackendCredentials, CredentialSource};

/// The credentials of the current context, or what is wrong: the entry first, the cure last.
pub(super) fn credentials(kubeconfig: &Kubeconfig) -> Result<BackendCredentials, String> {
    let context = current_context(kubeconfig)?;
    let cluster = cluster(kubeconfig, &context.cluster)?;
    refuse_unsupported_cluster(cluster)
        .map_err(|problem| format!("cluster `{}`: {problem}", context.cluster))?;
    let certificate_authority = source(
        cluster.certificate_authority_data.as_deref(),
        cluster.certificate_authority.as_deref(),
    );
    let mut credentials = BackendCredentials {
        certificate_authority: certificate_authority.map_err(|problem| {
            format!(
                "cluster `{}`: `certificate-authority-data` {problem}",
                context.cluster
            )
        })?,
        insecure_skip_tls_verify: cluster.insecure_skip_tls_verify.unwrap_or(false),
        ..BackendCredentials::default()
    };
    if let Some(name) = context.user.as_deref().filter(|name| !name.is_empty()) {
        let named = |problem: String| format!("user `{name}`: {problem}");
        let user = user(kubeconfig, name)?;
        refuse_unsupported_user(user).map_err(named)?;
        credentials.client_certificate = client_certificate(user).map_err(named)?;
        credentials.authorization = authorization(user);
    }
    Ok(credentials)
}

fn current_context(kubeconfig: &Kubeconfig) -> Result<&Context, String> {
    let name = kubeconfig
        .current_context
        .as_deref()
        .filter(|name| !name.is_empty());
    let name = name.ok_or("`current-context` is not set")?;
    let found = kubeconfig.contexts.iter().find(|context| context.name == name);
    found
        .and_then(|named| named.context.as_ref())
        .ok_or_else(|| format!("there is no context `{name}`"))
}

fn cluster<'a>(kubeconfig: &'a Kubeconfig, name: &str) -> Result<&'a Cluster, String> {
    let found = kubeconfig.clusters.iter().find(|cluster| cluster.name == name);
    found
        .and_then(|named| named.cluster.as_ref())
        .ok_or_else(|| format!("there is no cluster `{name}`"))
}

fn user<'a>(kubeconfig: &'a Kubeconfig, name: &str) -> Result<&'a AuthInfo, String> {
    let found = kubeconfig.auth_infos.iter().find(|user| user.name == name);
    found
        .and_then(|named| named.auth_info.as_ref())
        .ok_or_else(|| format!("there is no user `{name}`"))
}

fn refuse_unsupported_cluster(cluster: &Cluster) -> Result<(), String> {
    refuse(
        cluster.proxy_url.is_some(),
        "proxy-url",
        "set `HTTPS_PROXY` for the adapter",
    )?;
    let cure = "use an address that is in the certificate";
    refuse(cluster.tls_server_name.is_some(), "tls-server-name", cure)
}

fn refuse_unsupported_user(user: &AuthInfo) -> Result<(), String> {
    let token_file = "write the token to a file and name it as `tokenFile`";
    refuse(user.exec.is_some(), "exec", token_file)?;
    refuse(user.auth_provider.is_some(), "auth-provider", token_file)?;
    let impersonates = user.impersonate.is_some()
        || user.impersonate_uid.is_some()
        || user.impersonate_groups.is_some()
        || user.impersonate_user_extra.is_some();
    refuse(
        impersonates,
        "as",
        "a metrics backend knows no impersonation; take it out",
    )
}

fn refuse(is_set: bool, key: &str, cure: &str) -> Result<(), String> {
    match is_set {
        true => Err(format!(
            "`{key}` is not supported for a metrics backend\n  hint: {cure}"
        )),
        false => Ok(()),
    }
}

fn client_certificate(user: &AuthInfo) -> Result<Option<(CredentialSource, CredentialSource)>, String> {
    let certificate = source(
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
    )
    .map_err(|problem| format!("`client-certificate-data` {problem}"))?;
    let key = source(
        user.client_key_data.as_ref().map(ExposeSecret::expose_secret),
        user.client_key.as_deref(),
    )
    .map_err(|problem| format!("`client-key-data` {problem}"))?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err("`client-certificate` needs `client-key`".to_owned()),
        (None, Some(_)) => Err("`client-key` needs `client-certificate`".to_owned()),
    }
}

/// The file of a token outranks the token itself, as in client-go (`rest.Config.BearerTokenFile`).
fn authorization(user: &AuthInfo) -> Option<BackendAuthorization> {
    let text = |secret: &SecretString| CredentialSource::Text(secret.expose_secret().to_owned());
    let set = |text: &&String| !text.is_empty();
    let file = user
        .token_file
        .as_ref()
        .filter(set)
        .map(|path| CredentialSource::File(path.into()));
    let token = file.or_else(|| user.token.as_ref().map(text));
    let basic = || {
        let password = user
            .password
            .as_ref()
            .map_or(CredentialSource::Text(String::new()), text);
        let username = user.username.clone().filter(|username| !username.is_empty())?;
        Some(BackendAuthorization::Basic { username, password })
    };
    token.map(BackendAuthorization::Bearer).or_else(basic)
}

/// Data in base64, which outranks the file beside it.
fn source(data: Option<&str>, file: Option<&str>) -> Result<Option<CredentialSource>, String> {
    let not_text = || "is not base64 of text".to_owned();
    match (
        data.filter(|data| !data.is_empty()),
        file.filter(|file| !file.is_empty()),
    ) {
        (Some(data), _) => {
            let decoded: Result<ByteString, serde::de::value::Error> =
                ByteString::deserialize(data.into_deserializer());
            let ByteString(bytes) = decoded.map_err(|_| not_text())?;
            let text = String::from_utf8(bytes).map_err(|_| not_text())?;
            Ok(Some(CredentialSource::Text(text)))
        }
        (None, Some(file)) => Ok(Some(CredentialSource::File(file.into()))),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::kubernetes::{CredentialsError, from_kubeconfig};

    /// The credentials of a kubeconfig with these keys in its cluster and its user, or why there are none.
    fn check(cluster: &str, user: &str) -> Result<BackendCredentials, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: main\n\
             contexts: [{{name: main, context: {{cluster: home, user: adapter}}}}]\n\
             clusters: [{{name: home, cluster: {{server: 'https://k', {cluster}}}}}]\n\
             users: [{{name: adapter, user: {{{user}}}}}]\n"
        );
        std::fs::write(&path, text).unwrap();
        from_kubeconfig(&path).map_err(|error| {
            let place = format!("kubeconfig `{}`: ", path.display());
            error.to_string().replace(&place, "")
        })
    }

    fn text(text: &str) -> CredentialSource {
        CredentialSource::Text(text.to_owned())
    }

    #[test]
    fn data_in_the_kubeconfig_is_decoded_and_outranks_files() {
        let cluster = "certificate-authority-data: YXV0aG9yaXR5, certificate-authority: ca.crt";
        let user = "client-certificate-data: Y2VydA==, client-key-data: a2V5, token: secret";
        let credentials = check(cluster, user).unwrap();
        assert_eq!(credentials.certificate_authority, Some(text("authority")));
        assert_eq!(credentials.client_certificate, Some((text("cert"), text("key"))));
        assert_eq!(
            credentials.authorization,
            Some(BackendAuthorization::Bearer(text("secret")))
        );
        assert!(!credentials.insecure_skip_tls_verify);
    }

    #[test]
    fn files_are_relative_to_the_kubeconfig_and_are_not_read_here() {
        let credentials = check("certificate-authority: ca.crt", "tokenFile: token, token: old").unwrap();
        let Some(CredentialSource::File(ca)) = credentials.certificate_authority else {
            panic!("a file")
        };
        assert!(ca.is_absolute() && ca.ends_with("ca.crt"));
        let Some(BackendAuthorization::Bearer(CredentialSource::File(token))) = credentials.authorization
        else {
            panic!("a file, which outranks the token")
        };
        assert!(token.is_absolute() && token.ends_with("token"));
    }

    #[test]
    fn user_and_password_are_taken() {
        let credentials = check("insecure-skip-tls-verify: true", "username: u, password: p").unwrap();
        let basic = BackendAuthorization::Basic {
            username: "u".to_owned(),
            password: text("p"),
        };
        assert_eq!(credentials.authorization, Some(basic));
        assert!(credentials.insecure_skip_tls_verify);
    }

    #[test]
    fn what_is_not_supported_is_refused_and_names_the_entry() {
        let refusal = |cluster, user| {
            check(cluster, user)
                .unwrap_err()
                .lines()
                .next()
                .unwrap()
                .to_owned()
        };
        let plugin = refusal(
            "",
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: aws}",
        );
        assert_eq!(
            plugin,
            "user `adapter`: `exec` is not supported for a metrics backend"
        );
        let provider = refusal("", "auth-provider: {name: gcp, config: {}}");
        assert_eq!(
            provider,
            "user `adapter`: `auth-provider` is not supported for a metrics backend"
        );
        assert_eq!(
            refusal("", "as: root"),
            "user `adapter`: `as` is not supported for a metrics backend"
        );
        let proxy = refusal("proxy-url: 'http://p'", "");
        assert_eq!(
            proxy,
            "cluster `home`: `proxy-url` is not supported for a metrics backend"
        );
        assert_eq!(
            refusal("", "client-certificate: a"),
            "user `adapter`: `client-certificate` needs `client-key`"
        );
        let data = refusal("certificate-authority-data: '?'", "");
        assert_eq!(
            data,
            "cluster `home`: `certificate-authority-data` is not base64 of text"
        );
    }

    #[test]
    fn missing_parts_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("kubeconfig");
        let problem = |text: &str| {
            std::fs::write(&path, text).unwrap();
            match from_kubeconfig(&path).unwrap_err() {
                CredentialsError::Unusable { problem, .. } => problem,
                other => other.to_string(),
            }
        };
        assert_eq!(problem("kind: Config\n"), "`current-context` is not set");
        assert_eq!(problem("current-context: a\n"), "there is no context `a`");
        let context = "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n";
        assert_eq!(problem(context), "there is no cluster `c`");
        assert!(problem("a: [").ends_with("cannot be read"));
        let missing = from_kubeconfig(Path::new("/does/not/exist")).unwrap_err();
        assert_eq!(missing.to_string(), "kubeconfig `/does/not/exist` cannot be read");
    }
}

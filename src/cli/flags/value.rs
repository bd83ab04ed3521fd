//! Values of flags: what each kind accepts.

use crate::config::{OverrideValue, known_cipher_suite, scalar, tls_version};

/// What a flag takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Any text.
    Text,
    /// Texts with commas between them; the flag may be repeated.
    Texts,
    /// Names of headers with commas between them, none blank.
    HeaderNames,
    /// The path of a file or directory, empty for none.
    Path,
    /// A URL.
    Url,
    /// An IP address.
    Address,
    /// A port.
    Port,
    /// A duration as Go writes it.
    Duration,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Whole,
    /// A whole number of HTTP/2 streams.
    Streams,
    /// Any number.
    Number,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `Name=value`; the flag may be repeated.
    Header,
    /// Names of cipher suites with commas between them.
    CipherSuites,
    /// `VersionTLS12` and its like.
    TlsVersion,
    /// `certificate,key` or `certificate,key:name,name`; the flag may be repeated.
    SniCertificate,
}

impl Kind {
    /// How the help calls the value.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Text => "TEXT",
            Kind::Texts | Kind::HeaderNames | Kind::CipherSuites => "NAME,…",
            Kind::Path => "PATH",
            Kind::Url => "URL",
            Kind::Address => "IP",
            Kind::Port => "PORT",
            Kind::Duration => "DURATION",
            Kind::Boolean => "BOOL",
            Kind::Whole | Kind::Streams | Kind::Number => "NUMBER",
            Kind::OneOf(_) => "WORD",
            Kind::Header => "NAME=VALUE",
            Kind::TlsVersion => "VERSION",
            Kind::SniCertificate => "CERT,KEY[:NAME,…]",
        }
    }

    /// Whether each occurrence of the flag counts, not only the last.
    pub(super) fn repeats(self) -> bool {
        match self {
            Kind::Texts | Kind::HeaderNames | Kind::CipherSuites | Kind::Header | Kind::SniCertificate => {
                true
            }
            Kind::Text
            | Kind::Path
            | Kind::Url
            | Kind::Address
            | Kind::Port
            | Kind::Duration
            | Kind::Boolean
            | Kind::Whole
            | Kind::Streams
            | Kind::Number
            | Kind::OneOf(_)
            | Kind::TlsVersion => false,
        }
    }

    /// The value as typed if it is acceptable, else what is wrong with it.
    pub(super) fn check(self, text: &str) -> Result<String, String> {
        match self {
            Kind::Text | Kind::Texts | Kind::Path | Kind::Header => Ok(()),
            Kind::HeaderNames => header_names(text),
            Kind::Url => scalar::url(text).map(drop),
            Kind::Address => scalar::address(text).map(drop),
            Kind::Port => scalar::port(text).map(drop),
            Kind::Duration => scalar::duration(text).map(drop),
            Kind::Boolean => boolean(text).map(drop),
            Kind::Whole => number::<i64>(text, "a whole number"),
            Kind::Streams => number::<u32>(text, "a whole number from 0 on"),
            Kind::Number => number::<f64>(text, "a number"),
            Kind::OneOf(words) => one_of(text, words),
            Kind::CipherSuites => cipher_suites(text),
            Kind::TlsVersion if text.is_empty() => Ok(()),
            Kind::TlsVersion => tls_version(text).map(drop),
            Kind::SniCertificate => sni_certificate(text).map(drop),
        }
        .map(|()| text.to_owned())
    }
}

/// The spellings of Go, `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("`{text}` is neither `true` nor `false`")),
    }
}

/// A header as the settings have it. Without an equals sign, the value is empty.
///
/// Source: prometheus-adapter v0.12.0, `cmd/adapter/adapter.go`, `parseHeaderArgs`.
pub(super) fn header(text: &str) -> OverrideValue {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let entry = |key: &str, text: &str| (key.to_owned(), OverrideValue::Text(text.to_owned()));
    OverrideValue::Mapping(vec![entry("name", name), entry("value", value)])
}

/// A certificate as the settings have it.
///
/// Source: k8s.io/component-base, `cli/flag/namedcertkey_flag.go`.
pub(super) fn sni_certificate(text: &str) -> Result<OverrideValue, String> {
    let (files, names) = text.split_once(':').unwrap_or((text, ""));
    let entry = |key: &str, text: &str| (key.to_owned(), OverrideValue::Text(text.trim().to_owned()));
    match files.split_once(',') {
        Some((certificate, key)) if !certificate.is_empty() && !key.is_empty() && !key.contains(',') => {
            let mut certificate = vec![entry("certFile", certificate), entry("keyFile", key)];
            if !names.is_empty() {
                certificate.push(entry("names", names));
            }
            Ok(OverrideValue::Mapping(certificate))
        }
        _ => Err("expected the files of certificate and key with a comma between them".to_owned()),
    }
}

fn header_names(text: &str) -> Result<(), String> {
    match text.split(',').any(|name| name.trim().is_empty()) {
        true => Err("the name of a header must not be blank".to_owned()),
        false => Ok(()),
    }
}

fn number<T: std::str::FromStr>(text: &str, kind: &str) -> Result<(), String> {
    text.parse::<T>()
        .map(drop)
        .map_err(|_| format!("`{text}` is not {kind}"))
}

fn one_of(text: &str, words: &[&str]) -> Result<(), String> {
    match words.contains(&text) {
        true => Ok(()),
        false => Err(format!("expected one of {}", words.join(", "))),
    }
}

fn cipher_suites(text: &str) -> Result<(), String> {
    let names = text.split(',').filter(|name| !name.is_empty());
    names
        .map(known_cipher_suite)
        .try_for_each(|known| known.map(drop))
}

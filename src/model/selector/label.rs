//! What a label's key and value may look like.
//!
//! Source: apimachinery, `pkg/api/validate/content`, whose words these are.

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_EXPRESSION: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const PREFIX: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const MOST_NAME_BYTES: usize = 63;
const MOST_PREFIX_BYTES: usize = 253;

/// Refuses what is not `[prefix/]name`.
pub(super) fn key_fault(key: &str) -> Result<(), String> {
    let faults = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => name_faults(name),
        [prefix, name] => {
            let mut faults = prefix_faults(prefix);
            faults.extend(name_faults(name));
            faults
        }
        _ => vec![format!(
            "a valid label key {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
            name_rule()
        )],
    };
    if faults.is_empty() {
        return Ok(());
    }
    // Kubernetes has no path to name here and prints Go's nil.
    Err(format!("<nil>: Invalid value: {key:?}: {}", faults.join("; ")))
}

/// What is wrong with a label's value, if anything.
pub(super) fn value_fault(value: &str) -> Option<String> {
    let mut faults = Vec::new();
    if value.len() > MOST_NAME_BYTES {
        faults.push(format!("must be no more than {MOST_NAME_BYTES} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        faults.push(format!(
            "a valid label must be an empty string or {} (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({NAME_EXPRESSION})?')",
            NAME.trim_start_matches("must ")
        ));
    }
    (!faults.is_empty()).then(|| faults.join("; "))
}

fn name_faults(name: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > MOST_NAME_BYTES {
        faults.push(format!("name part must be no more than {MOST_NAME_BYTES} bytes"));
    }
    if !is_name(name) {
        faults.push(format!("name part {}", name_rule()));
    }
    faults
}

fn prefix_faults(prefix: &str) -> Vec<String> {
    if prefix.is_empty() {
        return vec!["prefix part must be non-empty".to_owned()];
    }
    let mut faults = Vec::new();
    if prefix.len() > MOST_PREFIX_BYTES {
        faults.push(format!(
            "prefix part must be no more than {MOST_PREFIX_BYTES} bytes"
        ));
    }
    if !prefix.split('.').all(is_domain_label) {
        faults.push(format!("prefix part {PREFIX}"));
    }
    faults
}

fn name_rule() -> String {
    format!(
        "{NAME} (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{NAME_EXPRESSION}')"
    )
}

fn is_name(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    has_alphanumeric_ends(text) && text.bytes().all(inside)
}

fn is_domain_label(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    has_alphanumeric_ends(text) && text.bytes().all(inside)
}

fn has_alphanumeric_ends(text: &str) -> bool {
    let ends = text.bytes().next().zip(text.bytes().next_back());
    ends.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
}

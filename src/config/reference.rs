//! Writes `docs/reference/config.md` and `docs/reference/rules.md` from the tables of keys.

use std::collections::BTreeMap;

use super::load::load;
use super::section::{Field, Section};
use super::{
    access, backend, certificate_secret, embedded, kubernetes, objects_file, policies, resource_rules,
    rules_file, serving, settings, typed_rule, upstream_rule,
};
use crate::pages::check_page;

const CONFIG_HEAD: &str = "\
<!-- Written by a test from the tables in src/config; change them there and run `UPDATE=1 cargo test`. -->

# Settings

One YAML file, named by `--config`, holds settings and [rules](rules.md).
Each setting is taken from the strongest layer that has it, weakest first:

1. the default;
2. the file;
3. the environment: `PROMQL_ADAPTER__KEY__SUBKEY`, with `_` between the words of a key, as in `PROMQL_ADAPTER__FRESH_FOR=5s` and `PROMQL_ADAPTER__BACKENDS__DEFAULT__URL=http://prometheus:9090`; a list of words has commas; an empty variable counts as not set;
4. flags, see [cli.md](cli.md).

A duration has its unit: `500ms`, `10s`, `1m30s`, `1h`, `1d`.
Unknown keys and keys written twice are faults, and all faults are reported at once.
";

const RULES_HEAD: &str = "\
<!-- Written by a test from the tables in src/config; change them there and run `UPDATE=1 cargo test`. -->

# Rules

A rule makes metrics from series.
It stands under `rules` (for `custom.metrics.k8s.io`) or `externalRules` (for `external.metrics.k8s.io`), in the typed form or in prometheus-adapter's form.
An entry with `metric` is of the typed form, one with `seriesQuery` of prometheus-adapter's; both or neither is a fault.
";

#[test]
fn settings_page_is_what_the_code_says() {
    let sections = [
        &settings::SETTINGS,
        &backend::BACKEND,
        &backend::HEADER,
        &embedded::EMBEDDED,
        &embedded::TARGET,
        &embedded::PODS,
        &kubernetes::KUBERNETES,
        &serving::SERVING,
        &certificate_secret::CERTIFICATE_SECRET,
        &certificate_secret::SERVICE,
        &serving::SNI_CERTIFICATE,
        &access::ACCESS,
        &access::REQUEST_HEADER,
        &objects_file::OBJECTS_FILE,
        &objects_file::RESOURCE,
        &objects_file::OBJECT,
    ];
    check_page("docs/reference/config.md", &page(CONFIG_HEAD, &sections));
}

#[test]
fn rules_page_is_what_the_code_says() {
    let sections = [
        &typed_rule::TYPED_RULE,
        &typed_rule::RATE,
        &typed_rule::QUANTILE,
        &typed_rule::RATIO,
        &typed_rule::GAUGE,
        &typed_rule::QUERY,
        &upstream_rule::UPSTREAM_RULE,
        &upstream_rule::SERIES_FILTER,
        &upstream_rule::RESOURCES,
        &upstream_rule::OVERRIDE,
        &upstream_rule::NAME,
        &COMMON_KEYS,
        &policies::POLICY,
        &resource_rules::RESOURCE_RULES,
        &resource_rules::RESOURCE_RULE,
    ];
    check_page("docs/reference/rules.md", &page(RULES_HEAD, &sections));
}

#[test]
fn every_example_in_the_pages_is_accepted() {
    let settings = settings::SETTINGS.fields.iter();
    settings.for_each(|field| accept(field, "", ""));
    let backend = backend::BACKEND.fields.iter();
    backend.for_each(|field| accept(field, "backends: {default: {", "}}"));
    let (sources, limits) = embedded::EMBEDDED.fields.split_at(3);
    let of_embedded = |fields: &'static [Field], before: &str, after: &str| {
        let before = format!("backends: {{default: {{embedded: {{{before}");
        let fields = fields.iter();
        fields.for_each(|field| accept(field, &before, &format!("{after}}}}}}}")));
    };
    of_embedded(sources, "", "");
    of_embedded(limits, "annotatedPods: true, ", "");
    of_embedded(&embedded::TARGET.fields[..1], "targets: [{", "}]");
    of_embedded(
        &embedded::TARGET.fields[1..],
        "targets: [{url: 'http://a', ",
        "}]",
    );
    of_embedded(
        &embedded::PODS.fields[1..2],
        "pods: [{labelSelector: a, port: 1, ",
        "}]",
    );
    of_embedded(
        &embedded::PODS.fields[3..],
        "pods: [{labelSelector: a, port: 1, ",
        "}]",
    );
    let serving = serving::SERVING.fields.iter();
    serving.for_each(|field| accept(field, "serving: {", "}"));
    let access = access::ACCESS.fields.iter();
    access.for_each(|field| accept(field, "access: {", "}"));
    let request_header = access::REQUEST_HEADER.fields.iter();
    request_header.for_each(|field| accept(field, "access: {requestHeader: {", "}}"));
    let upstream = upstream_rule::UPSTREAM_RULE.fields[1..].iter();
    upstream.for_each(|field| accept(field, "rules: [{seriesQuery: a, ", "}]"));
    let (common, queries) = typed_rule::TYPED_RULE.fields[1..].split_at(1);
    let common = common.iter().chain(rules_file::COMMON);
    common.for_each(|field| accept(field, "rules: [{metric: a, gauge: {series: a}, ", "}]"));
    queries
        .iter()
        .for_each(|field| accept(field, "rules: [{metric: a, ", "}]"));
}

/// Reads a file with nothing but the example. Keys that need another beside them may say so.
fn accept(field: &Field, before: &str, after: &str) {
    let backends = match before {
        "" => "",
        before if before.starts_with("backends: ") => "",
        _ => "\nbackends: {default: {}, long-term: {url: 'http://thanos:9090'}}",
    };
    let text = format!("{before}{}: {}{after}{backends}", field.key, field.example);
    let faults = load(&text, "example.yaml", &BTreeMap::new(), &[]).err();
    let mut faults = faults.into_iter().flat_map(|refused| refused.faults);
    if let Some(fault) = faults.find(|fault| !fault.message.starts_with("needs ")) {
        panic!("{text}\n{fault}");
    }
}

const COMMON_KEYS: Section = Section {
    title: "Keys of both forms",
    about: "These may stand in every rule.",
    fields: rules_file::COMMON,
    shared: &[],
};

fn page(head: &str, sections: &[&Section]) -> String {
    let sections = sections.iter().map(|section| print_section(section));
    head.to_owned() + &sections.collect::<String>()
}

fn print_section(section: &Section) -> String {
    let mut text = format!("\n## {}\n\n{}\n", section.title, section.about);
    text += "\n| key | value | default | meaning | example |\n|---|---|---|---|---|\n";
    text += &section.fields.iter().map(print_field).collect::<String>();
    if !section.shared.is_empty() {
        text += "\nBeside these, the [keys of both forms](#keys-of-both-forms).\n";
    }
    text
}

fn print_field(field: &Field) -> String {
    let default = field
        .default
        .map_or("–".to_owned(), |default| format!("`{default}`"));
    format!(
        "| `{}` | {} | {} | {} | `{}` |\n",
        field.key,
        field.kind,
        default,
        field.about.replace('\n', " "),
        field.example.replace('|', "\\|"),
    )
}

//! Rules, from the file to the query: what is listed, what is asked to find series, which query answers a request.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use promql_adapter::config::{self, Backend, Configuration, ObjectsFile};
use promql_adapter::kubernetes::Objects;
use promql_adapter::model::{GroupResource, Resources, Scope, Selector, Timestamp};
use promql_adapter::rules::{
    self, Catalog, Discovered, Discovery, FoundSeries, NoMetric, Options, QueryFault, Rule, UsageRules,
};

use crate::case::{self, Case};

#[test]
fn rules_list_metrics_and_render_queries() {
    case::check("rules", answer);
}

#[test]
fn query_too_long_to_see_what_pasted_names_do_is_refused_in_few_words() {
    let text = r#"rules: [{seriesQuery: m, resources: {template: <<.Resource>>},
        metricsQuery: 'm{pod=~"<<index .LabelValuesByName "pod">>"}'}]"#;
    let file = config::load(text, "rules.yaml", &BTreeMap::new(), &[])
        .unwrap()
        .rules;
    let resources = Objects::none().resources();
    let rule = rules::compile(&file, &resources, &Options::default())
        .unwrap()
        .rules
        .remove(0);
    let series = FoundSeries {
        name: "m".to_owned(),
        label_names: ["namespace", "pod"].map(str::to_owned).into(),
    };
    let series = Ok((Arc::new(vec![series]), now()));
    let catalog = Catalog::build(&[Discovered { rule, series }], &Catalog::default(), now());
    let asked = |pods: usize| {
        let names: Vec<String> = (0..pods).map(|pod| format!("cart-{pod:05}")).collect();
        let request = format!("custom pods shop {} m", names.join(","));
        query(&request, &resources, &catalog)
    };
    assert!(asked(2000).starts_with(r#"m{pod=~"cart-00000|cart-00001|"#));
    assert_eq!(
        asked(6000),
        "refused: the query is 66009 bytes long, too long to see what the names pasted into it do"
    );
}

fn answer(case: &Case) -> String {
    let Configuration {
        settings,
        rules: file,
        ..
    } = match config::load(case.section("rules"), "rules.yaml", &BTreeMap::new(), &[]) {
        Ok(configuration) => configuration,
        Err(refused) => return listed(&refused.faults),
    };
    let resources = resources(case);
    let backends = settings.backends.iter();
    let embedded = backends.filter(|(_, backend)| matches!(backend, Backend::Embedded(_)));
    let options = Options {
        embedded_backends: embedded.map(|(name, _)| name.clone()).collect(),
        ..Options::default()
    };
    let compiled = match rules::compile(&file, &resources, &options) {
        Ok(compiled) => compiled,
        Err(faults) => return listed(&faults),
    };
    let rules = compiled.rules;
    let discovered: Vec<Discovered> = rules.iter().map(|rule| discovered(rule, case)).collect();
    let catalog = Catalog::build(&discovered, &Catalog::default(), now());
    let mut output = told(&rules, &catalog);
    let usage = compiled.usage.as_deref();
    output += &usage.map_or_else(String::new, told_of_usage);
    for backend in &options.embedded_backends {
        for read in rules::reads(&rules, usage, &catalog, backend) {
            writeln!(output, "{backend} reads {read}").unwrap();
        }
    }
    for request in case.lines("requests") {
        let query = match request.strip_prefix("usage ") {
            Some(request) => usage_query(request, usage.unwrap()),
            None => match request.strip_prefix("shared ") {
                Some(request) => shared_query(request, &resources, &catalog),
                None => query(request, &resources, &catalog),
            },
        };
        writeln!(output, "{request}\n  {query}").unwrap();
    }
    output
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn listed(faults: &[impl ToString]) -> String {
    faults.iter().map(|fault| fault.to_string() + "\n").collect()
}

fn resources(case: &Case) -> Arc<Resources> {
    let mut text = String::from("resources:\n");
    text.push_str(case.section("resources"));
    let file = match case.section("resources") {
        "" => ObjectsFile::default(),
        _ => ObjectsFile::parse(&text, "objects.yaml").unwrap(),
    };
    Objects::from_file(&file).unwrap().resources()
}

/// Series as Prometheus prints them; only names and label names count.
fn series(section: &str, case: &Case) -> Vec<FoundSeries> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in case.lines(section) {
        let (name, labels) = line.trim_end_matches('}').split_once('{').unwrap();
        let names = labels
            .split(',')
            .map(|pair| pair.split('=').next().unwrap().to_owned());
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
        .into_iter()
        .map(|(name, label_names)| FoundSeries { name, label_names })
        .collect()
}

/// What the backend finds for a rule that asks: the section `series rules[2]`, or else `series`.
fn discovered(rule: &Arc<Rule>, case: &Case) -> Discovered {
    let mut found = series(&format!("series {}", rule.key()), case);
    if found.is_empty() {
        found = series("series", case);
    }
    let series = match &rule.discovery {
        Discovery::Fixed(series) => Ok((Arc::new(series.clone()), now())),
        Discovery::Ask(_) if found.is_empty() => Err("not yet".to_owned()),
        Discovery::Ask(_) => Ok((Arc::new(found), now())),
    };
    Discovered {
        rule: rule.clone(),
        series,
    }
}

fn told(rules: &[Arc<Rule>], catalog: &Catalog) -> String {
    let mut output = String::new();
    for rule in rules {
        if let Some(fault) = rule.fault() {
            writeln!(output, "disabled: {fault}").unwrap();
        }
        if let Discovery::Ask(question) = &rule.discovery {
            writeln!(output, "{} asks {question:?}", rule.key()).unwrap();
        }
    }
    for metric in catalog.custom() {
        let scope = if metric.namespaced {
            "namespaced"
        } else {
            "cluster"
        };
        writeln!(output, "lists {}/{} ({scope})", metric.resource, metric.metric).unwrap();
    }
    for metric in catalog.external() {
        writeln!(output, "lists external {metric}").unwrap();
    }
    for note in catalog.notes() {
        writeln!(output, "note: {note}").unwrap();
    }
    output
}

fn told_of_usage(usage: &UsageRules) -> String {
    let mut output = format!("window {:?}\n", usage.window);
    for rule in &usage.rules {
        match (rule.fault(), rule.wide_query()) {
            (Some(fault), _) => writeln!(output, "disabled: {fault}").unwrap(),
            (None, Some(query)) => {
                let query = query.replace('\n', "\n  ");
                writeln!(output, "{} of all namespaces\n  {query}", rule.key()).unwrap();
            }
            (None, None) => writeln!(output, "{} as it is", rule.key()).unwrap(),
        }
    }
    output
}

/// `PART NAMESPACE NAMES`, as in `cpu.containerQuery shop cart-0,cart-1`.
fn usage_query(request: &str, usage: &UsageRules) -> String {
    let words: Vec<&str> = request.splitn(3, ' ').collect();
    let names: Vec<String> = words[2].split(',').map(str::to_owned).collect();
    let rule = usage
        .rules
        .iter()
        .find(|rule| rule.key().ends_with(words[0]))
        .unwrap();
    let rendered = rule.query(Some(words[1]), &names);
    rendered
        .unwrap_or_else(|fault| refused(&fault))
        .replace('\n', "\n  ")
}

/// `custom RESOURCE NAMESPACE NAMES METRIC [SELECTOR]` or `external NAMESPACE METRIC [SELECTOR]`.
fn query(request: &str, resources: &Resources, catalog: &Catalog) -> String {
    let (api, rest) = request.split_once(' ').unwrap();
    let rendered = match api {
        "custom" => custom(rest, resources, catalog),
        _ => external(rest, catalog),
    };
    rendered.unwrap_or_else(|why| why).replace('\n', "\n  ")
}

/// `custom RESOURCE NAMESPACES METRIC [SELECTOR]` or `external NAMESPACES METRIC [SELECTOR]`.
fn shared_query(request: &str, resources: &Resources, catalog: &Catalog) -> String {
    let (api, rest) = request.split_once(' ').unwrap();
    let (resource, rest) = match api {
        "custom" => rest.split_once(' ').unwrap(),
        _ => ("", rest),
    };
    let words: Vec<&str> = rest.splitn(3, ' ').collect();
    let namespaces = words[0].split(',').filter(|name| *name != "-");
    let namespaces: Vec<String> = namespaces.map(str::to_owned).collect();
    let selector = selector(words.get(2).copied()).unwrap();
    let wide = match api {
        "custom" => {
            let resource = resources.find(&GroupResource::parse(resource)).unwrap();
            let entry = catalog.find_custom(&resource.name, words[1]).unwrap();
            entry.wide_query(&namespaces, &selector)
        }
        _ => catalog
            .find_external(words[1])
            .unwrap()
            .wide_query(&namespaces, &selector),
    };
    wide.map_or("each asks its own".to_owned(), |wide| {
        let apart = wide.namespace_label.unwrap_or("nothing".to_owned());
        let off = if wide.takes_off {
            " and then without it"
        } else {
            ""
        };
        let objects = wide
            .object_label
            .map_or(String::new(), |label| format!(", objects by {label}"));
        format!("{}\n  namespaces told apart by {apart}{off}{objects}", wide.text)
    })
}

fn custom(request: &str, resources: &Resources, catalog: &Catalog) -> Result<String, String> {
    let words: Vec<&str> = request.splitn(5, ' ').collect();
    let resource = resources
        .find(&GroupResource::parse(words[0]))
        .ok_or("no such resource")?;
    let namespace = (resource.scope == Scope::Namespaced).then_some(words[1]);
    let names: Vec<String> = match words[2].contains('"') {
        true => vec![words[2].to_owned()],
        false => words[2].split(',').map(str::to_owned).collect(),
    };
    let entry = catalog
        .find_custom(&resource.name, words[3])
        .map_err(|why| absent(&why))?;
    let selector = selector(words.get(4).copied())?;
    entry
        .query(namespace, &names, &selector)
        .map_err(|fault| refused(&fault))
}

fn external(request: &str, catalog: &Catalog) -> Result<String, String> {
    let words: Vec<&str> = request.splitn(3, ' ').collect();
    let entry = catalog.find_external(words[1]).map_err(|why| absent(&why))?;
    let selector = selector(words.get(2).copied())?;
    entry.query(words[0], &selector).map_err(|fault| refused(&fault))
}

fn selector(text: Option<&str>) -> Result<Selector, String> {
    text.unwrap_or_default()
        .parse()
        .map_err(|error| format!("bad selector: {error}"))
}

fn absent(why: &NoMetric) -> String {
    match why {
        NoMetric::NoRule => "no rule makes it".to_owned(),
        NoMetric::Faulty(fault) => format!("disabled at {}", fault.place),
        NoMetric::OtherResources(known) => {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            format!("known for {} only", known.join(", "))
        }
        NoMetric::Gone { place, .. } => format!("{place} finds it no more"),
        NoMetric::Unknown(rules) => format!("{} rules have not looked yet", rules.len()),
    }
}

fn refused(fault: &QueryFault) -> String {
    format!("refused: {fault}")
}

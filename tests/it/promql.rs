//! PromQL: templates, matchers, queries, selectors and what typed rules stand for.
#![expect(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, in shared functions too"
)]

use std::fmt::Write as _;
use std::time::Duration;

use promql_adapter::model::{Operator, Requirement, chain};
use promql_adapter::promql::expression::{Read, Selector};
use promql_adapter::promql::{
    Buckets, Expression, MatchOp, Matcher, Names, NamespaceLabel, Narrowing, Query, QueryFields,
    QueryTemplate, ResourceTemplate, SeriesSelector, TemplateError, build, join,
};

use crate::case::{self, Case};
use crate::table;

#[test]
fn templates() {
    case::check("template", template);
}

#[test]
fn resource_templates() {
    case::check("resource-template", resource_template);
}

#[test]
fn matchers() {
    case::check("matcher", matcher);
}

#[test]
fn queries() {
    case::check("query", query);
}

#[test]
fn pasted_names() {
    case::check("pasted-name", pasted_name);
}

#[test]
fn series_selectors() {
    case::check("series-selector", series_selector);
}

#[test]
fn typed_queries() {
    case::check("typed-query", typed_query);
}

#[test]
fn what_a_query_reads() {
    table::check("reads.txt", |text| match Expression::parse(text) {
        Ok(expression) => {
            let reads = expression.reads(Duration::from_secs(5 * 60));
            let read = |read: &Read| format!("{} {:?}", conditions(&read.selector), read.back);
            reads.iter().map(read).collect::<Vec<_>>().join("; ")
        }
        Err(fault) => chain(&fault),
    });
}

fn conditions(selector: &Selector) -> String {
    let name = selector.metric_name().unwrap_or_default();
    let others = selector.conditions.len() - 1;
    format!("{name}{}", "+".repeat(others))
}

/// The namespace is `n`, the object `p`; `LM` stands for the matchers that say so.
#[test]
fn queries_about_all_namespaces() {
    let (namespace, object) = (matcher_of("namespace"), matcher_of("pod"));
    let any = Matcher::new("namespace", MatchOp::NotEqual, "").unwrap();
    table::check("widened.txt", |text| {
        widened(text, Some((&namespace, &any)), Some(&object))
    });
}

#[test]
fn queries_of_external_metrics_about_some_namespaces() {
    let namespace = matcher_of("namespace");
    let some = Matcher::one_of("namespace", &["mail", "n"]).unwrap();
    table::check("widened-external.txt", |text| {
        widened(text, Some((&namespace, &some)), None)
    });
}

#[test]
fn queries_about_all_objects_of_the_cluster() {
    let object = matcher_of("node");
    table::check("widened-cluster.txt", |text| widened(text, None, Some(&object)));
}

/// A matcher of the label whose value is the first letter of it.
fn matcher_of(label: &str) -> Matcher {
    Matcher::one_of(label, &[&label[..1]]).unwrap()
}

fn widened(text: &str, namespace: Option<(&Matcher, &Matcher)>, object: Option<&Matcher>) -> String {
    let ours = namespace.map(|(ours, _)| ours).into_iter().chain(object);
    let matchers: Vec<Matcher> = ours.cloned().collect();
    match Query::parse(&text.replace("LM", &join(&matchers))) {
        Err(error) => format!("cannot be read: {error}"),
        Ok(query) => match query.widened(Narrowing { namespace, object }) {
            Some((wide, NamespaceLabel::Kept)) => wide.text().to_owned(),
            Some((wide, NamespaceLabel::Added)) => format!("{wide}, then without the label"),
            None => "stays narrow".to_owned(),
        },
    }
}

/// Reads the template, looks for what is unsupported, and renders it only if nothing is.
fn template(case: &Case) -> String {
    let template = match QueryTemplate::parse(text(case, "template")) {
        Ok(template) => template,
        Err(error) => return fault("syntax", &error),
    };
    let unsupported = template.unsupported();
    if !unsupported.is_empty() {
        return unsupported
            .iter()
            .map(|error| fault("unsupported", error))
            .collect();
    }
    let pasted: Vec<(String, String)> = values(case, "value")
        .map(|entry| split(entry, '='))
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .collect();
    let group_by: Vec<String> = values(case, "group-by").map(str::to_owned).collect();
    let rendered = template.render(&QueryFields {
        series: values(case, "series").next().unwrap_or_default(),
        label_matchers: values(case, "matchers").next().unwrap_or_default(),
        label_values_by_name: &pasted,
        group_by: &group_by,
    });
    match rendered {
        Ok(text) => text + "\n",
        Err(error) => fault("failed", &error),
    }
}

fn resource_template(case: &Case) -> String {
    let template = match ResourceTemplate::parse(text(case, "template")) {
        Ok(template) => template,
        Err(error) => return fault("syntax", &error),
    };
    let mut output = String::new();
    for resource in values(case, "resource") {
        let (singular, group) = split(resource, '.');
        let label = template.label_for(singular, group).unwrap();
        writeln!(output, "{resource} has the label {label}").unwrap();
    }
    for label in values(case, "label") {
        let found = template
            .pattern()
            .captures(label)
            .map_or("nothing".to_owned(), |captures| {
                let part = |name| captures.name(name).map_or("", |part| part.as_str());
                format!("resource `{}`, group `{}`", part("resource"), part("group"))
            });
        writeln!(output, "{label} names {found}").unwrap();
    }
    output
}

/// Each line is a requirement of a metric selector or the names of objects.
fn matcher(case: &Case) -> String {
    let raw_values = case.lines("input").any(|line| line == "raw-values");
    let matchers: Result<Vec<Matcher>, String> =
        case.lines("input")
            .filter(|line| *line != "raw-values")
            .map(|line| match line.strip_prefix("objects ") {
                Some(objects) => {
                    let (label, names) = split(objects, ' ');
                    let names: Vec<&str> = names.split_whitespace().collect();
                    Matcher::one_of(label, &names).map_err(|error| error.to_string())
                }
                None => Matcher::from_requirement(&requirement(line), raw_values)
                    .map_err(|error| error.to_string()),
            })
            .collect();
    matchers.map_or_else(|error| error, |matchers| join(&matchers)) + "\n"
}

fn requirement(line: &str) -> Requirement {
    let mut words = line.split(' ');
    let key = words.next().unwrap().to_owned();
    let operator = match words.next().unwrap() {
        "=" => Operator::Equals,
        "==" => Operator::DoubleEquals,
        "!=" => Operator::NotEquals,
        "in" => Operator::In,
        "notin" => Operator::NotIn,
        "exists" => Operator::Exists,
        "absent" => Operator::DoesNotExist,
        ">" => Operator::GreaterThan,
        "<" => Operator::LessThan,
        other => panic!("no operator {other}"),
    };
    let values = words.map(str::to_owned).collect();
    Requirement {
        key,
        operator,
        values,
    }
}

/// What is known of a query, and what it becomes for two pods.
fn query(case: &Case) -> String {
    let written = text(case, "query");
    let query = Query::read(written);
    assert_eq!(query.text(), written);
    if let Err(error) = Query::parse(written) {
        assert!(query.is_opaque());
        return format!("opaque: {error}\n");
    }
    let pods = Matcher::one_of("pod", &["cart-0", "cart.1"]).unwrap();
    let mut output = format!("for pods:  {}\n", query.with_matchers(&[pods]));
    let window = query
        .window()
        .map_or("none".to_owned(), |window| format!("{window:?}"));
    writeln!(output, "window:    {window}").unwrap();
    for selector in query.selectors() {
        writeln!(output, "selector:  {selector}").unwrap();
    }
    output
}

/// Pastes a name where `NAME` stands and asks whether it stayed where it was pasted.
fn pasted_name(case: &Case) -> String {
    let template = text(case, "query");
    let blank = Query::parse(template).unwrap();
    let mut output = String::new();
    for name in text(case, "names").lines() {
        let filled = Query::read(&template.replace("NAME", name));
        let verdict = match filled.fills(&blank, &[("NAME", name)]) {
            true => "accepted",
            false => "refused",
        };
        writeln!(output, "{name}  {verdict}").unwrap();
    }
    output
}

fn series_selector(case: &Case) -> String {
    let selector = match SeriesSelector::parse(text(case, "selector")) {
        Ok(selector) => selector,
        Err(error) => return format!("{}\n", chain(&error)),
    };
    let names = match selector.names() {
        Names::Fixed(name) => name,
        Names::OneOf(names) => format!("one of {names:?}"),
        Names::Pattern => "as the backend finds".to_owned(),
    };
    let mut output = format!("prints as: {selector}\nmetrics:   {names}\n");
    for label in values(case, "label") {
        let verdict = if selector.requires(label) {
            "required"
        } else {
            "not required"
        };
        writeln!(output, "{label}:  {verdict}").unwrap();
    }
    for name in values(case, "name") {
        writeln!(output, "narrowed:  {}", selector.with_name(name)).unwrap();
    }
    for suffix in values(case, "suffix") {
        let sibling = selector.with_suffix(suffix);
        let sibling = sibling.map_or("none".to_owned(), |sibling| sibling.to_string());
        writeln!(output, "sibling:   {sibling}").unwrap();
    }
    output
}

/// One line for each typed rule: its kind, the labels to keep, and its selectors.
fn typed_query(case: &Case) -> String {
    let window = Duration::from_secs(90);
    let mut output = String::new();
    for line in case.lines("input") {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, by, selectors @ ..] = words.as_slice() else {
            panic!("no rule: {line}");
        };
        let by: Vec<&str> = by.split(',').filter(|label| *label != "-").collect();
        let selectors: Vec<SeriesSelector> = selectors
            .iter()
            .map(|text| SeriesSelector::parse(text).unwrap())
            .collect();
        let first = &selectors[0];
        let built = match *kind {
            "rate" => build::rate(first, window, &by),
            "classic" => build::quantile(0.95, first, window, Buckets::Classic, &by),
            "native" => build::quantile(0.5, first, window, Buckets::Native, &by),
            "ratio" => build::ratio(first, &selectors[1], window, &by),
            aggregation => build::gauge(aggregation, first, &by),
        };
        let built = built.map_or_else(|error| chain(&error), |query| query.text().to_owned());
        writeln!(output, "{built}").unwrap();
    }
    output
}

fn fault(kind: &str, error: &TemplateError) -> String {
    let line = error
        .line
        .map(|line| format!(" in line {line}"))
        .unwrap_or_default();
    let hint = error.hint.as_ref().map(|hint| format!("  hint: {hint}\n"));
    format!("{kind}{line}: {error}\n{}", hint.unwrap_or_default())
}

fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

/// A section without the line break at its end.
fn text<'c>(case: &'c Case, section: &str) -> &'c str {
    case.section(section).trim_end_matches('\n')
}

/// What follows the word in each line of `input` that begins with it.
fn values<'c>(case: &'c Case, word: &str) -> impl Iterator<Item = &'c str> {
    let start = format!("{word} ");
    case.lines("input")
        .filter_map(move |line| line.strip_prefix(&start))
}

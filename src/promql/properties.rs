//! What must hold for any text.

use proptest::prelude::*;
use regex::Regex;

use super::selector::stands_alone;
use super::{MatchOp, Matcher, Query, QueryFields, QueryTemplate, SeriesSelector, walk};
use crate::model::{Operator, Requirement};

/// Any text, and more often than chance has it the characters that mean something to PromQL, RE2 or Go.
fn text() -> impl Strategy<Value = String> {
    let telling = r##"["'`\\|(){}\[\].*+?^$#,=~<>\n a-c0-9é-]{0,12}"##;
    prop_oneof![telling, any::<String>()]
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..6)
}

/// A matcher as the parser reads it back, to ask which values it selects.
struct ReadBack {
    op: MatchOp,
    value: String,
    pattern: Option<Regex>,
}

impl ReadBack {
    fn new(matcher: &Matcher) -> ReadBack {
        let tree = promql_parser::parser::parse(&format!("x{{{matcher}}}")).unwrap();
        let mut values = Vec::new();
        walk::each_selector(&tree, &mut |selector| {
            values.extend(
                selector
                    .matchers
                    .matchers
                    .iter()
                    .map(|matcher| matcher.value.clone()),
            );
        });
        assert_eq!(values, [matcher.value()]);
        let is_pattern = matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex);
        ReadBack {
            op: matcher.op(),
            value: matcher.value().to_owned(),
            pattern: is_pattern.then(|| anchored(matcher.value())),
        }
    }

    fn selects(&self, value: &str) -> bool {
        let matches = self
            .pattern
            .as_ref()
            .map_or(self.value == value, |pattern| pattern.is_match(value));
        matches == matches!(self.op, MatchOp::Equal | MatchOp::Regex)
    }
}

/// As Prometheus 3 compiles a matcher's pattern.
/// Source: Prometheus, `model/labels/regexp.go`, `NewFastRegexMatcher`.
fn anchored(pattern: &str) -> Regex {
    Regex::new(&format!("^(?s:{pattern})$")).unwrap()
}

/// A requirement of a metric selector about the label `pod`.
fn requirement() -> impl Strategy<Value = Requirement> {
    let operator = prop_oneof![Just(Operator::In), Just(Operator::NotIn)];
    (operator, prop::collection::vec(text(), 1..6)).prop_map(|(operator, values)| Requirement {
        key: "pod".to_owned(),
        operator,
        values,
    })
}

fn near_misses(names: &[String]) -> Vec<String> {
    let mut near = vec!["x".to_owned(), String::new(), names.join("|")];
    for name in names {
        near.extend([
            format!("{name}x"),
            format!("x{name}"),
            format!("{name}{name}"),
            format!("{name}\n"),
        ]);
        near.extend(name.char_indices().map(|(at, _)| name[..at].to_owned()));
        near.extend(name.chars().map(|character| name.replace(character, "x")));
    }
    near
}

proptest! {
    #[test]
    fn one_of_matches_the_names_and_nothing_else(names in texts()) {
        let matcher = Matcher::one_of("pod", &names).unwrap();
        let read_back = ReadBack::new(&matcher);
        for candidate in names.iter().chain(&near_misses(&names)) {
            let expected = names.contains(candidate) || names.is_empty() && candidate.is_empty();
            prop_assert_eq!(read_back.selects(candidate), expected, "{} on {:?}", &matcher, candidate);
        }
    }

    #[test]
    fn requirement_says_the_same_of_a_label(requirement in requirement()) {
        let matcher = Matcher::from_requirement(&requirement, false).unwrap();
        let read_back = ReadBack::new(&matcher);
        for candidate in requirement.values.iter().chain(&near_misses(&requirement.values)) {
            let expected = requirement.values.contains(candidate) == (requirement.operator == Operator::In);
            prop_assert_eq!(read_back.selects(candidate), expected, "{} on {:?}", &matcher, candidate);
        }
    }

    #[test]
    fn any_value_stays_inside_its_matcher(value in text()) {
        for op in [MatchOp::Equal, MatchOp::NotEqual] {
            let matcher = Matcher::new("pod", op, &value).unwrap();
            prop_assert_eq!(ReadBack::new(&matcher).selects(&value), op == MatchOp::Equal);
        }
    }

    #[test]
    fn added_matchers_survive_printing(names in texts()) {
        let matcher = Matcher::one_of("pod", &names).unwrap();
        let query = Query::parse("sum by (a) (rate(x{a=\"1\" or b=\"2\"}[2m])) / y").unwrap();
        let narrowed = query.with_matchers(std::slice::from_ref(&matcher));
        let again = Query::parse(narrowed.text()).unwrap();
        prop_assert!(again.fills(&narrowed, &[]));
        prop_assert_eq!(narrowed.text().matches(&matcher.to_string()).count(), 3);
    }

    #[test]
    fn rendered_matchers_keep_the_shape_of_the_query(names in texts()) {
        let template = QueryTemplate::parse("sum(rate(<<.Series>>{<<.LabelMatchers>>,a=\"b\"}[1m])) by (<<.GroupBy>>)").unwrap();
        let matcher = Matcher::one_of("pod", &names).unwrap();
        let rendered = template.render(&QueryFields {
            series: "x",
            label_matchers: &matcher.to_string(),
            label_values_by_name: &[],
            group_by: &["pod".to_owned()],
        }).unwrap();
        let blank = format!("sum(rate(x{{pod{}\"NAMES\",a=\"b\"}}[1m])) by (pod)", matcher.op());
        let blank = Query::parse(&blank).unwrap();
        prop_assert!(Query::parse(&rendered).unwrap().fills(&blank, &[("NAMES", matcher.value())]));
    }

    #[test]
    fn pasted_text_is_accepted_only_where_it_stayed(pasted in text()) {
        let blank = Query::parse("sum(x{a=\"NAME\",tenant=\"b\"})").unwrap();
        let filled = Query::read(&blank.text().replace("NAME", &pasted));
        if filled.fills(&blank, &[("NAME", &pasted)]) {
            prop_assert!(!pasted.contains(['"', '\\', '\n']), "{} was accepted", pasted);
        }
    }

    #[test]
    fn selector_narrowed_to_a_metric_is_a_selector_of_it(name in "[a-z_:][a-z0-9_:.]{0,5}", value in text()) {
        let matcher = Matcher::new("pod", MatchOp::NotEqual, &value).unwrap();
        for head in ["", "__name__=~\".*\",", "__name__!=\"no-such\","] {
            let text = format!("{{{head}job=\"a\",{matcher}}}");
            let narrowed = SeriesSelector::parse(&text).unwrap().with_name(&name);
            let again = SeriesSelector::parse(&narrowed).unwrap();
            prop_assert_eq!(again.names(), super::Names::Fixed(name.clone()), "{}", narrowed);
            prop_assert_eq!(narrowed.starts_with(&name), stands_alone(&name));
        }
    }

    #[test]
    fn no_text_breaks_the_parsers(text in text()) {
        let query = Query::read(&text);
        prop_assert_eq!(query.text(), &text);
        let _ = SeriesSelector::parse(&text);
        let _ = QueryTemplate::parse(&text).map(|template| template.unsupported());
    }
}

#[test]
fn words_of_promql_are_names_in_braces_only() {
    for name in ["on", "bool", "nan", "inf", "ignoring"] {
        let narrowed = SeriesSelector::parse("{job=\"a\"}").unwrap().with_name(name);
        let again = SeriesSelector::parse(&narrowed).unwrap();
        assert_eq!(again.names(), super::Names::Fixed(name.to_owned()), "{narrowed}");
    }
}

#[test]
fn deepest_query_fits_the_stack_of_a_thread() {
    let deep = format!("{}x{}", "(".repeat(999), ")".repeat(999));
    let chained = format!("{}x", "x+".repeat(999));
    for text in [deep, chained, "-".repeat(1999) + "x"] {
        let query = Query::parse(&text).unwrap();
        assert!(query.fills(&query.with_matchers(&[]), &[]));
        assert!(Query::parse(&text.repeat(3)).is_err());
    }
}

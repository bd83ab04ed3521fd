//! Label selectors: the whole grammar, its errors, and what matches.

use super::table;
use promql_adapter::model::{Labels, Selector};
use proptest::prelude::*;

#[test]
fn texts_are_read_as_kubernetes_does() {
    table::check("selector.txt", |text| match text.parse::<Selector>() {
        Ok(selector) => selector.to_string(),
        Err(error) => format!("error: {error}"),
    });
}

/// The labels of every case are `app=cart,track=stable,shard=7`.
#[test]
fn requirements_match_as_in_kubernetes() {
    let labels = Labels::from_iter([("app", "cart"), ("track", "stable"), ("shard", "7")]);
    table::check("selector-matches.txt", |text| {
        let selector: Selector = text.parse().unwrap();
        selector.matches(&labels).to_string()
    });
}

#[test]
fn a_nul_byte_hides_nothing() {
    assert!("app=cart\0,track=canary".parse::<Selector>().is_err());
}

fn value() -> impl Strategy<Value = String> + Clone {
    "([a-zA-Z0-9]([a-zA-Z0-9._-]{0,5}[a-zA-Z0-9])?)?"
}

fn requirement() -> impl Strategy<Value = String> {
    let key = "([a-z]{1,3}\\.io/)?[a-zA-Z][a-zA-Z0-9]{0,4}|in|notin";
    let values = prop::collection::vec(value(), 0..4).prop_map(|values| values.join(" ,"));
    let operation = prop_oneof![
        Just(String::new()),
        value().prop_map(|value| format!("={value}")),
        value().prop_map(|value| format!(" == {value}")),
        value().prop_map(|value| format!("!= {value}")),
        values.clone().prop_map(|values| format!(" in ({values})")),
        values.prop_map(|values| format!(" notin( {values} )")),
        any::<u32>().prop_map(|bound| format!(" > {bound}")),
        any::<u32>().prop_map(|bound| format!("<{bound}")),
    ];
    prop_oneof![
        4 => (key, operation).prop_map(|(key, operation)| format!("{key}{operation}")),
        1 => key.prop_map(|key| format!("! {key}")),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(requirements in prop::collection::vec(requirement(), 0..5)) {
        let selector: Selector = requirements.join(" , ").parse().unwrap();
        prop_assert_eq!(selector.requirements().len(), requirements.len());
        prop_assert_eq!(selector.to_string().parse(), Ok(selector));
    }

    #[test]
    fn no_text_panics_and_what_is_accepted_reads_back(text in "[ab1!=<>(), /.in-]{0,16}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(selector.to_string().parse(), Ok(selector));
        }
    }
}

//! Random PromQL over the random series.
//!
//! Left out is what rounds differently in Go and in C (`ln`, `sin`, `^`), which the scripts compare, and what depends
//! on an order that Prometheus does not promise: `topk` is asked of series, not of what was computed of them.
//! `mad_over_time` of not-a-number is not what it was in 3.5.

use proptest::prelude::*;
use proptest::sample::select;

/// A query that gives samples.
pub(super) fn vector() -> BoxedStrategy<String> {
    let leaf = prop_oneof![4 => selector(), 4 => over_time(), 1 => chosen()].boxed();
    leaf.prop_recursive(4, 24, 2, |inner| {
        let inner = inner.boxed();
        prop_oneof![
            4 => aggregated(inner.clone()),
            4 => matched(inner.clone()),
            2 => combined(inner.clone()),
            3 => with_number(inner.clone()),
            2 => each(inner.clone()),
            1 => labelled(inner.clone()),
            2 => over_subquery(inner.clone()),
            1 => absent(inner),
        ]
    })
    .boxed()
}

fn selector() -> BoxedStrategy<String> {
    (series(), moved())
        .prop_map(|(series, moved)| series + &moved)
        .boxed()
}

fn series() -> BoxedStrategy<String> {
    let name = select(vec!["requests_total", "queue"]);
    let matchers = select(vec![
        "",
        "",
        "",
        "",
        r#"{pod="a"}"#,
        r#"{pod!="a"}"#,
        r#"{pod=~"a|c"}"#,
        r#"{pod!~"b.*"}"#,
        r#"{zone="x"}"#,
        r#"{le=""}"#,
    ]);
    let main = (name, matchers).prop_map(|(name, matchers)| format!("{name}{matchers}"));
    let other = select(vec![
        "info",
        "latency_bucket",
        r#"latency_bucket{le=~"1|.Inf"}"#,
        r#"{__name__=~"requests_total|queue", pod!="b"}"#,
        "nothing",
    ]);
    prop_oneof![12 => main, 3 => other.prop_map(str::to_owned)].boxed()
}

fn moved() -> BoxedStrategy<String> {
    select(vec![
        "",
        "",
        "",
        "",
        " offset 1m",
        " offset 7s",
        " offset -30s",
        " @ end()",
    ])
    .prop_map(str::to_owned)
    .boxed()
}

fn length() -> impl Strategy<Value = &'static str> {
    select(vec!["10s", "45s", "1m", "2m", "5m", "10m"])
}

const OVER_TIME: [&str; 18] = [
    "rate",
    "rate",
    "increase",
    "irate",
    "delta",
    "idelta",
    "deriv",
    "resets",
    "changes",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "last_over_time",
    "present_over_time",
];

fn range_function() -> BoxedStrategy<(String, String)> {
    let plain = select(OVER_TIME.to_vec()).prop_map(|name| (format!("{name}("), ")".to_owned()));
    let quantile = quantile().prop_map(|q| (format!("quantile_over_time({q}, "), ")".to_owned()));
    let ahead = select(vec!["60", "-5", "3600"])
        .prop_map(|ahead| ("predict_linear(".to_owned(), format!(", {ahead})")));
    let absent = Just(("absent_over_time(".to_owned(), ")".to_owned()));
    prop_oneof![10 => plain, 1 => quantile, 1 => ahead, 1 => absent].boxed()
}

fn over_time() -> BoxedStrategy<String> {
    (range_function(), series(), length(), moved())
        .prop_map(|((before, after), series, length, moved)| {
            format!("{before}{series}[{length}]{moved}{after}")
        })
        .boxed()
}

fn over_subquery(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let step = select(vec!["", "10s", "30s", "1m", "7s"]);
    (range_function(), inner, length(), step, moved())
        .prop_map(|((before, after), inner, length, step, moved)| {
            format!("{before}({inner})[{length}:{step}]{moved}{after}")
        })
        .boxed()
}

fn chosen() -> BoxedStrategy<String> {
    let of = prop_oneof![selector(), over_time()];
    (select(vec!["topk", "bottomk"]), grouping(), 0..4_u32, of)
        .prop_map(|(name, grouping, count, of)| format!("{name}{grouping} ({count}, {of})"))
        .boxed()
}

fn quantile() -> impl Strategy<Value = &'static str> {
    select(vec![
        "0",
        "0.5",
        "0.9",
        "1",
        "-1",
        "2",
        "NaN",
        "scalar(sum(info))",
    ])
}

fn grouping() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        " by (pod)",
        " by (pod, zone)",
        " without (zone)",
        " without (pod, le)",
        " by (__name__)",
        " by (le)",
    ])
}

fn aggregated(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let names = select(vec![
        "sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar",
    ]);
    let plain = (names, grouping(), inner.clone())
        .prop_map(|(name, grouping, inner)| format!("{name}{grouping} ({inner})"));
    let quantiles = (quantile(), grouping(), inner.clone())
        .prop_map(|(q, grouping, inner)| format!("quantile{grouping} ({q}, {inner})"));
    let values = (grouping(), inner.clone())
        .prop_map(|(grouping, inner)| format!("count_values{grouping} (\"value\", round({inner}))"));
    let histogram = (quantile(), inner)
        .prop_map(|(q, _)| format!("histogram_quantile({q}, sum by (le, pod) (rate(latency_bucket[5m])))"));
    prop_oneof![6 => plain, 1 => quantiles, 1 => values, 2 => histogram].boxed()
}

fn matched(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let arithmetic = select(vec!["+", "-", "*", "/", "%"]);
    let comparison = select(vec![
        "== bool", "!= bool", "> bool", "< bool", ">= bool", "<= bool",
    ]);
    // Newer versions refuse matches that this one lets pass where such a comparison does not hold.
    let filter = (select(vec![">", "<", "==", "!="]), inner.clone(), inner.clone())
        .prop_map(|(operator, left, right)| format!("({left}) {operator} ignoring () ({right})"));
    let matching = select(vec![
        "",
        "",
        " on (pod)",
        " on (pod, zone)",
        " ignoring (zone)",
        " ignoring (zone, le, node)",
        " on (pod) group_left",
        " on (pod) group_right",
        " on (pod) group_left (node)",
        " on (pod) group_right (zone)",
        " ignoring (zone) group_left",
        " on () group_left",
    ]);
    let computed = (
        inner.clone(),
        prop_oneof![arithmetic, comparison],
        matching,
        inner,
    )
        .prop_map(|(left, operator, matching, right)| format!("({left}) {operator}{matching} ({right})"));
    prop_oneof![5 => computed, 1 => filter].boxed()
}

fn combined(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let matching = select(vec!["", " on (pod)", " ignoring (zone)", " on ()"]);
    (
        inner.clone(),
        select(vec!["and", "or", "unless"]),
        matching,
        inner,
    )
        .prop_map(|(left, operator, matching, right)| format!("({left}) {operator}{matching} ({right})"))
        .boxed()
}

fn number(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let written = select(vec![
        "2",
        "-0.5",
        "0",
        "1e3",
        "NaN",
        "Inf",
        "time()",
        "(1 + 2 * 3)",
    ])
    .prop_map(str::to_owned);
    prop_oneof![4 => written, 1 => inner.prop_map(|inner| format!("scalar({inner})"))].boxed()
}

fn with_number(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let operator = select(vec![
        "+", "-", "*", "/", "%", ">", "<", "==", "!=", ">=", "<= bool", "> bool",
    ]);
    (inner.clone(), operator, number(inner), any::<bool>())
        .prop_map(|(inner, operator, number, number_first)| match number_first {
            true => format!("{number} {operator} ({inner})"),
            false => format!("({inner}) {operator} {number}"),
        })
        .boxed()
}

fn each(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let function = select(vec![
        ("abs(", ")"),
        ("ceil(", ")"),
        ("floor(", ")"),
        ("round(", ")"),
        ("round(", ", 5)"),
        ("sgn(", ")"),
        ("sqrt(", ")"),
        ("clamp(", ", 1, 3)"),
        ("clamp_min(", ", 0)"),
        ("clamp_max(", ", 2)"),
        ("sort(", ")"),
        ("sort_desc(", ")"),
        ("timestamp(", ")"),
        ("vector(scalar(", "))"),
        ("-(", ")"),
    ]);
    (function, inner)
        .prop_map(|((before, after), inner)| format!("{before}{inner}{after}"))
        .boxed()
}

fn labelled(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let function = select(vec![
        ("label_replace(", r#", "zone", "$1-z", "pod", "(a|b)")"#),
        ("label_replace(", r#", "pod", "", "zone", "x")"#),
        ("label_replace(", r#", "__name__", "renamed", "zone", "x")"#),
        ("label_join(", r#", "both", "/", "pod", "zone")"#),
    ]);
    (function, inner)
        .prop_map(|((before, after), inner)| format!("{before}{inner}{after}"))
        .boxed()
}

fn absent(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let of = prop_oneof![inner, Just(r#"nothing{pod="a", zone=~"x"}"#.to_owned())];
    of.prop_map(|of| format!("absent({of})")).boxed()
}

//! Which metric a series becomes.

use regex::Regex;

use crate::config::{SeriesFilter, UpstreamRule, WrittenRule};
use crate::model::Diagnostic;

/// From the name of a series to the name of a metric.
#[derive(Debug)]
pub(super) enum Naming {
    /// The typed form: the operator wrote the name.
    Fixed(String),
    /// The upstream form: filters, then a regular expression and its expansion.
    Pattern {
        filters: Vec<Filter>,
        matches: Regex,
        expansion: String,
    },
}

/// An unanchored regular expression that a series name must match or must not.
#[derive(Debug)]
pub(super) struct Filter {
    pattern: Regex,
    wanted: bool,
}

impl Naming {
    /// Compiles `seriesFilters` and `name`; every fault here is one that stops the program.
    pub(super) fn compile(rule: &UpstreamRule, written: &WrittenRule) -> Result<Naming, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut filters = Vec::new();
        for (index, filter) in rule.series_filters.iter().enumerate() {
            let (key, text, wanted) = match filter {
                SeriesFilter::Is(text) => ("is", text, true),
                SeriesFilter::IsNot(text) => ("isNot", text, false),
            };
            match regex_at(written, &format!("seriesFilters[{index}].{key}"), text) {
                Ok(pattern) => filters.push(Filter { pattern, wanted }),
                Err(fault) => faults.push(fault),
            }
        }
        match name_pattern(rule, written) {
            Ok((matches, expansion)) if faults.is_empty() => {
                if !rule.name.matches.is_empty() {
                    filters.push(Filter {
                        pattern: matches.clone(),
                        wanted: true,
                    });
                }
                Ok(Naming::Pattern {
                    filters,
                    matches,
                    expansion,
                })
            }
            Ok(_) => Err(faults),
            Err(fault) => {
                faults.push(fault);
                Err(faults)
            }
        }
    }

    /// The metric that a series becomes; `None` if a filter drops it, empty if the expansion is empty.
    pub(super) fn metric(&self, series: &str) -> Option<String> {
        match self {
            Naming::Fixed(name) => Some(name.clone()),
            Naming::Pattern {
                filters,
                matches,
                expansion,
            } => {
                let passes = filters
                    .iter()
                    .all(|filter| filter.pattern.is_match(series) == filter.wanted);
                if !passes {
                    return None;
                }
                let mut name = String::new();
                matches.captures(series)?.expand(expansion, &mut name);
                Some(name)
            }
        }
    }
}

fn name_pattern(rule: &UpstreamRule, written: &WrittenRule) -> Result<(Regex, String), Diagnostic> {
    let text = if rule.name.matches.is_empty() {
        ".*"
    } else {
        &rule.name.matches
    };
    let matches = regex_at(written, "name.matches", text)?;
    let expansion = match (rule.name.r#as.as_str(), matches.captures_len() - 1) {
        ("", 0) => "$0".to_owned(),
        ("", 1) => "$1".to_owned(),
        ("", groups) => {
            return Err(Diagnostic {
                place: written.at("name.matches"),
                message: format!("`{text}` has {groups} capture groups and there is no `as`"),
                hint: Some("say in `name.as` what the metric is called, as in `${1}_per_second`".into()),
            });
        }
        (given, _) => given.to_owned(),
    };
    Ok((matches, expansion))
}

fn regex_at(written: &WrittenRule, key: &str, text: &str) -> Result<Regex, Diagnostic> {
    Regex::new(text).map_err(|error| Diagnostic {
        place: written.at(key),
        message: format!(
            "`{text}` is not a regular expression: {}",
            last_line(&error.to_string())
        ),
        hint: Some("the syntax is RE2's: no look-around, no back-references".into()),
    })
}

/// The regex crate draws the pattern over several lines and says what is wrong in the last.
fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or(text).trim();
    line.strip_prefix("error: ").unwrap_or(line)
}

//! Cases of `tests/data/cli`, and the page of all flags.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches};

use super::{ServeFlags, flags, normalized_arguments};
use crate::config::golden::{Case, check_cases, check_page};
use crate::config::load;

fn command() -> Command {
    ServeFlags::augment_args(Command::new("promql-adapter"))
}

#[test]
fn command_lines_are_read_or_refused_as_the_cases_say() {
    check_cases("tests/data/cli", check);
}

/// What a command line comes to: clap's first line of refusal, faults of the settings, or what differs from the defaults.
fn check(case: &Case) -> String {
    let typed = case.part("arguments").lines().map(OsString::from);
    let arguments = [OsString::from("promql-adapter")].into_iter().chain(typed);
    let parsed = command()
        .try_get_matches_from(normalized_arguments(arguments))
        .and_then(|matches| ServeFlags::from_arg_matches(&matches));
    let flags = match parsed {
        Ok(flags) => flags,
        Err(error) => return error.to_string().lines().next().unwrap_or_default().to_owned(),
    };
    let mut text = print(&flags);
    match load(
        case.part("config"),
        "config.yaml",
        &BTreeMap::new(),
        &flags.overrides,
    ) {
        Ok(loaded) => text += &changed(&format!("{:#?}", loaded.settings)),
        Err(faults) => faults.iter().for_each(|fault| text += &format!("{fault}\n")),
    }
    text
}

fn print(flags: &ServeFlags) -> String {
    let mut text = String::new();
    if let Some(path) = &flags.config {
        text += &format!("config file: {}\n", path.display());
    }
    if !flags.ignored.is_empty() {
        text += &format!("without effect: {}\n", flags.ignored.join(" "));
    }
    text + &format!("log: {} {:?}\n", flags.log_level, flags.log_format)
}

/// The lines of the settings that a run without flags does not have.
fn changed(settings: &str) -> String {
    let plain = load("", "config.yaml", &BTreeMap::new(), &[]).expect("the defaults are accepted");
    let plain = format!("{:#?}", plain.settings);
    let plain: BTreeSet<&str> = plain.lines().collect();
    let lines = settings.lines().filter(|line| !plain.contains(line));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

#[test]
fn clap_accepts_the_table_of_flags() {
    command().debug_assert();
}

#[test]
fn a_missing_config_is_refused_with_the_words_of_upstream() {
    let matches = command().try_get_matches_from(["promql-adapter"]).unwrap();
    let faults = ServeFlags::from_arg_matches(&matches)
        .unwrap()
        .configuration()
        .unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "flag --config: no metrics discovery configuration file specified\n  hint: make sure to use --config"
    );
}

#[test]
fn a_config_that_cannot_be_read_is_named() {
    let matches = command()
        .try_get_matches_from(["promql-adapter", "--config=/no/such/file"])
        .unwrap();
    let faults = ServeFlags::from_arg_matches(&matches)
        .unwrap()
        .configuration()
        .unwrap_err();
    assert!(
        faults[0]
            .to_string()
            .starts_with("/no/such/file: cannot be read: "),
        "{}",
        faults[0]
    );
}

#[test]
fn every_flag_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = flags().map(|flag| flag.name).collect();
    assert_eq!(names.len(), flags().count());
}

const HEAD: &str = "\
<!-- Written by a test from the tables in src/cli/flags; change them there and run `UPDATE=1 cargo test`. -->

# Flags

The flags of `promql-adapter` and `promql-adapter serve`, which are the same.
A flag is written `--name=value` or `--name value`; a truth value is written `--name` or `--name=false`.
Flags are the strongest layer of the [settings](config.md).
Flags of prometheus-adapter that cannot apply are accepted and checked, and named once in the log.
";

#[test]
fn flags_page_is_what_clap_knows() {
    let command = command();
    let mut page = HEAD.to_owned();
    let mut heading = "";
    for arg in command.get_arguments() {
        let new = arg.get_help_heading().unwrap_or_default();
        if new != heading {
            page += &format!("\n## {new}\n\n| flag | meaning |\n|---|---|\n");
            heading = new;
        }
        page += &format!(
            "| `{}` | {} |\n",
            spelling(arg),
            arg.get_help().unwrap_or_default()
        );
    }
    check_page("docs/reference/cli.md", &page);
}

fn spelling(arg: &clap::Arg) -> String {
    let short = arg
        .get_short()
        .map_or(String::new(), |short| format!("-{short}, "));
    let name = arg.get_long().unwrap_or_default();
    let value = arg
        .get_value_names()
        .map_or(String::new(), |names| format!("={}", names[0]));
    format!("{short}--{name}{value}")
}

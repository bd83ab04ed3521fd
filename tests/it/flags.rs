//! Flags as they are read or refused, and the settings they make.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches};
use promql_adapter::cli::{ServeFlags, normalized_arguments};
use promql_adapter::config::load;

use crate::case::{self, Case};

#[test]
fn command_lines_are_read_or_refused_as_the_cases_say() {
    case::check("flags", check);
}

/// What a command line comes to: clap's first line of refusal, faults of the settings, or what differs from the defaults.
fn check(case: &Case) -> String {
    let flags = match read(case.section("arguments").lines()) {
        Ok(flags) => flags,
        Err(error) => return error.to_string().lines().next().unwrap().to_owned(),
    };
    let mut output = told(&flags);
    let text = case.section("config");
    match load(text, "config.yaml", &BTreeMap::new(), &flags.overrides) {
        Ok(loaded) => output += &changed(&format!("{:#?}", loaded.settings)),
        Err(refused) => refused
            .faults
            .iter()
            .for_each(|fault| output += &format!("{fault}\n")),
    }
    output
}

fn read<'a>(typed: impl IntoIterator<Item = &'a str>) -> Result<ServeFlags, clap::Error> {
    let arguments = ["promql-adapter"].into_iter().chain(typed).map(OsString::from);
    let command = ServeFlags::augment_args(Command::new("promql-adapter"));
    let matches = command.try_get_matches_from(normalized_arguments(arguments))?;
    ServeFlags::from_arg_matches(&matches)
}

fn told(flags: &ServeFlags) -> String {
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
    let plain = load("", "config.yaml", &BTreeMap::new(), &[]).unwrap();
    let plain = format!("{:#?}", plain.settings);
    let plain: BTreeSet<&str> = plain.lines().collect();
    let lines = settings.lines().filter(|line| !plain.contains(line));
    lines.map(|line| format!("{}\n", line.trim_start())).collect()
}

#[test]
fn a_missing_config_is_refused_with_the_words_of_upstream() {
    let faults = read([]).unwrap().configuration().unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "flag --config: no metrics discovery configuration file specified\n  hint: make sure to use --config"
    );
}

#[test]
fn a_config_that_cannot_be_read_is_named() {
    let flags = read(["--config=/no/such/file"]).unwrap();
    let fault = flags.configuration().unwrap_err()[0].to_string();
    assert!(fault.starts_with("/no/such/file: cannot be read: "), "{fault}");
}

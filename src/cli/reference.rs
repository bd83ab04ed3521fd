//! Writes `docs/reference/cli.md` from what clap knows.

use clap::{Arg, Command, CommandFactory};

use super::{ServeFlags, Words};
use crate::pages::check_page;

const HEAD: &str = "\
<!-- Written by a test from src/cli; change the words there and run `UPDATE=1 cargo test`. -->

# Command line

Exit codes: 0 for success; 1 where there is no answer or the program failed; 2 where what was typed or the configuration is wrong.
A first argument `/adapter`, which some charts for prometheus-adapter pass, is ignored.
";

const FLAGS_HEAD: &str = "
## Flags

A flag is written `--name=value` or `--name value`; a truth value is written `--name` or `--name=false`.
Flags are the strongest layer of the [settings](config.md).
Flags of prometheus-adapter that cannot apply are accepted and checked, and named once in the log.
";

#[test]
fn clap_accepts_the_commands() {
    Words::command().debug_assert();
}

#[test]
fn the_page_is_what_clap_knows() {
    let mut root = Words::command();
    root.build();
    let mut page = HEAD.to_owned() + &command(&root, "promql-adapter [FLAGS]");
    for each in root.get_subcommands().filter(|each| is_shown(each)) {
        let positionals: String = each
            .get_positionals()
            .filter_map(|arg| Some(format!(" {}", arg.get_value_names()?.first()?)))
            .collect();
        let flags = if takes_flags(each) { " [FLAGS]" } else { "" };
        page += &command(
            each,
            &format!("promql-adapter {}{positionals}{flags}", each.get_name()),
        );
    }
    page += FLAGS_HEAD;
    page += &flags(&<ServeFlags as clap::Args>::augment_args(Command::new("flags")));
    check_page("docs/reference/cli.md", &page);
}

/// The commands that a user is meant to know, without clap's own `help`.
fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

/// What a command does, and the arguments that only it has.
fn command(command: &Command, usage: &str) -> String {
    let about = command.get_long_about().or(command.get_about());
    let mut text = format!(
        "\n## `{usage}`\n\n{}\n",
        about.map(ToString::to_string).unwrap_or_default()
    );
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| arg.get_help_heading().is_none() && arg.get_id() != "help")
        .collect();
    if !own.is_empty() {
        text += "\n| argument | meaning |\n|---|---|\n";
        text += &own.iter().map(|arg| row(arg)).collect::<String>();
    }
    if takes_flags(command) {
        text += "\nIt takes the [flags](#flags) below.\n";
    }
    text
}

/// Whether it takes those of `serve`, which stand under headings.
fn takes_flags(command: &Command) -> bool {
    command
        .get_arguments()
        .any(|arg| arg.get_help_heading().is_some())
}

fn flags(command: &Command) -> String {
    let mut text = String::new();
    let mut heading = "";
    for arg in command.get_arguments() {
        let new = arg.get_help_heading().unwrap_or_default();
        if new != heading {
            text += &format!("\n### {new}\n\n| flag | meaning |\n|---|---|\n");
            heading = new;
        }
        text += &row(arg);
    }
    text
}

fn row(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let words = arg.get_possible_values();
    let words: Vec<&str> = words.iter().map(clap::builder::PossibleValue::get_name).collect();
    let default = arg.get_default_values().first();
    let words = match default.filter(|_| !words.is_empty()) {
        Some(default) => format!(
            ": `{}`; default `{}`",
            words.join("` or `"),
            default.to_string_lossy()
        ),
        None => String::new(),
    };
    format!("| `{}` | {}{words} |\n", spelling(arg), help.replace('\n', " "))
}

fn spelling(arg: &Arg) -> String {
    let value = arg.get_value_names().and_then(|names| names.first());
    let Some(name) = arg.get_long() else {
        return value.map_or(String::new(), ToString::to_string);
    };
    let short = arg
        .get_short()
        .map_or(String::new(), |short| format!("-{short}, "));
    let takes_value = arg.get_action().takes_values();
    let value = value.filter(|_| takes_value);
    let value = value.map_or(String::new(), |value| format!("={value}"));
    format!("{short}--{name}{value}")
}

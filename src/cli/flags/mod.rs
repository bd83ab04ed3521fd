//! The flags of `serve`: what was typed, checked, and turned into settings.
//!
//! A flag is one row of a table in `adapter` or `accepted`: its name, the values it takes, what it does and its help.

mod accepted;
mod adapter;
mod flag;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::config::{self, Configuration, Override, OverrideValue, Refused};
use crate::model::{Diagnostic, Place, Resources};
use crate::rules::{self, Options};

use flag::{Effect, Flag, Group};
use value::header;

/// The flags of `serve`, checked.
#[derive(Clone, Debug)]
pub struct ServeFlags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// What the flags set, over file and environment.
    pub overrides: Vec<Override>,
    /// Flags that were given and have no effect here; they are named once in the log.
    pub ignored: Vec<String>,
    /// `--v`: 0 to 3 is info, 4 to 7 debug, from 8 on trace.
    pub log_level: tracing::Level,
    /// `--logging-format`.
    pub log_format: LogFormat,
}

/// What a log line looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl ServeFlags {
    /// Reads the file that `--config` names and puts environment and flags over it.
    pub fn configuration(&self) -> Result<Configuration, Vec<Diagnostic>> {
        match &self.config {
            Some(path) => config::read(path, &self.overrides).map_err(all_faults),
            None => Err(vec![Diagnostic {
                place: Place {
                    file: "flag --config".to_owned(),
                    line: None,
                    key: String::new(),
                },
                message: "no metrics discovery configuration file specified".to_owned(),
                hint: Some("make sure to use --config".to_owned()),
            }]),
        }
    }
}

/// Faults of reading together with those that show when rules are compiled, in the order of the file.
///
/// Which resources are served does not matter: what depends on them never stops the program.
fn all_faults(refused: Refused) -> Vec<Diagnostic> {
    let compiled = rules::compile(&refused.rules, &Resources::default(), &Options::default());
    let mut faults = refused.faults;
    faults.extend(compiled.err().unwrap_or_default());
    faults.sort();
    faults
}

/// The arguments as prometheus-adapter would read them, for clap.
///
/// A stray first `/adapter`, which some charts pass, is dropped. Names of flags may have underscores for hyphens.
/// Source: k8s.io/component-base, `cli/flag/flags.go`, `WordSepNormalizeFunc`.
pub fn normalized_arguments(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let stray = |(position, argument): &(usize, OsString)| *position == 1 && argument == "/adapter";
    let arguments = arguments.into_iter().enumerate();
    arguments
        .filter(|argument| !stray(argument))
        .map(|(_, argument)| with_hyphens(argument))
        .collect()
}

fn with_hyphens(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text) if text.starts_with("--") => {
            let (name, value) = text.split_at(text.find('=').unwrap_or(text.len()));
            OsString::from(name.replace('_', "-") + value)
        }
        _ => argument,
    }
}

fn groups() -> impl Iterator<Item = &'static Group> {
    adapter::GROUPS.iter().chain(accepted::GROUPS)
}

fn flags() -> impl Iterator<Item = &'static Flag> {
    groups().flat_map(|group| group.flags)
}

impl Args for ServeFlags {
    fn augment_args(command: Command) -> Command {
        let args = groups().flat_map(|group| group.flags.iter().map(|flag| flag.arg(group.heading)));
        // As in Go, the last of several values counts.
        command.args_override_self(true).args(args)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut serve = ServeFlags {
            config: None,
            overrides: Vec::new(),
            ignored: Vec::new(),
            log_level: tracing::Level::INFO,
            log_format: LogFormat::Text,
        };
        for flag in flags() {
            if matches.value_source(flag.name) == Some(ValueSource::CommandLine) {
                let values = matches.get_many::<String>(flag.name).into_iter().flatten();
                serve.apply(flag, &values.map(String::as_str).collect::<Vec<_>>());
            }
        }
        Ok(serve)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl ServeFlags {
    /// Does what a flag says. The values have been checked; an empty one means that the flag is not given.
    fn apply(&mut self, flag: &Flag, values: &[&str]) {
        let last = values.last().copied().unwrap_or_default();
        let text = || OverrideValue::Text(values.join(","));
        match flag.effect {
            Effect::Nothing => self.ignored.push(format!("--{}", flag.name)),
            Effect::Header(key) => {
                let headers = values.iter().map(|value| header(value)).collect();
                self.set(flag, key, OverrideValue::List(headers));
            }
            Effect::SniCertificates(key) => {
                let certificates = values
                    .iter()
                    .filter_map(|value| value::sni_certificate(value).ok());
                let certificates = certificates.collect();
                self.set(flag, key, OverrideValue::List(certificates));
            }
            _ if last.is_empty() => {}
            Effect::Config => self.config = Some(PathBuf::from(last)),
            Effect::Set(key) => self.set(flag, key, text()),
            Effect::SetLowerCase(key) => self.set(flag, key, OverrideValue::Text(last.to_lowercase())),
            Effect::TurnOff(key) => self.turn_off(flag, key, last),
            Effect::LogLevel => self.log_level = log_level(last),
            Effect::LogFormat => {
                self.log_format = match last {
                    "json" => LogFormat::Json,
                    _ => LogFormat::Text,
                };
            }
        }
    }

    fn set(&mut self, flag: &Flag, key: &str, value: OverrideValue) {
        self.overrides.push(Override {
            flag: format!("--{}", flag.name),
            key: key.to_owned(),
            value,
        });
    }

    /// Sets what a flag turns off. Of two flags that turn the same thing off, one is enough.
    fn turn_off(&mut self, flag: &Flag, key: &str, value: &str) {
        let off = OverrideValue::Text("false".to_owned());
        let already_off = self
            .overrides
            .iter()
            .any(|over| over.key == key && over.value == off);
        match value::boolean(value) {
            Ok(true) => self.set(flag, key, off),
            Ok(false) if !already_off => self.set(flag, key, OverrideValue::Text("true".to_owned())),
            Ok(false) | Err(_) => {}
        }
    }
}

fn log_level(verbosity: &str) -> tracing::Level {
    match verbosity.parse::<i32>() {
        Ok(8..) => tracing::Level::TRACE,
        Ok(4..) => tracing::Level::DEBUG,
        _ => tracing::Level::INFO,
    }
}

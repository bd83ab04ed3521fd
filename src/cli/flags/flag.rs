//! What a flag is, and its form for clap.

use clap::builder::ValueParser;
use clap::{Arg, ArgAction};

use super::value::Kind;

/// Flags under one heading of the help.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) heading: &'static str,
    pub(super) flags: &'static [Flag],
}

/// One flag.
#[derive(Debug)]
pub(super) struct Flag {
    /// Without the leading `--`.
    pub(super) name: &'static str,
    /// The values it takes.
    pub(super) kind: Kind,
    /// What it does.
    pub(super) effect: Effect,
    /// One sentence for the help.
    pub(super) help: &'static str,
}

/// What a flag does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Effect {
    /// Names the file of settings and rules.
    Config,
    /// Sets a key of the settings.
    Set(&'static str),
    /// Sets a key to the value in lower case.
    SetLowerCase(&'static str),
    /// Sets a key to the opposite of the value.
    TurnOff(&'static str),
    /// Sets a key to a list of headers.
    Header(&'static str),
    /// Sets a key to a list of certificates.
    SniCertificates(&'static str),
    /// Sets how much is logged.
    LogLevel,
    /// Sets what a log line looks like.
    LogFormat,
    /// Nothing here; prometheus-adapter has it.
    Nothing,
}

impl Flag {
    pub(super) const fn new(name: &'static str, kind: Kind, effect: Effect, help: &'static str) -> Self {
        Flag {
            name,
            kind,
            effect,
            help,
        }
    }

    /// The flag for clap, with its values checked as they are read.
    pub(super) fn arg(&self, heading: &'static str) -> Arg {
        let kind = self.kind;
        let arg = Arg::new(self.name)
            .long(self.name)
            .value_name(kind.name())
            .value_parser(ValueParser::from(move |text: &str| kind.check(text)))
            .action(if kind.repeats() {
                ArgAction::Append
            } else {
                ArgAction::Set
            })
            .help(self.help_text())
            .help_heading(heading);
        let arg = match kind {
            // As in Go, `--flag` alone is true and a value needs the equals sign.
            Kind::Boolean => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            _ => arg.allow_hyphen_values(true),
        };
        match self.name {
            "v" => arg.short('v'),
            _ => arg,
        }
    }

    fn help_text(&self) -> String {
        match self.effect {
            Effect::Set(key)
            | Effect::SetLowerCase(key)
            | Effect::Header(key)
            | Effect::SniCertificates(key) => format!("{} [setting: {key}]", self.help),
            Effect::TurnOff(key) => format!("{} [setting: {key}, turned round]", self.help),
            Effect::Config | Effect::LogLevel | Effect::LogFormat | Effect::Nothing => self.help.to_owned(),
        }
    }
}

//! The command line: flags and commands as upstream spells them.

mod definition;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use alertmanager::matcher::Mode;
use clap::{
    CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
use url::Url;

use crate::{VERSION, defaults::Defaults};

pub(crate) use definition::{
    AlertAdd, AlertQuery, RoutesShow, RoutesTest, SilenceAdd, SilenceImport, SilenceQuery,
    SilenceUpdate, TemplateRender,
};

/// What to do, and how.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) global: Global,
    pub(crate) command: Command,
}

/// Flags that all commands share.
#[derive(Debug, Clone)]
pub(crate) struct Global {
    pub(crate) url: Option<Url>,
    pub(crate) output: Output,
    pub(crate) timeout: Duration,
    pub(crate) http_config_file: Option<PathBuf>,
    pub(crate) version_check: bool,
    pub(crate) mode: Mode,
    /// In Go's layout.
    pub(crate) date_format: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Simple,
    Extended,
    Json,
}

#[derive(Debug)]
pub(crate) enum Command {
    AlertQuery(AlertQuery),
    AlertAdd(AlertAdd),
    SilenceQuery(SilenceQuery),
    SilenceAdd(SilenceAdd),
    SilenceExpire(Vec<String>),
    SilenceUpdate(SilenceUpdate),
    SilenceImport(SilenceImport),
    CheckConfig(Vec<PathBuf>),
    ConfigShow,
    RoutesShow(RoutesShow),
    RoutesTest(RoutesTest),
    ClusterShow,
    TemplateRender(TemplateRender),
}

/// Why there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Help or the version, for standard output.
    Print(String),
    /// A mistake, in kingpin's words.
    Error(String),
}

/// Reads `args`; what they leave out comes from `defaults`.
pub(crate) fn parse(args: &[String], defaults: &Defaults) -> Result<Parsed, Stop> {
    let mut command = with_defaults(definition::Cli::command(), defaults);
    if args.is_empty() {
        return Err(Stop::Print(format!("{}\n", command.render_help())));
    }
    let args = args.iter().map(|arg| positive(arg));
    let matches = command.try_get_matches_from_mut(args).map_err(|error| to_stop(&error))?;
    let cli = definition::Cli::from_arg_matches(&matches).map_err(|error| to_stop(&error))?;
    if cli.global.version {
        return Err(Stop::Print(version()));
    }
    let global = cli.global.meaning().map_err(Stop::Error)?;
    let Some(command) = cli.command else {
        return Err(Stop::Error("expected command".to_owned()));
    };
    Ok(Parsed { global, command: command.meaning() })
}

/// Gives every flag that `defaults` names that default, in all commands.
fn with_defaults(command: clap::Command, defaults: &Defaults) -> clap::Command {
    let command = command.mut_args(|arg| match arg.get_long().and_then(|it| defaults.get(it)) {
        Some(value) => arg.default_value(value.clone()).required(false),
        None => arg,
    });
    command.mut_subcommands(|command| with_defaults(command, defaults))
}

/// Kingpin takes `--no-x` for `--x=false`.
fn positive(arg: &str) -> String {
    match arg.strip_prefix("--no-") {
        Some(name) if definition::SWITCHES.contains(&name) => format!("--{name}=false"),
        _ => arg.to_owned(),
    }
}

fn version() -> String {
    format!(
        "amtool, version {VERSION} (branch: vesta, revision: {})\n  platform:         {}/{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// Says in kingpin's words what clap found.
fn to_stop(error: &clap::Error) -> Stop {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Print(error.render().to_string())
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            Stop::Print(error.render().to_string())
        }
        ErrorKind::UnknownArgument if argument.starts_with("--") => {
            Stop::Error(format!("unknown long flag '{flag}'"))
        }
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            Stop::Error(format!("unknown short flag '{flag}'"))
        }
        ErrorKind::UnknownArgument => Stop::Error(format!("unexpected {argument}")),
        ErrorKind::InvalidSubcommand => {
            let word = context(ContextKind::InvalidSubcommand);
            Stop::Error(format!("expected command but got \"{word}\""))
        }
        ErrorKind::MissingRequiredArgument => {
            Stop::Error(format!("required flag {flag} not provided"))
        }
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => Stop::Error(reason.to_string()),
            None => Stop::Error(format!("{flag}: {}", context(ContextKind::InvalidValue))),
        },
        ErrorKind::InvalidValue => {
            let value = context(ContextKind::InvalidValue);
            if value.is_empty() {
                return Stop::Error(format!("expected argument for flag '{flag}'"));
            }
            let valid = context(ContextKind::ValidValue).replace(", ", ",");
            Stop::Error(format!("enum value must be one of {valid}, got '{value}'"))
        }
        ErrorKind::ArgumentConflict => Stop::Error(format!("flag '{flag}' cannot be repeated")),
        _ => Stop::Error(error.render().to_string().trim_end().to_owned()),
    }
}

//! The command line: flags and commands as upstream spells them.

mod definition;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, time::Duration};

use alertmanager::matcher::Mode;
use clap::CommandFactory as _;
use kingpin::Stop;
use url::Url;

use crate::{VERSION, defaults::Defaults};

pub(crate) use definition::{
    AlertAdd, AlertQuery, History, RoutesShow, RoutesTest, SilenceAdd, SilenceImport, SilenceQuery,
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
    History(History),
    TemplateRender(TemplateRender),
}

/// Reads `args`; what they leave out comes from `defaults`.
pub(crate) fn parse(args: &[String], defaults: &Defaults) -> Result<Parsed, Stop> {
    let cli: definition::Cli =
        kingpin::parse(with_defaults(definition::Cli::command(), defaults), args)?;
    if cli.global.version {
        return Err(Stop::Print(kingpin::version("amtool", VERSION)));
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

//! How does this program read its command line? As kingpin does, and in kingpin's words, over clap.
//!
//! Knows no flag of any program and reads no file: words come in; values, or a text to show, go
//! out. Start at [`parse`], or at [`matches`] if the flags come from a table.

#[cfg(test)]
mod tests;

use std::io;

use clap::{
    Arg, ArgAction, ArgMatches, Command, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// Why there is nothing to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// Help or the version, for standard output.
    Print(String),
    /// A mistake, in kingpin's words.
    Error(String),
}

/// Reads `args`, without the program's name, into the type that `command` was derived from.
///
/// Every `bool` is a switch: `--x` turns it on, `--no-x` off. No words at all ask for help.
pub fn parse<Cli: FromArgMatches>(command: Command, args: &[String]) -> Result<Cli, Stop> {
    let mut switches = Vec::new();
    let mut command = with_switches(command, &mut switches);
    if args.is_empty() || args == ["help"] {
        return Err(Stop::Print(format!("{}\n", command.render_help())));
    }
    let args: Vec<String> = args.iter().map(|arg| positive(arg, &switches)).collect();
    let matches = matches(command, &args)?;
    Cli::from_arg_matches(&matches).map_err(|error| to_stop(&error))
}

/// Replaces each `@file` by the lines of that file, which `read` gets; comments are left out.
pub fn with_files(
    args: &[String],
    read: impl Fn(&str) -> io::Result<String>,
) -> Result<Vec<String>, Stop> {
    let mut out = Vec::with_capacity(args.len());
    for (idx, arg) in args.iter().enumerate() {
        // What follows is no flag, and no file of flags.
        if arg == "--" {
            out.extend_from_slice(args.get(idx..).unwrap_or_default());
            break;
        }
        let Some(path) = arg.strip_prefix('@') else {
            out.push(arg.clone());
            continue;
        };
        let text = read(path).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
                _ => error.to_string(),
            };
            Stop::Error(format!("open {path}: {reason}"))
        })?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        out.extend(lines.map(str::to_owned));
    }
    Ok(out)
}

/// Reads `args`, without the program's name.
pub fn matches(command: Command, args: &[String]) -> Result<ArgMatches, Stop> {
    let mut command = command.no_binary_name(true).disable_version_flag(true);
    command.try_get_matches_from_mut(args).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Stop::Error(format!("must select a subcommand of '{}'", path(&command, args)))
        }
        _ => to_stop(&error),
    })
}

/// What `--version` prints: who we are, and the version that we stand in for.
pub fn version(program: &str, version: &str) -> String {
    format!(
        "{program}, version {version} (branch: vesta, revision: {})\n  platform:         {}/{}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// Lets every `bool`, in all commands, be turned off too; adds their names to `switches`.
fn with_switches(command: Command, switches: &mut Vec<String>) -> Command {
    let command = command.mut_args(|arg| match (arg.get_action(), arg.get_long()) {
        (ArgAction::SetTrue, Some(name)) => {
            switches.push(name.to_owned());
            to_switch(arg)
        }
        _ => arg,
    });
    command.mut_subcommands(|command| with_switches(command, switches))
}

fn to_switch(arg: Arg) -> Arg {
    let is_off = arg.get_default_values().is_empty();
    let arg = if is_off { arg.default_value("false").hide_default_value(true) } else { arg };
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_name("true|false")
        .hide_possible_values(true)
}

/// `--x=false` for `--no-x`.
fn positive(arg: &str, switches: &[String]) -> String {
    match arg.strip_prefix("--no-") {
        Some(name) if switches.iter().any(|it| it == name) => format!("--{name}=false"),
        _ => arg.to_owned(),
    }
}

/// The commands that `args` name, with blanks between.
fn path(mut command: &Command, args: &[String]) -> String {
    let mut names = Vec::new();
    for arg in args {
        if let Some(found) = command.find_subcommand(arg) {
            names.push(found.get_name());
            command = found;
        }
    }
    names.join(" ")
}

/// Says in kingpin's words what clap found.
fn to_stop(error: &clap::Error) -> Stop {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let flag = flag(&argument);
    Stop::Error(match error.kind() {
        ErrorKind::DisplayHelp => return Stop::Print(error.render().to_string()),
        ErrorKind::UnknownArgument if flag.starts_with("--") => {
            format!("unknown long flag '{flag}'")
        }
        ErrorKind::UnknownArgument if flag.starts_with('-') => {
            format!("unknown short flag '{flag}'")
        }
        ErrorKind::UnknownArgument => format!("unexpected {argument}"),
        ErrorKind::InvalidSubcommand => {
            format!("expected command but got \"{}\"", context(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => missing(&argument),
        ErrorKind::ArgumentConflict => {
            format!("flag '{}' cannot be repeated", flag.trim_start_matches('-'))
        }
        ErrorKind::InvalidValue => match context(ContextKind::InvalidValue).as_str() {
            "" => format!("expected argument for flag '{flag}'"),
            value => {
                let valid = context(ContextKind::ValidValue).replace(", ", ",");
                format!("enum value must be one of {valid}, got '{value}'")
            }
        },
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(reason) => reason.to_string(),
            None => format!("{flag}: {}", context(ContextKind::InvalidValue)),
        },
        _ => error.render().to_string().trim_end().to_owned(),
    })
}

/// The first of what is missing: a flag, or an argument such as `<SERVER>`.
fn missing(arguments: &str) -> String {
    let first = arguments.split(", ").next().unwrap_or_default();
    match first.strip_prefix('<') {
        Some(name) => {
            let name = name.trim_end_matches(['.', '>']).to_lowercase().replace('_', "-");
            format!("required argument '{name}' not provided")
        }
        None => format!("required flag {} not provided", flag(first)),
    }
}

/// `--name` of `--name=<VALUE>`, `--name <VALUE>` or `--name[=<VALUE>]`.
fn flag(argument: &str) -> &str {
    argument.split([' ', '=', '[']).next().unwrap_or_default()
}

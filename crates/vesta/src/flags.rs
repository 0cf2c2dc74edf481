//! Command-line flags as upstream spells and reads them.
//!
//! A flag is a line in a table ([`server::FLAGS`], [`alertmanager::FLAGS`]); parser, help and
//! `/api/v1/status/flags` come from it. The rules are kingpin's: `--flag=value`, `--flag value`,
//! `--no-bool`, and `@file` for arguments from a file.

pub(crate) mod alertmanager;
pub(crate) mod server;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::{Arg, ArgAction, Command, parser::ValueSource};
use config::values::Bytes;
use receivers::values::GoDuration;

pub(crate) use kingpin::Stop;

/// One flag: name, default, kind, and what `--help` says.
pub(crate) struct Flag {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// As `status/flags` prints it; "" for none.
    pub(crate) default: &'static str,
    pub(crate) help: &'static str,
    pub(crate) hidden: bool,
    pub(crate) status: Status,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Text,
    /// May be repeated.
    List,
    /// Prometheus' durations: `1h30m`, days and longer allowed.
    Duration,
    /// Go's durations: hours are the largest unit, fractions allowed.
    GoDuration,
    Int,
    Float,
    /// `512MB`, powers of two.
    Bytes,
}

/// How far a flag is honoured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Works,
    /// Accepted, so that a command line can move over as it is; the text says why it does nothing.
    NoEffect(&'static str),
}

/// The values of all flags of a table.
#[derive(Debug)]
pub(crate) struct Values {
    given: BTreeMap<&'static str, Vec<String>>,
    given_explicitly: Vec<&'static str>,
}

const VERSION: &str = "version";

/// Reads `args` (without the program's name) by `table`. `--version` prints the command's long
/// version.
pub(crate) fn parse(
    mut command: Command,
    table: &'static [Flag],
    args: &[String],
) -> Result<Values, Stop> {
    for flag in table {
        command = command.arg(flag.to_arg());
        if flag.kind == Kind::Bool {
            command = command.arg(flag.to_negation());
        }
    }
    command = command.arg(version_arg());
    let args = expand_files(args)?;
    let version = command.get_long_version().unwrap_or_default().to_owned();
    let matches = kingpin::matches(command, &args)?;
    if matches.get_flag(VERSION) {
        return Err(Stop::Print(version));
    }
    let mut values = Values { given: BTreeMap::new(), given_explicitly: Vec::new() };
    for flag in table {
        let explicit = matches.value_source(flag.name) == Some(ValueSource::CommandLine);
        let negated = flag.kind == Kind::Bool && matches.get_flag(&format!("no-{}", flag.name));
        let given = match (flag.kind, explicit || negated) {
            (Kind::Bool, true) => vec![(!negated).to_string()],
            (_, true) => {
                matches.get_many::<String>(flag.name).into_iter().flatten().cloned().collect()
            }
            (_, false) => flag.defaults(),
        };
        if flag.kind != Kind::List && given.len() > 1 {
            return Err(Stop::Error(format!("flag '{}' cannot be repeated", flag.name)));
        }
        for value in &given {
            flag.check(value).map_err(Stop::Error)?;
        }
        if explicit || negated {
            values.given_explicitly.push(flag.name);
        }
        values.given.insert(flag.name, given);
    }
    Ok(values)
}

impl Flag {
    fn to_arg(&self) -> Arg {
        let help = match self.status {
            Status::Works => self.help.to_owned(),
            Status::NoEffect(why) => format!("{} [no effect yet: {why}]", self.help),
        };
        let arg =
            Arg::new(self.name).long(self.name).hide(self.hidden).help_heading(self.heading());
        match self.kind {
            Kind::Bool => {
                arg.action(ArgAction::SetTrue).help(format!("{help} [default: {}]", self.default))
            }
            _ if self.default.is_empty() => arg.action(ArgAction::Append).help(help),
            _ => arg.action(ArgAction::Append).help(format!("{help} [default: {}]", self.default)),
        }
        .value_name(self.value_name())
    }

    fn to_negation(&self) -> Arg {
        Arg::new(format!("no-{}", self.name))
            .long(format!("no-{}", self.name))
            .hide(true)
            .action(ArgAction::SetTrue)
            .overrides_with(self.name)
    }

    /// `--web.timeout` is listed under "web".
    fn heading(&self) -> &'static str {
        match self.name.split_once('.') {
            Some((group, _)) => group,
            None => "general",
        }
    }

    fn value_name(&self) -> &'static str {
        match self.kind {
            Kind::Bool => "",
            Kind::Text => "TEXT",
            Kind::List => "TEXT (repeatable)",
            Kind::Duration | Kind::GoDuration => "DURATION",
            Kind::Int => "NUMBER",
            Kind::Float => "FLOAT",
            Kind::Bytes => "BYTES",
        }
    }

    fn defaults(&self) -> Vec<String> {
        match self.kind {
            Kind::List if self.default.is_empty() => Vec::new(),
            Kind::List => self.default.split(',').map(str::to_owned).collect(),
            _ => vec![self.default.to_owned()],
        }
    }

    /// Checks that `value` is of the flag's kind; the complaint is upstream's where it has one.
    fn check(&self, value: &str) -> Result<(), String> {
        let is_none = value.is_empty() && self.default.is_empty();
        let not_a = |function: &str| {
            format!("strconv.{function}: parsing {}: invalid syntax", model::labels::quote(value))
        };
        match self.kind {
            _ if is_none => Ok(()),
            Kind::Bool | Kind::Text | Kind::List => Ok(()),
            Kind::Duration => {
                model::duration::parse(value).map(drop).map_err(|error| error.to_string())
            }
            Kind::GoDuration => GoDuration::parse(value).map(drop),
            Kind::Int => value.parse::<i64>().map(drop).map_err(|_| not_a("ParseInt")),
            Kind::Float => value.parse::<f64>().map(drop).map_err(|_| not_a("ParseFloat")),
            Kind::Bytes => Bytes::parse(value).map(drop),
        }
    }
}

impl Values {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.list(name).first().map_or("", String::as_str)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(self.text(name))
    }

    pub(crate) fn list(&self, name: &str) -> &[String] {
        self.given.get(name).unwrap_or_else(|| panic!("flag {name} is not in the table"))
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// Whether the flag stands on the command line.
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given_explicitly.contains(&name)
    }

    /// Zero if the flag has neither value nor default.
    pub(crate) fn duration(&self, name: &str) -> Duration {
        let text = self.text(name);
        let go = || GoDuration::parse(text).ok().map(|GoDuration(duration)| duration);
        model::duration::parse(text).ok().or_else(go).unwrap_or_default()
    }

    pub(crate) fn int(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }

    pub(crate) fn bytes(&self, name: &str) -> u64 {
        let bytes = Bytes::parse(self.text(name)).unwrap_or_default();
        u64::try_from(bytes.0).unwrap_or_default()
    }

    /// Every flag of `table` with its value as upstream prints it, for `/api/v1/status/flags`.
    pub(crate) fn all(&self, table: &'static [Flag]) -> BTreeMap<String, String> {
        let shown = |flag: &Flag| match flag.kind {
            Kind::Duration => model::duration::format(self.duration(flag.name)),
            Kind::GoDuration if self.text(flag.name).is_empty() => "0s".to_owned(),
            Kind::Bytes => Bytes::parse(self.text(flag.name)).unwrap_or_default().to_string(),
            _ => self.list(flag.name).join(","),
        };
        table.iter().map(|flag| (flag.name.to_owned(), shown(flag))).collect()
    }

    /// The flags on the command line that do nothing yet, each with the reason.
    pub(crate) fn without_effect(
        &self,
        table: &'static [Flag],
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        table.iter().filter_map(|flag| match flag.status {
            // An empty value asks for nothing: `--cluster.listen-address=` is how it is turned off.
            Status::NoEffect(why)
                if self.is_given(flag.name) && !self.text(flag.name).is_empty() =>
            {
                Some((flag.name, why))
            }
            _ => None,
        })
    }
}

fn version_arg() -> Arg {
    Arg::new(VERSION)
        .long(VERSION)
        .action(ArgAction::SetTrue)
        .help_heading("general")
        .help("Print the version")
}

/// Replaces each `@file` by what is in it, and other ways to ask for help by ours.
#[expect(clippy::disallowed_methods, reason = "arguments are read before a runtime exists")]
fn expand_files(args: &[String]) -> Result<Vec<String>, Stop> {
    let mut args = kingpin::with_files(args, |path| std::fs::read_to_string(path))?;
    for arg in &mut args {
        if matches!(arg.as_str(), "--help-long" | "--help-man") {
            "--help".clone_into(arg);
        }
    }
    Ok(args)
}

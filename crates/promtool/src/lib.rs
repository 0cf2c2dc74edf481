//! What does `promtool` print? Checks, queries, unit tests of rules, blocks from the command line.
//!
//! Speaks to any Prometheus over its API, and reads configurations, rules and data directories by
//! itself. Start at [`main`]; [`run`] is the same with the world handed in, so that tests see what
//! it prints. A command is a module; `arguments` says how it is called.

mod arguments;
mod check;
mod debug;
mod http_client;
mod lint;
mod promql;
mod push;
mod query;
mod table;
mod time;
mod tsdb;
mod unit_test;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

use kingpin::Stop;
use runtime::Runtime;

use arguments::{Command, Parsed};

/// The version that we say we are: the upstream version whose behaviour this is.
const VERSION: &str = "3.14.0";

/// What a command sees of the world, and where it prints.
pub struct World {
    pub runtime: Runtime,
    pub stdin: Box<dyn Read + Send>,
    pub stdout: Box<dyn Write + Send>,
    pub stderr: Box<dyn Write + Send>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    Failure,
    /// The linter found something, and that was to be fatal.
    Lint,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::Lint => 3,
        }
    }
}

/// Runs the command line `args`, without the program's name.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub fn main(args: &[String]) -> ExitCode {
    let threads = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(threads) => threads,
        Err(error) => {
            eprintln!("promtool: error: start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut world = World::real();
    // What goes wrong behind the scenes, such as a source of targets that answers rubbish.
    let clock = world.runtime.clock.clone();
    let now = move || clock.now().as_nanos() as i128;
    telemetry::log::start(telemetry::log::Level::Error, telemetry::log::Format::Logfmt, now);
    let exit = threads.block_on(run(args, &mut world));
    match world.stdout.flush() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(exit.code()),
    }
}

/// Runs the command line `args` in `world`.
pub async fn run(args: &[String], world: &mut World) -> Exit {
    let disk = world.runtime.disk.clone();
    let args = kingpin::with_files(args, |path| disk.read_to_string(path.as_ref()));
    let parsed = match args.and_then(|args| arguments::parse(&args, &*disk)) {
        Ok(parsed) => parsed,
        Err(Stop::Print(text)) => {
            return end(world.stdout.write_all(text.as_bytes()).map_err(Into::into), world);
        }
        Err(Stop::Error(reason)) => {
            let complaint = writeln!(world.stderr, "promtool: error: {reason}, try --help");
            return if complaint.is_ok() { Exit::Failure } else { Exit::Success };
        }
    };
    match act(parsed, world).await {
        Ok(exit) => exit,
        Err(error) => end(Err(error), world),
    }
}

/// A reader that has enough (`promtool … | head`) is no failure; everything else is, with a word.
fn end(outcome: anyhow::Result<()>, world: &mut World) -> Exit {
    let Err(error) = outcome else { return Exit::Success };
    let cause = error.downcast_ref::<io::Error>();
    if cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
        return Exit::Success;
    }
    // Nobody is left to tell if this fails, too; the exit code remains.
    writeln!(world.stderr, "{}", explain(&error)).unwrap_or_default();
    Exit::Failure
}

/// An error with its causes, each once: some errors of ours tell their cause themselves.
fn explain(error: &anyhow::Error) -> String {
    let mut out = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !out.ends_with(&cause) {
            out.push_str(": ");
            out.push_str(&cause);
        }
    }
    out
}

async fn act(parsed: Parsed, world: &mut World) -> anyhow::Result<Exit> {
    let Parsed { global, command } = parsed;
    for warning in &global.warnings {
        writeln!(world.stdout, "{warning}")?;
    }
    match command {
        Command::CheckConfig(check) => check::config::run(&global, world, &check),
        Command::CheckRules(check) => check::rules::run(&global, world, &check),
        Command::CheckMetrics(check) => check::metrics::run(world, &check),
        Command::CheckWebConfig(check) => check::web_config::run(world, &check),
        Command::CheckHealthy(check) => {
            check::server::run(&global, world, &check, "/-/healthy").await
        }
        Command::CheckReady(check) => check::server::run(&global, world, &check, "/-/ready").await,
        Command::CheckDiscovery(check) => check::service_discovery::run(world, &check).await,
        Command::Query(query) => query::run(&global, world, query).await,
        Command::TestRules(test) => unit_test::run(&global, world, &test),
        Command::Tsdb(command) => tsdb::run(&global, world, &command).await,
        Command::Push(push) => push::run(&global, world, &push).await,
        Command::Debug(debug) => debug::run(&global, world, &debug).await,
        Command::PromqlFormat(format) => promql::format(&global, world, &format),
        Command::LabelMatchersSet(set) => promql::set_matchers(&global, world, &set),
        Command::LabelMatchersDelete(delete) => promql::delete_matchers(&global, world, &delete),
    }
}

impl World {
    /// This machine; standard output is buffered until [`main`] ends.
    pub fn real() -> World {
        World {
            runtime: Runtime::real(),
            stdin: Box::new(io::stdin()),
            stdout: Box::new(io::BufWriter::new(io::stdout())),
            stderr: Box::new(io::stderr()),
        }
    }
}

#[cfg(test)]
mod tests;

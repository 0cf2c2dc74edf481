//! What does `amtool` print? Alerts, silences, routes and templates from the command line.
//!
//! Speaks to any Alertmanager over its API, and reads configuration files by itself. Start at
//! [`main`]; [`run`] is the same with the world handed in, so that tests see what it prints.

mod alert;
mod api;
mod arguments;
mod check_config;
mod cluster;
mod defaults;
mod history;
mod labels;
mod routes;
mod show;
mod silence;
mod table;
mod template;

use std::{
    io::{IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use kingpin::Stop;
use runtime::Runtime;

use arguments::{Command, Parsed};

/// The version that we say we are: the upstream version whose behaviour this is.
const VERSION: &str = "0.34.0";

/// What a command sees of the world.
pub struct World {
    pub runtime: Runtime,
    /// `~/.config/amtool/config.yml` and `/etc/amtool/config.yml`: what is in the first holds.
    pub config_files: Vec<PathBuf>,
    /// The author of silences, unless one is given.
    pub user: String,
    /// Standard input, or `None` where that is a terminal.
    pub stdin: Option<Box<dyn FnOnce() -> std::io::Result<String> + Send>>,
}

/// What a command leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub stdout: String,
    pub stderr: String,
    pub exit_code: u8,
}

/// Runs the command line `args`, without the program's name.
#[expect(clippy::print_stderr, reason = "this is the command line")]
pub fn main(args: &[String]) -> ExitCode {
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match threads {
        Ok(threads) => threads.block_on(run(args, World::real())),
        Err(error) => fail(format!("start threads: {error}")),
    };
    // A reader that has enough (`amtool … | head`) is no failure.
    let written = std::io::stdout().lock().write_all(outcome.stdout.as_bytes());
    eprint!("{}", outcome.stderr);
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(outcome.exit_code),
    }
}

/// Runs the command line `args` in `world`.
pub async fn run(args: &[String], world: World) -> Outcome {
    let defaults = match defaults::read(&*world.runtime.disk, &world.config_files) {
        Ok(defaults) => defaults,
        Err(error) => return fail(format!("could not load config file: {error}\n")),
    };
    let disk = world.runtime.disk.clone();
    let args = kingpin::with_files(args, |path| disk.read_to_string(path.as_ref()));
    let parsed = match args.and_then(|args| arguments::parse(&args, &defaults)) {
        Ok(parsed) => parsed,
        Err(Stop::Print(stdout)) => return Outcome { stdout, ..Outcome::default() },
        Err(Stop::Error(reason)) => return fail(format!("{reason}\n")),
    };
    let mut outcome = Outcome::default();
    let done = act(parsed, world, &mut outcome).await;
    if let Err(error) = done {
        outcome.stderr.push_str(&format!("amtool: error: {error:#}\n\n"));
        outcome.exit_code = 1;
    }
    outcome
}

async fn act(parsed: Parsed, world: World, outcome: &mut Outcome) -> anyhow::Result<()> {
    let Parsed { global, command } = parsed;
    match command {
        Command::AlertQuery(query) => alert::query(&global, &world, query, outcome).await,
        Command::AlertAdd(add) => alert::add(&global, &world, add, outcome).await,
        Command::SilenceQuery(query) => silence::query(&global, &world, query, outcome).await,
        Command::SilenceAdd(add) => silence::add(&global, &world, add, outcome).await,
        Command::SilenceExpire(ids) => silence::expire(&global, &world, &ids, outcome).await,
        Command::SilenceUpdate(update) => silence::update(&global, &world, update, outcome).await,
        Command::SilenceImport(import) => silence::import(&global, world, import, outcome).await,
        Command::CheckConfig(files) => check_config::run(&global, world, &files, outcome),
        Command::ConfigShow => show::run(&global, &world, outcome).await,
        Command::RoutesShow(routes) => routes::show(&global, &world, routes, outcome).await,
        Command::RoutesTest(test) => routes::test(&global, &world, test, outcome).await,
        Command::ClusterShow => cluster::show(&global, &world, outcome).await,
        Command::History(history) => history::show(&global, &world, history, outcome).await,
        Command::TemplateRender(render) => template::render(&world, render, outcome),
    }
}

fn fail(message: String) -> Outcome {
    let stderr = format!("amtool: error: {message}\n");
    Outcome { stderr, exit_code: 1, ..Outcome::default() }
}

impl World {
    /// This machine and this user.
    pub fn real() -> World {
        let mut config_files = vec![PathBuf::from("/etc/amtool/config.yml")];
        if let Some(home) = std::env::var_os("HOME") {
            config_files.insert(0, PathBuf::from(home).join(".config/amtool/config.yml"));
        }
        let runtime = Runtime::real();
        let user = user_name(&runtime);
        let is_terminal = std::io::stdin().is_terminal();
        let read = || {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        };
        let stdin = (!is_terminal).then(|| Box::new(read) as Box<_>);
        World { runtime, config_files, user, stdin }
    }
}

/// The name that the system has for whoever runs this.
fn user_name(runtime: &Runtime) -> String {
    let id = rustix::process::getuid().as_raw().to_string();
    let users = runtime.disk.read_to_string("/etc/passwd".as_ref()).unwrap_or_default();
    let known = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    known.or_else(|| std::env::var("USER").ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;

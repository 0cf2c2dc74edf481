//! The one binary: what did the user type?
//!
//! `vesta <command> …`, or, under the name of an upstream program, that program.

mod agent;
mod alertmanager;
mod cluster;
mod commands;
mod demo;
mod drill;
mod exporter;
mod flags;
mod host;
mod memory;
mod profiles;
mod server;
mod shop;
mod webhook;

use std::{path::Path, process::ExitCode};

/// Gives memory back and does not fragment over months of scrapes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A subcommand: its name, the upstream program that it is, what it does.
struct Command {
    name: &'static str,
    upstream: Option<&'static str>,
    about: &'static str,
    main: fn(&[String]) -> ExitCode,
}

/// In the order in which `vesta --help` lists them.
static COMMANDS: &[Command] = &[
    Command {
        name: "server",
        upstream: Some("prometheus"),
        about: "scrape, store, answer PromQL, raise alerts: every flag of prometheus",
        main: server::main,
    },
    Command {
        name: "alertmanager",
        upstream: Some("alertmanager"),
        about: "group, silence, inhibit, notify: every flag of alertmanager",
        main: alertmanager::main,
    },
    Command {
        name: "amtool",
        upstream: Some("amtool"),
        about: "ask and change an Alertmanager: every command of amtool",
        main: amtool::main,
    },
    Command {
        name: "promtool",
        upstream: Some("promtool"),
        about: "check, query, test rules, make blocks: every command of promtool",
        main: promtool::main,
    },
    Command {
        name: "webhook",
        upstream: None,
        about: "print each notification, a line of JSON each",
        main: webhook::main,
    },
    Command {
        name: "host",
        upstream: None,
        about: "metrics of this machine, under node_exporter's names",
        main: host::main,
    },
    Command {
        name: "shop",
        upstream: None,
        about: "something with business metrics to watch",
        main: shop::main,
    },
    Command {
        name: "demo",
        upstream: None,
        about: "the whole topology on loopback, with something real to watch",
        main: demo::main,
    },
    Command {
        name: "drill",
        upstream: None,
        about: "hurts a topology and counts what it loses: nothing, it promises",
        main: drill::main,
    },
];

fn main() -> ExitCode {
    end_with_the_demo();
    let mut words = std::env::args();
    let program = words.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy();
    let words: Vec<String> = words.collect();
    if let Some(command) = COMMANDS.iter().find(|command| command.upstream == Some(&*name)) {
        return (command.main)(&words);
    }
    match words.split_first() {
        Some((first, rest)) => match COMMANDS.iter().find(|command| command.name == first) {
            Some(command) => (command.main)(rest),
            None => answer(first),
        },
        None => answer("--help"),
    }
}

/// Answers `--help`, `--version`, and what is no command.
#[expect(clippy::print_stderr, reason = "this is the command line")]
fn answer(word: &str) -> ExitCode {
    match word {
        "-h" | "--help" | "help" => {
            commands::say(&format!("{}\n", help()));
            ExitCode::SUCCESS
        }
        "-V" | "--version" | "version" => {
            commands::say(concat!("vesta ", env!("CARGO_PKG_VERSION"), "\n"));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("vesta: there is no command {word:?}\n\n{}", help());
            ExitCode::from(2)
        }
    }
}

fn help() -> String {
    let mut out = "Monitoring that does not go out: Prometheus and Alertmanager in one binary.\n\n\
        Usage: vesta <command> [arguments]\n\nCommands:\n"
        .to_owned();
    for command in COMMANDS {
        out.push_str(&format!("  {:<14}{}\n", command.name, command.about));
    }
    out.push_str(
        "\nUnder the name prometheus, alertmanager, promtool or amtool (a symbolic link) it is that\n\
         program. `vesta <command> --help` says more. Start with `vesta demo`.",
    );
    out
}

/// A part of the demo ends when the demo does, even if that is killed.
fn end_with_the_demo() {
    if std::env::var_os(demo::PARENT_VARIABLE).is_some() {
        // Without it a killed demo leaves its parts running; that is no reason not to run.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM))
            .unwrap_or_default();
    }
}

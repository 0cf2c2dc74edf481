//! Command lines as kingpin reads them.

use kingpin::Stop;
use runtime::disk::RealDisk;

use super::parse;

fn refused(line: &str) -> String {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    match parse(&args, &RealDisk) {
        Err(Stop::Error(reason)) => reason,
        Err(Stop::Print(text)) => format!("printed {text}"),
        Ok(parsed) => format!("{parsed:?}"),
    }
}

#[test]
fn mistakes_are_told_in_kingpins_words() {
    for (line, expected) in [
        ("check", "must select a subcommand of 'check'"),
        ("tsdb bench", "must select a subcommand of 'tsdb bench'"),
        ("nothing", "expected command but got \"nothing\""),
        ("check config", "required argument 'config-files' not provided"),
        ("check config /nowhere", "path '/nowhere' does not exist"),
        ("query instant localhost", "required argument 'expr' not provided"),
        ("query instant --time=then localhost up", "cannot parse \"then\" to a valid timestamp"),
        ("query -o xml instant localhost up", "enum value must be one of promql,json, got 'xml'"),
    ] {
        assert_eq!(refused(line), expected, "{line}");
    }
}

#[test]
fn every_command_explains_itself() {
    fn walk(command: &mut clap::Command, path: &str) {
        assert!(command.get_about().is_some() || path.is_empty(), "{path} has no text");
        for argument in command.get_arguments().filter(|it| it.get_id() != "help") {
            assert!(argument.get_help().is_some(), "{path} {argument} has no text");
        }
        for inner in command.get_subcommands_mut() {
            let path = format!("{path} {}", inner.get_name());
            walk(inner, &path);
        }
    }
    walk(&mut <super::definition::Cli as clap::CommandFactory>::command(), "");
}

use clap::{CommandFactory as _, Parser, Subcommand};

use super::{Stop, parse};

#[derive(Debug, Parser)]
#[command(name = "program")]
struct Cli {
    /// A switch that is off
    #[arg(short, long, global = true)]
    verbose: bool,
    /// A switch that is on
    #[arg(long, global = true, default_value = "true")]
    check: bool,
    #[arg(short, long, global = true, default_value = "simple", value_parser = ["simple", "json"])]
    output: String,
    #[arg(long, global = true, default_value = "1")]
    count: u8,
    #[command(subcommand)]
    command: Top,
}

#[derive(Debug, Subcommand)]
enum Top {
    /// One level deeper
    Group {
        #[command(subcommand)]
        command: Inner,
    },
}

#[derive(Debug, Subcommand)]
enum Inner {
    /// What is done
    Run {
        #[arg(short, long)]
        force: bool,
        #[arg(long, required = true)]
        glob: Vec<String>,
        #[arg(required = true, value_name = "SOME_FILES")]
        files: Vec<String>,
    },
}

fn read(line: &str) -> Result<Cli, Stop> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    parse(Cli::command(), &words)
}

/// What the switches are, or the complaint.
fn check(line: &str, expected: &str) {
    let got = match read(line) {
        Ok(Cli { verbose, check, command, .. }) => {
            let Top::Group { command: Inner::Run { force, files, .. } } = command;
            format!("verbose {verbose} check {check} force {force} {}", files.join(","))
        }
        Err(Stop::Error(reason)) => reason,
        Err(Stop::Print(text)) => format!("printed {text}"),
    };
    assert_eq!(got, expected, "{line}");
}

#[test]
fn switches_are_turned_on_and_off() {
    check("group run --glob=* a b", "verbose false check true force false a,b");
    check("group run --glob=* -vf a", "verbose true check true force true a");
    check("--verbose group run --glob=* a", "verbose true check true force false a");
    check("--no-check group run --glob=* a", "verbose false check false force false a");
    check("group run --glob=* a --no-check --no-force", "verbose false check false force false a");
    check("group run --no-glob=* a", "unknown long flag '--no-glob'");
}

#[test]
fn mistakes_are_told_in_kingpins_words() {
    check("nothing", "expected command but got \"nothing\"");
    check("--nothing=1", "unknown long flag '--nothing'");
    check("group run -z", "unknown short flag '-z'");
    check("group", "must select a subcommand of 'group'");
    check("-o json group", "must select a subcommand of 'group'");
    check("group run a", "required flag --glob not provided");
    check("group run --glob=*", "required argument 'some-files' not provided");
    check("-o xml group run --glob=* a", "enum value must be one of simple,json, got 'xml'");
    check("group run --count=x", "invalid digit found in string");
    check("--count", "expected argument for flag '--count'");
    check("--count=1 --count=2 group", "flag 'count' cannot be repeated");
    check("--no-check --check group", "flag 'check' cannot be repeated");
}

#[test]
fn no_words_ask_for_help() {
    for line in ["", "help", "--help"] {
        assert!(
            matches!(read(line), Err(Stop::Print(text)) if text.contains("One level")),
            "{line}"
        );
    }
}

#[test]
fn arguments_are_read_from_files() {
    let read = |path: &str| match path {
        "flags" => Ok("--one\n# no flag\n\n--two=a b\n@more\n".to_owned()),
        _ => Err(std::io::Error::from(std::io::ErrorKind::NotFound)),
    };
    let check = |line: &str, expected: Result<&[&str], &str>| {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let got = super::with_files(&args, read);
        let expected = match expected {
            Ok(args) => Ok(args.iter().map(|arg| (*arg).to_owned()).collect()),
            Err(reason) => Err(Stop::Error(reason.to_owned())),
        };
        assert_eq!(got, expected, "{line}");
    };
    check("a @flags b", Ok(&["a", "--one", "--two=a b", "@more", "b"]));
    check("a -- @flags", Ok(&["a", "--", "@flags"]));
    check("@nowhere", Err("open nowhere: no such file or directory"));
}

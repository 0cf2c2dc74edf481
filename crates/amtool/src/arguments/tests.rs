use kingpin::Stop;

use super::{Command, Parsed, parse};
use crate::defaults::Defaults;

fn read(line: &str) -> Result<Parsed, Stop> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    parse(&words, &Defaults::new())
}

fn check_error(line: &str, expected: &str) {
    match read(line) {
        Err(Stop::Error(reason)) => assert_eq!(reason, expected, "{line}"),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn groups_have_default_commands() {
    for line in ["alert", "alert query", "-o json alert", "alert -o json", "alert a=b", "alert -s"]
    {
        let parsed = read(line).unwrap();
        assert!(matches!(parsed.command, Command::AlertQuery(_)), "{line}");
    }
    for line in ["silence", "silence query --expired", "silence --quiet a=b"] {
        assert!(matches!(read(line).unwrap().command, Command::SilenceQuery(_)), "{line}");
    }
    assert!(matches!(read("alert add a").unwrap().command, Command::AlertAdd(_)));
    assert!(matches!(read("config").unwrap().command, Command::ConfigShow));
    assert!(matches!(read("cluster").unwrap().command, Command::ClusterShow));
    let routes = read("config routes --config.file=f").unwrap().command;
    assert!(matches!(routes, Command::RoutesShow(it) if it.file.is_some()));
    let routes = read("config routes test --config.file=f a=b").unwrap().command;
    assert!(matches!(routes, Command::RoutesTest(it) if it.file.is_some() && it.labels == ["a=b"]));
}

#[test]
fn switches_can_be_turned_off() {
    assert!(read("alert").unwrap().global.version_check);
    assert!(!read("alert --no-version-check").unwrap().global.version_check);
    let Command::SilenceAdd(add) = read("silence add --no-require-comment a").unwrap().command
    else {
        panic!("it is silence add")
    };
    assert!(!add.require_comment);
    let Command::AlertQuery(query) = read("alert query -is --no-active").unwrap().command else {
        panic!("it is alert query")
    };
    assert!(query.inhibited && query.silenced && !query.active);
    assert_eq!(add.matchers, ["a"]);
}

#[test]
fn mistakes_are_told_as_kingpin_tells_them() {
    check_error("frob", "expected command but got \"frob\"");
    check_error("silence update -q x -e", "unknown short flag '-e'");
    check_error("--no-verbose template", "must select a subcommand of 'template'");
    check_error("alert --no-silenced --silenced", "flag 'silenced' cannot be repeated");
    check_error("--timeout=x alert", "time: invalid duration \"x\"");
    check_error("template render --template.text=x", "required flag --template.glob not provided");
    check_error(
        "--enable-feature=frob alert",
        "error parsing the feature flag list: unknown option 'frob' for --enable-feature",
    );
}

#[test]
fn nothing_is_a_wish_for_help() {
    assert!(matches!(read(""), Err(Stop::Print(text)) if text.contains("check-config")));
    assert!(matches!(read("--help"), Err(Stop::Print(_))));
    assert!(
        matches!(read("--version"), Err(Stop::Print(text)) if text.starts_with("amtool, version 0.34.0 ("))
    );
}

#[test]
fn files_give_defaults_to_the_flags_of_all_commands() {
    let defaults =
        [("alertmanager.url", "http://there/"), ("author", "me"), ("require-comment", "false")];
    let defaults = defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let read = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(&words, &defaults).unwrap()
    };
    let parsed = read(&["silence", "add", "a"]);
    assert_eq!(parsed.global.url.unwrap().as_str(), "http://there/");
    let Command::SilenceAdd(add) = parsed.command else { panic!("it is silence add") };
    assert_eq!((add.author.as_deref(), add.require_comment), (Some("me"), false));
    let parsed = read(&["--alertmanager.url=http://here/", "silence", "add", "a", "--author=you"]);
    assert_eq!(parsed.global.url.unwrap().as_str(), "http://here/");
    let Command::SilenceAdd(add) = parsed.command else { panic!("it is silence add") };
    assert_eq!(add.author.as_deref(), Some("you"));
}

use clap::Command;

use super::{Kind, Stop, parse, server};

/// Parses a command line and prints flag `name`, or the complaint.
fn check(args: &str, name: &str, expected: &str) {
    let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let got = match parse(Command::new("server"), server::FLAGS, &args) {
        Ok(values) => values.list(name).join(","),
        Err(Stop::Print(text) | Stop::Error(text)) => text,
    };
    assert_eq!(got, expected, "{args:?}");
}

#[test]
fn values_are_given_with_equals_sign_or_blank() {
    check("--config.file=a.yml", "config.file", "a.yml");
    check("--config.file a.yml", "config.file", "a.yml");
    check("", "config.file", "prometheus.yml");
}

#[test]
fn the_version_is_printed_whatever_else_is_given() {
    let command = Command::new("server").long_version("prometheus, version 1");
    let args = ["--version".to_owned(), "--config.file=x".to_owned()];
    let stop = parse(command, server::FLAGS, &args).expect_err("nothing is run");
    assert_eq!(stop, Stop::Print("prometheus, version 1".to_owned()));
}

#[test]
fn values_are_shown_as_upstream_shows_them() {
    let args = ["--query.timeout=120s".to_owned()];
    let values = parse(Command::new("server"), server::FLAGS, &args).expect("good flags");
    let shown = values.all(server::FLAGS);
    let check = |name: &str, expected: &str| assert_eq!(shown[name], expected, "{name}");
    check("query.timeout", "2m");
    check("storage.tsdb.retention.time", "0s");
    check("storage.tsdb.retention.size", "0B");
    check("storage.tsdb.wal-segment-size", "128MiB");
    check("web.enable-lifecycle", "false");
}

#[test]
fn booleans_can_be_negated() {
    check("", "web.enable-lifecycle", "false");
    check("--web.enable-lifecycle", "web.enable-lifecycle", "true");
    check("--no-web.enable-lifecycle", "web.enable-lifecycle", "false");
    check("--no-storage.tsdb.wal-compression", "storage.tsdb.wal-compression", "false");
    check("", "storage.tsdb.wal-compression", "true");
}

#[test]
fn lists_repeat_and_others_do_not() {
    let two = "--web.listen-address=:1 --web.listen-address=:2";
    check(two, "web.listen-address", ":1,:2");
    check("", "web.listen-address", "0.0.0.0:9090");
    let two = "--config.file=a --config.file=b";
    check(two, "config.file", "flag 'config.file' cannot be repeated");
}

#[test]
fn mistakes_are_told_in_kingpins_words() {
    check("--nonsense", "config.file", "unknown long flag '--nonsense'");
    check("extra", "config.file", "unexpected extra");
    check("--config.file", "config.file", "expected argument for flag '--config.file'");
    check("--query.timeout=2x", "query.timeout", "not a valid duration string: \"2x\"");
}

#[test]
fn every_default_is_of_its_kind() {
    for flag in server::FLAGS.iter().chain(super::alertmanager::FLAGS) {
        for value in flag.defaults() {
            assert_eq!(flag.check(&value), Ok(()), "--{}", flag.name);
        }
        let is_boolean = flag.default == "true" || flag.default == "false";
        assert_eq!(flag.kind == Kind::Bool, is_boolean, "--{}", flag.name);
    }
}

#[test]
fn names_are_unique() {
    for table in [server::FLAGS, super::alertmanager::FLAGS] {
        let mut names: Vec<_> = table.iter().map(|flag| flag.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.len());
    }
}

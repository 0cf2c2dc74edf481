use std::time::Duration;

use super::*;

fn options(args: &[&str]) -> Result<Options, Stop> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    to_options(&flags::parse(clap::Command::new("alertmanager"), FLAGS, &args)?)
}

fn check_wrong(arg: &str, expected: &str) {
    match options(&[arg]) {
        Err(Stop::Error(text)) => assert!(text.contains(expected), "{arg}: {text}"),
        _ => panic!("{arg} is fine"),
    }
}

#[test]
fn intervals_must_be_positive() {
    for flag in [
        "data.retention",
        "data.maintenance-interval",
        "alerts.gc-interval",
        "dispatch.maintenance-interval",
        "cluster.peer-timeout",
    ] {
        check_wrong(&format!("--{flag}=0s"), "it must be greater than zero");
    }
}

#[test]
fn sockets_must_have_been_handed_over() {
    check_wrong("--web.systemd-socket", "no socket activation file descriptors found");
}

#[test]
fn zero_is_no_limit() {
    let options = options(&["--silences.max-silences=0", "--web.timeout=0"]);
    let options = options.unwrap_or_else(|_| panic!("all is fine"));
    assert_eq!((options.silences_max, options.silence_bytes_max), (None, None));
    assert_eq!((options.get_concurrency, options.request_timeout), (None, None));
    assert_eq!(options.retention, Duration::from_secs(120 * 3600));
    assert_eq!(options.listen_addresses, [":9093"]);
}

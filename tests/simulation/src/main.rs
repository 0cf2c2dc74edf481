//! Replays a seed: `cargo run -p simulation -- storage --seed 17`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::process::ExitCode;

use simulation::{alertmanager, cluster, remote, rules, storage};

const USAGE: &str =
    "usage: simulation alertmanager|storage|cluster|remote|rules [--seed N | --seeds N]
  --seed N    the history of this seed alone
  --seeds N   the histories of seeds 0 to N-1 (default 1000)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let outcome = match arguments[..] {
        ["alertmanager"] => alertmanager::report(0..1000),
        ["alertmanager", "--seed", seed] if number(seed).is_some() => {
            let seed = number(seed).unwrap_or_default();
            alertmanager::report(seed..seed + 1)
        }
        ["alertmanager", "--seeds", n] if number(n).is_some() => {
            alertmanager::report(0..number(n).unwrap_or_default())
        }
        ["storage"] => storage::run(0..1000).map(|totals| totals.to_string()),
        ["storage", "--seed", seed] if number(seed).is_some() => {
            storage::replay(number(seed).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["storage", "--seeds", n] if number(n).is_some() => {
            storage::run(0..number(n).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["cluster"] => cluster::run(0..1000).map(|totals| totals.to_string()),
        ["cluster", "--seed", seed] if number(seed).is_some() => {
            cluster::replay(number(seed).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["cluster", "--seeds", n] if number(n).is_some() => {
            cluster::run(0..number(n).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["remote"] => remote::run(0..1000).map(|totals| totals.to_string()),
        ["remote", "--seed", seed] if number(seed).is_some() => {
            remote::replay(number(seed).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["remote", "--seeds", n] if number(n).is_some() => {
            remote::run(0..number(n).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["rules"] => rules::run(0..1000).map(|totals| totals.to_string()),
        ["rules", "--seed", seed] if number(seed).is_some() => {
            rules::replay(number(seed).unwrap_or_default()).map(|totals| totals.to_string())
        }
        ["rules", "--seeds", n] if number(n).is_some() => {
            rules::run(0..number(n).unwrap_or_default()).map(|totals| totals.to_string())
        }
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(totals) => {
            println!("{totals}");
            ExitCode::SUCCESS
        }
        Err(story) => {
            eprintln!("{story}");
            ExitCode::FAILURE
        }
    }
}

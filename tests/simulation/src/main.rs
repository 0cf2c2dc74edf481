//! Replays a seed: `cargo run -p simulation -- storage --seed 17`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]

use std::{ops::Range, process::ExitCode};

use simulation::{alertmanager, cluster, remote, rules, storage};

const USAGE: &str =
    "usage: simulation alertmanager|storage|cluster|remote|rules [--seed N | --seeds N]
  --seed N    the history of this seed alone
  --seeds N   the histories of seeds 0 to N-1 (default 1000)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [part, ref which @ ..] => seeds(which).and_then(|seeds| run(part, seeds)),
        [] => None,
    };
    match outcome.unwrap_or_else(|| Err(USAGE.to_owned())) {
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

fn seeds(which: &[&str]) -> Option<Range<u64>> {
    match which {
        [] => Some(0..1000),
        ["--seed", seed] => seed.parse().ok().map(|seed: u64| seed..seed + 1),
        ["--seeds", n] => n.parse().ok().map(|n| 0..n),
        _ => None,
    }
}

/// Nothing if there is no such part.
fn run(part: &str, seeds: Range<u64>) -> Option<Result<String, String>> {
    Some(match part {
        "alertmanager" => alertmanager::report(seeds),
        "storage" => storage::run(seeds).map(|totals| totals.to_string()),
        "cluster" => cluster::run(seeds).map(|totals| totals.to_string()),
        "remote" => remote::run(seeds).map(|totals| totals.to_string()),
        "rules" => rules::run(seeds).map(|totals| totals.to_string()),
        _ => return None,
    })
}

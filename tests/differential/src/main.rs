//! `differential [--seed N] [--queries N] [--only NUMBER]`: asks, and prints what differs.

#![expect(clippy::print_stdout, reason = "it is a command")]

use std::process::ExitCode;

use differential::Pair;

fn main() -> ExitCode {
    let seed = argument("--seed").unwrap_or(1);
    let numbers = match argument("--only") {
        Some(number) => number..number + 1,
        None => 0..argument("--queries").unwrap_or(20_000),
    };
    let Some(pair) = Pair::start(seed) else {
        println!("there is no prometheus on this machine");
        return ExitCode::FAILURE;
    };
    let report = pair.ask(numbers);
    for difference in &report.differences {
        println!("{difference}");
    }
    let (asked, n_differences) = (report.asked, report.differences.len());
    let (filled, refused) = (report.filled, report.refused);
    println!(
        "seed {seed}: {asked} queries, {filled} with a result, {refused} refused, \
         {n_differences} different"
    );
    if n_differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn argument(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

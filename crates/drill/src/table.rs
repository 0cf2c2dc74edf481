//! The promises as a table of text. Pure.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use crate::outcome::{Outcome, Promise, promises};

const COLUMNS: [&str; 6] = ["EXPECTED", "LOST", "DOUBLED", "WRONG", "DIFFERENT", "SECONDS"];

/// A line a promise.
pub(crate) fn of_promises(promises: &[Promise]) -> String {
    let mut out = format!("{:<30}", "PROMISE");
    for column in COLUMNS {
        write!(out, "{column:>11}").expect("strings grow");
    }
    out.push('\n');
    for promise in promises {
        write!(out, "{:<30}", promise.name).expect("strings grow");
        for cell in cells(promise) {
            write!(out, "{cell:>11}").expect("strings grow");
        }
        let verdict = if promise.is_kept { "kept" } else { "BROKEN" };
        writeln!(out, "   {verdict}").expect("strings grow");
    }
    out
}

/// What stands in the columns of a promise.
pub(crate) fn cells(promise: &Promise) -> [String; 6] {
    let number = |number: Option<u64>| number.map_or("–".to_owned(), with_spaces);
    let seconds =
        promise.seconds.map_or("–".to_owned(), |(slowest, _)| format!("≤ {slowest:.2}"));
    [
        number(promise.expected),
        number(promise.lost),
        number(promise.doubled),
        number(promise.wrong),
        number(promise.different),
        seconds,
    ]
}

/// Two topologies, side by side: what each lost, doubled or has differently.
pub(crate) fn side_by_side(left: (&str, &[Outcome]), right: (&str, &[Outcome])) -> String {
    let ((left_name, left), (right_name, right)) = (left, right);
    let mut out = format!("{:<34}{left_name:>28}{right_name:>34}\n", "");
    for (what, figure) in FIGURES {
        let (left, right) = (figure(left), figure(right));
        writeln!(out, "{what:<34}{left:>28}{right:>34}").expect("strings grow");
    }
    out
}

type Figure = fn(&[Outcome]) -> String;

const FIGURES: [(&str, Figure); 9] = [
    ("samples lost for who asks", |all| of(all, "samples at", |p| p.lost, true)),
    ("recorded samples lost", |all| of(all, "recorded at", |p| p.lost, true)),
    ("samples lost at the remote end", |all| {
        of(all, "samples at the remote end", |p| p.lost, false)
    }),
    ("doubled there", |all| of(all, "samples at the remote end", |p| p.doubled, false)),
    ("different between members", |all| of(all, "samples, member", |p| p.different, false)),
    ("notifications lost", |all| of(all, "notifications", |p| p.lost, false)),
    ("notifications doubled", |all| of(all, "notifications", |p| p.doubled, false)),
    ("next writer after a crash", |all| seconds(all, "writer after a crash")),
    ("next writer after a stop", |all| seconds(all, "writer after a stop")),
];

/// The worst place, of so many samples.
fn of(
    outcomes: &[Outcome],
    prefix: &str,
    figure: fn(&Promise) -> Option<u64>,
    without_remote: bool,
) -> String {
    let all = promises(outcomes);
    let fits = |promise: &&Promise| {
        promise.name.starts_with(prefix)
            && !(without_remote && promise.name.ends_with("the remote end"))
    };
    let worst = all.iter().filter(fits).max_by_key(|promise| figure(promise));
    let Some(promise) = worst else { return "–".to_owned() };
    match (figure(promise), promise.expected) {
        (Some(figure), Some(expected)) => {
            format!("{} of {}", with_spaces(figure), with_spaces(expected))
        }
        (Some(figure), None) => with_spaces(figure),
        (None, _) => "–".to_owned(),
    }
}

fn seconds(outcomes: &[Outcome], name: &str) -> String {
    let promise = promises(outcomes).into_iter().find(|promise| promise.name == name);
    match promise.and_then(|promise| Some((promise.seconds?, promise.expected?))) {
        Some(((slowest, typical), times)) => {
            format!("{typical:.2} s, at most {slowest:.2} s ({times}×)")
        }
        None => "–".to_owned(),
    }
}

/// A line about a seed, as soon as it is over.
pub(crate) fn of_seed(outcome: &Outcome) -> String {
    let promises = promises(std::slice::from_ref(outcome));
    let broken: Vec<String> = promises
        .iter()
        .filter(|promise| !promise.is_kept)
        .map(|promise| {
            let columns = COLUMNS.map(str::to_lowercase);
            let cells = cells(promise);
            let figures = columns.iter().zip(&cells).skip(1);
            let figures = figures.filter(|(_, cell)| !matches!(cell.as_str(), "–" | "0"));
            let figures: Vec<String> =
                figures.map(|(column, cell)| format!("{cell} {column}")).collect();
            format!("{} ({})", promise.name, figures.join(", "))
        })
        .collect();
    let faults = outcome.events.len();
    let whole = (outcome.settled_ms - outcome.healed_ms) as f64 / 1000.0;
    match broken.is_empty() {
        true => format!(
            "seed {}: {faults} faults, every promise kept; whole {whole:.1} s after the last one",
            outcome.seed
        ),
        false => format!("seed {}: {faults} faults; BROKEN: {}", outcome.seed, broken.join("; ")),
    }
}

/// What else is worth knowing, a line each.
pub(crate) fn notes(outcomes: &[Outcome]) -> String {
    let asked: u64 = outcomes.iter().map(|outcome| outcome.asked).sum();
    let answered: u64 = outcomes.iter().map(|outcome| outcome.answered).sum();
    let mut out = format!(
        "\nTargets were asked {} times and answered {} times.\n",
        with_spaces(asked),
        with_spaces(answered)
    );
    for outcome in outcomes {
        for note in outcome.notes.iter().chain(&outcome.unasked) {
            writeln!(out, "seed {}: {note}", outcome.seed).expect("strings grow");
        }
    }
    out
}

/// `12 345`
fn with_spaces(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

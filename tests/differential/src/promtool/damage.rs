//! Good files with something wrong in them.

use super::Case;
use crate::dice::Dice;

/// Values that stand in for others.
const JUNK: &[&str] = &[
    "''",
    "0",
    "-1",
    "1.5",
    "abc",
    "5m",
    "1h30m",
    "5x",
    "[]",
    "{}",
    "[a, b]",
    "{a: b}",
    "null",
    "true",
    "~",
    "'{{ $labels.a }}'",
    "'{{ .Bad '",
    "'a b'",
    "\"\\q\"",
    "*unknown",
    "!!int x",
    "up",
    "sum(",
    "'^(a'",
    "http://localhost:9090",
    "1e3",
];

/// The first file of `good` with one or two lines damaged.
pub(super) fn damaged(good: &Case, seed: u64, number: u64) -> Case {
    let dice = Dice::new(seed ^ number.wrapping_mul(0x9e37_79b9) ^ good.name.len() as u64);
    let mut case = good.clone();
    let kind = &good.name;
    case.name = format!("damaged {kind}, seed {seed} number {number}");
    let Some((_, text)) = case.files.first_mut() else { return case };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=dice.below(2) {
        damage(&dice, &mut lines);
    }
    *text = lines.join("\n") + "\n";
    case
}

fn damage(dice: &Dice, lines: &mut Vec<String>) {
    let idx = dice.below(lines.len());
    let line = lines[idx].clone();
    let indent = line.len() - line.trim_start().len();
    match dice.below(8) {
        0 => {
            lines.remove(idx);
        }
        1 => lines.insert(idx, line),
        2 => lines.insert(idx, format!("{}unknown_key: 1", " ".repeat(indent))),
        3 => lines[idx] = format!("  {line}"),
        4 => lines[idx] = line.strip_prefix("  ").unwrap_or(&line).to_owned(),
        // The key without its value, or with one of the wrong kind.
        5 => lines[idx] = replace_value(&line, ""),
        _ => lines[idx] = replace_value(&line, dice.pick(JUNK)),
    }
}

fn replace_value(line: &str, value: &str) -> String {
    match line.split_once(": ") {
        Some((key, _)) => format!("{key}: {value}"),
        None => format!("{line} {value}"),
    }
}

//! How like is one text to another? Upstream's formulas, from 0 to 1.

/// For a text that has `term` in it: 1 at its beginning, less the later it comes.
pub(super) fn substring(term: &str, text: &str) -> Option<f64> {
    let at = text.find(term)?;
    if at == 0 {
        return Some(1.0);
    }
    let n_before = text.get(..at)?.chars().count();
    let n_around = text.chars().count() - term.chars().count();
    Some(1.0 - 0.9 * n_before as f64 / n_around as f64)
}

/// What is not the very text has a little less.
const NOT_EXACT: f64 = 0.999;

/// For a text with the letters of `term` in their order: runs of neighbours count by the square of
/// their length; gaps count against it, after the last letter only half. The best place to begin
/// decides, and from there each letter is taken where it comes first.
pub(super) fn subsequence(term: &str, text: &str) -> f64 {
    if term == text || term.is_empty() {
        return 1.0;
    }
    let term: Vec<char> = term.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let Some((first, rest)) = term.split_first() else { return 1.0 };
    let begins = text.iter().enumerate().filter(|(_, char)| *char == first).map(|(at, _)| at);
    let raw = begins.map_while(|at| from(rest, &text, at)).reduce(f64::max);
    let n_pairs = (term.len() * term.len()) as f64;
    raw.map_or(0.0, |raw| NOT_EXACT * raw / n_pairs)
}

/// Nothing if there is no `rest` after the letter at `begin`, and so after no later one.
fn from(rest: &[char], text: &[char], begin: usize) -> Option<f64> {
    let n = text.len() as f64;
    let mut raw = -(begin as f64) / n;
    let (mut at, mut run) = (begin, 1_usize);
    for letter in rest {
        let tail = text.get(at + 1..)?;
        let gap = tail.iter().position(|char| char == letter)?;
        if gap > 0 {
            raw += (run * run) as f64 - gap as f64 / n;
            run = 0;
        }
        run += 1;
        at += 1 + gap;
    }
    let n_after = text.len() - 1 - at;
    Some(raw + (run * run) as f64 - n_after as f64 / (2.0 * n))
}

/// Letters in common, not far apart and in order, with a bonus for a common beginning.
pub(super) fn jaro_winkler(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let jaro = jaro(&a, &b);
    let n_common = a.iter().zip(&b).take(4).take_while(|(a, b)| a == b).count();
    jaro + n_common as f64 * 0.1 * (1.0 - jaro)
}

fn jaro(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut is_taken = vec![false; b.len()];
    let mut of_a = Vec::new();
    for (at, letter) in a.iter().enumerate() {
        let mut near = at.saturating_sub(reach)..(at + reach + 1).min(b.len());
        let found = near.find(|at| !is_taken[*at] && b[*at] == *letter);
        if let Some(found) = found {
            is_taken[found] = true;
            of_a.push(*letter);
        }
    }
    let n = of_a.len() as f64;
    if of_a.is_empty() {
        return 0.0;
    }
    let of_b = b.iter().zip(&is_taken).filter(|(_, is_taken)| **is_taken).map(|(letter, _)| letter);
    let n_swapped = of_a.iter().zip(of_b).filter(|(a, b)| a != b).count();
    let transpositions = (n_swapped / 2) as f64;
    (n / a.len() as f64 + n / b.len() as f64 + (n - transpositions) / n) / 3.0
}

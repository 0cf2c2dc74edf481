//! Upstream's acceptance scripts: everything in them is in the language.

use conformance::Score;

use crate::{Options, parse, parse_series, parse_start_timestamps};

#[test]
fn queries_and_series_of_the_scripts_parse() {
    let Some(folder) = conformance::path("prometheus/promqltest") else { return };
    let mut score = Score::new("lines of promqltest/*.test");
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let name = entry.expect("an entry").file_name().into_string().expect("a text");
        if !name.ends_with(".test") {
            continue;
        }
        let script = conformance::text(&format!("prometheus/promqltest/{name}")).expect("a file");
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        let mut in_load = false;
        for (at, line) in lines.iter().enumerate() {
            if line.is_empty() {
                in_load = false;
            }
            let line = line.split_once('#').map_or(*line, |(before, _)| before).trim();
            if in_load && !line.is_empty() {
                score.add(format!("{name}:{} {line}", at + 1), series(line));
            }
            in_load |= line.starts_with("load");
            if let Some(query) = query(lines[at]) {
                let block = lines[at..].iter().take_while(|line| !line.is_empty());
                let may_fail = lines[at].starts_with("eval_fail")
                    || block.into_iter().any(|line| line.starts_with("expect fail"));
                let outcome = match parse(query, &Options::ALL) {
                    Err(error) if !may_fail => Err(error.to_string()),
                    Ok(_) | Err(_) => Ok(()),
                };
                score.add(format!("{name}:{} {query}", at + 1), outcome);
            }
        }
    }
    score.finish(&[]);
}

fn series(line: &str) -> Result<(), String> {
    match parse_start_timestamps(line).map_err(|error| error.to_string())? {
        Some(_) => Ok(()),
        None => parse_series(line).map(|_| ()).map_err(|error| error.to_string()),
    }
}

/// What stands behind `eval instant at 5m` or `eval range from 0 to 1h step 5m`.
fn query(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("eval")?;
    let n_words = if rest.contains(" instant ") { 4 } else { 8 };
    for _ in 0..n_words {
        let (_, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
    }
    Some(rest)
}

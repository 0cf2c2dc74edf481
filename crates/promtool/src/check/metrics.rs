//! `check metrics`: are these metrics named, typed and explained as people expect?

mod families;
mod lint;

use std::io::{Read as _, Write as _};

use families::Family;

use crate::{Exit, World, arguments::CheckMetrics};

/// How many series a metric has, and which part of all that is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cardinality {
    pub(crate) name: String,
    pub(crate) series: usize,
    pub(crate) fraction: f64,
}

pub(crate) fn run(world: &mut World, check: &CheckMetrics) -> anyhow::Result<Exit> {
    if !check.lint && !check.extended {
        writeln!(world.stderr, "error: at least one of --extended or --lint must be enabled")?;
        return Ok(Exit::Failure);
    }
    let mut body = Vec::new();
    world.stdin.read_to_end(&mut body)?;
    let families = match families::read(&body) {
        Ok(families) => families,
        Err(error) => {
            let what = if check.lint { "error while linting: " } else { "" };
            writeln!(world.stderr, "{what}{error}")?;
            return Ok(Exit::Failure);
        }
    };
    let problems = if check.lint { lint::problems(&families) } else { Vec::new() };
    for (metric, problem) in &problems {
        writeln!(world.stderr, "{metric} {problem}")?;
    }
    if check.extended {
        print_table(world, &families)?;
    }
    Ok(if problems.is_empty() { Exit::Success } else { Exit::Lint })
}

fn print_table(world: &mut World, families: &[Family]) -> anyhow::Result<()> {
    let (total, metrics) = cardinalities(families);
    let mut rows = vec![["Metric", "Cardinality", "Percentage", ""].map(str::to_owned)];
    for metric in metrics {
        let percent = format!("{:.2}%", metric.fraction * 100.0);
        rows.push([metric.name, metric.series.to_string(), percent, String::new()]);
    }
    rows.push(["Total".to_owned(), total.to_string(), "100%".to_owned(), String::new()]);
    world.stdout.write_all(crate::table::render(&rows, 4, 4).as_bytes())?;
    Ok(())
}

/// All series, and those of each metric, most first.
fn cardinalities(families: &[Family]) -> (usize, Vec<Cardinality>) {
    let total: usize = families.iter().map(|family| family.series.len()).sum();
    let mut metrics: Vec<Cardinality> = families
        .iter()
        .map(|family| Cardinality {
            name: family.name.clone(),
            series: family.series.len(),
            fraction: family.series.len() as f64 / total as f64,
        })
        .collect();
    metrics.sort_by(|a, b| b.series.cmp(&a.series).then_with(|| a.name.cmp(&b.name)));
    (total, metrics)
}

/// What `--extended` counts in a text.
#[cfg(test)]
pub(crate) fn count(body: &[u8]) -> (usize, Vec<Cardinality>) {
    cardinalities(&families::read(body).expect("the text is valid"))
}

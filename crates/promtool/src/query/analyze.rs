//! `query analyze`: how many of a histogram's buckets are in use?

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
};

use model::Timestamp;
use serde_json::Value;

use super::show;
use crate::{Exit, World, arguments::AnalyzeQuery, http_client::Server, time};

/// Of the moments looked at: how many buckets were not empty; and how many there are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Usage {
    pub(crate) min: usize,
    pub(crate) average: f64,
    pub(crate) max: usize,
    pub(crate) total: usize,
}

pub(super) async fn run(
    server: &Server,
    world: &mut World,
    query: &AnalyzeQuery,
    now: Timestamp,
) -> anyhow::Result<Exit> {
    anyhow::ensure!(
        query.kind == "histogram",
        "analyze type is {}, must be 'histogram'",
        query.kind
    );
    let time = time::seconds(query.time.unwrap_or(now));
    writeln!(world.stdout, "{HEADING}\n")?;
    let mut all = Vec::new();
    for selector in &query.matches {
        let range = format!("{selector}[{}]", model::duration::format(query.duration));
        let form = [("query", range), ("time", time.clone())];
        let answer = match server.ask("/api/v1/query", &form).await {
            Ok(answer) => answer,
            Err(error) => {
                writeln!(world.stderr, "query error: {}", crate::explain(&error))?;
                return Ok(Exit::Failure);
            }
        };
        for (kind, name, usage) in usages(&answer.data["result"]) {
            writeln!(world.stdout, "- {name} ({kind}): {usage}")?;
            all.push((kind, usage));
        }
    }
    writeln!(world.stdout, "\n{SUMMARY}")?;
    for (kind, title) in [("native", "Native"), ("classic", "Classic")] {
        let usages: Vec<&Usage> =
            all.iter().filter(|(of, _)| *of == kind).map(|(_, usage)| usage).collect();
        if !usages.is_empty() {
            writeln!(world.stdout, "\n{title} {}", summary(&usages))?;
        }
    }
    Ok(Exit::Success)
}

const HEADING: &str = "Bucket stats for each histogram series over time\n\
    ------------------------------------------------\n\
    Populated buckets: min/avg/max, then all buckets if there are more.";
const SUMMARY: &str = "Aggregated bucket stats\n\
    -----------------------\n\
    Each line: min/avg/max over the series above.";

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{:.3}/{}", self.min, self.average, self.max)?;
        if self.max == self.total { Ok(()) } else { write!(f, "/{}", self.total) }
    }
}

/// The figures of several series, side by side.
fn summary(usages: &[&Usage]) -> String {
    let spread = |figure: fn(&Usage) -> usize| {
        let figures: Vec<usize> = usages.iter().map(|usage| figure(usage)).collect();
        let average = figures.iter().sum::<usize>() as f64 / figures.len() as f64;
        let (min, max) = (figures.iter().min().unwrap_or(&0), figures.iter().max().unwrap_or(&0));
        format!("{min}/{average:.3}/{max}")
    };
    // Averages count as whole numbers, as upstream has it.
    let rows = [
        ("min populated", spread(|usage| usage.min)),
        ("avg populated", spread(|usage| usage.average as usize)),
        ("max populated", spread(|usage| usage.max)),
        ("total", spread(|usage| usage.total)),
    ];
    let (max, total) = (&rows[2].1, &rows[3].1);
    let n_rows = if max == total { 3 } else { 4 };
    let lines = rows.iter().take(n_rows).map(|(what, spread)| format!("\n- {what}: {spread}"));
    format!("histogram series ({} in total):{}", usages.len(), lines.collect::<String>())
}

/// The histograms in a matrix with their kind and name, classic ones put together from their
/// series. One moment alone says too little.
fn usages(matrix: &Value) -> Vec<(&'static str, String, Usage)> {
    let (mut all, mut classic) = (Vec::new(), BTreeMap::<String, Vec<&Value>>::new());
    for series in matrix.as_array().into_iter().flatten() {
        if series["values"].as_array().is_none_or(Vec::is_empty) {
            let usage = native_usage(series);
            all.extend(usage.map(|usage| ("native", show::metric(&series["metric"]), usage)));
            continue;
        }
        let mut labels = series["metric"].clone();
        let name = labels["__name__"].as_str().unwrap_or_default().to_owned();
        let bound = labels.as_object_mut().and_then(|labels| {
            labels.remove("__name__");
            labels.remove("le")
        });
        if name.ends_with("_bucket") && bound.is_some() {
            let key = format!("{name}{}", show::item(&labels));
            classic.entry(key).or_default().push(series);
        }
    }
    for (name, series) in classic {
        let counts = bucket_counts(&series);
        let usage = usage(&counts, series.len()).filter(|_| counts.len() > 1);
        all.extend(usage.map(|usage| ("classic", name, usage)));
    }
    all
}

/// For each moment, what is in each bucket alone; buckets go up.
pub(crate) fn bucket_counts(series: &[&Value]) -> Vec<Vec<i64>> {
    let number = |value: &Value| -> f64 {
        let text = value.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| value.as_f64()).unwrap_or(f64::NAN)
    };
    let mut sorted = series.to_vec();
    sorted.sort_by(|a, b| number(&a["metric"]["le"]).total_cmp(&number(&b["metric"]["le"])));
    let moments: BTreeSet<i64> = sorted
        .iter()
        .flat_map(|series| series["values"].as_array().into_iter().flatten())
        .map(|point| (number(&point[0]) * 1000.0) as i64)
        .collect();
    let columns: Vec<BTreeMap<i64, f64>> = sorted
        .iter()
        .map(|series| {
            let points = series["values"].as_array().into_iter().flatten();
            points.map(|p| ((number(&p[0]) * 1000.0) as i64, number(&p[1]))).collect()
        })
        .collect();
    let mut counts = Vec::new();
    for moment in moments {
        // A moment that not all buckets have says nothing.
        let cumulative: Option<Vec<f64>> =
            columns.iter().map(|column| column.get(&moment).copied()).collect();
        let Some(cumulative) = cumulative else { continue };
        let mut below = 0.0;
        let alone = cumulative.into_iter().map(|count| {
            let alone = count - below;
            below = count;
            alone as i64
        });
        counts.push(alone.collect());
    }
    counts
}

fn native_usage(series: &Value) -> Option<Usage> {
    let mut bounds = BTreeSet::new();
    let mut populated = Vec::new();
    for point in series["histograms"].as_array()? {
        let buckets = point[1]["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        bounds.extend(buckets.iter().map(|bucket| format!("{},{}", bucket[1], bucket[2])));
        populated.push(buckets.len());
    }
    summarize(&populated, bounds.len()).filter(|_| populated.len() > 1)
}

/// How many buckets are populated, over all moments.
pub(crate) fn usage(counts: &[Vec<i64>], total: usize) -> Option<Usage> {
    let populated: Vec<usize> =
        counts.iter().map(|counts| counts.iter().filter(|count| **count != 0).count()).collect();
    summarize(&populated, total)
}

fn summarize(populated: &[usize], total: usize) -> Option<Usage> {
    let (min, max) = (*populated.iter().min()?, *populated.iter().max()?);
    let average = populated.iter().sum::<usize>() as f64 / populated.len() as f64;
    Some(Usage { min, average, max, total })
}

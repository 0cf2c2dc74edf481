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
    for selector in &query.matches {
        let range = format!("{selector}[{}]", model::duration::format(query.duration));
        let form = [("query", range), ("time", time.clone())];
        let answer = match server.ask("/api/v1/query", &form).await {
            Ok(answer) => answer,
            Err(error) => {
                writeln!(world.stderr, "query error: {error:#}")?;
                return Ok(Exit::Failure);
            }
        };
        for (name, usage) in usages(&answer.data["result"]) {
            let Usage { min, average, max, total } = usage;
            writeln!(
                world.stdout,
                "- {name}: Bucket min/avg/max/total: {min}/{average:.3}/{max}/{total}"
            )?;
        }
    }
    Ok(Exit::Success)
}

/// The histograms in a matrix, classic ones put together from their series.
fn usages(matrix: &Value) -> Vec<(String, Usage)> {
    let (mut native, mut classic) = (Vec::new(), BTreeMap::<String, Vec<&Value>>::new());
    for series in matrix.as_array().into_iter().flatten() {
        if series["values"].as_array().is_none_or(Vec::is_empty) {
            let usage = native_usage(series);
            native.extend(usage.map(|usage| (show::metric(&series["metric"]), usage)));
            continue;
        }
        let mut labels = series["metric"].clone();
        let is_bucket = labels["__name__"].as_str().is_some_and(|name| name.ends_with("_bucket"));
        let bound = labels.as_object_mut().and_then(|labels| labels.remove("le"));
        if is_bucket && bound.is_some() {
            classic.entry(show::metric(&labels)).or_default().push(series);
        }
    }
    let classic = classic.into_iter().filter_map(|(name, series)| {
        let counts = bucket_counts(&series);
        Some((name, usage(&counts, series.len())?))
    });
    native.into_iter().chain(classic).collect()
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
        populated.push(buckets.iter().filter(|bucket| bucket[3] != "0").count());
    }
    summarize(&populated, bounds.len())
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

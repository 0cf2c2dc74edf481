//! `tsdb dump` and `tsdb dump-openmetrics`: all samples, as text.

use std::io::Write;

use model::{Labels, METRIC_NAME, TimeRange};
use promql_syntax::parse_metric_selector;
use storage::{Columns, SelectHints};

use super::folder::Everything;
use crate::{
    Exit, World,
    arguments::{Dump, DumpFormat, DumpOpenmetrics},
};

pub(crate) fn run(world: &mut World, dump: &Dump) -> anyhow::Result<Exit> {
    let write = match dump.format {
        DumpFormat::Prom => write_samples,
        DumpFormat::Seriesjson => write_labels,
    };
    for_each_series(world, &dump.what, write)?;
    Ok(Exit::Success)
}

pub(crate) fn run_openmetrics(world: &mut World, dump: &DumpOpenmetrics) -> anyhow::Result<Exit> {
    for_each_series(world, dump, write_openmetrics)?;
    writeln!(world.stdout, "# EOF")?;
    Ok(Exit::Success)
}

/// Hands the series that satisfy any of the selectors to `write`, sorted, each once.
fn for_each_series(
    world: &mut World,
    dump: &DumpOpenmetrics,
    write: fn(&mut dyn Write, &Labels, &Columns) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let sandbox_root = dump.sandbox_dir_root.as_deref();
    let everything = Everything::open(&world.runtime, &dump.path, sandbox_root)?;
    let range = TimeRange::from_millis(dump.min_time, dump.max_time);
    let querier = everything.querier(range)?;
    let mut series = Vec::new();
    for selector in &dump.matches {
        let matchers = parse_metric_selector(selector)?;
        let set = querier.select(true, &SelectHints::new(range), &matchers)?;
        for warning in set.warnings {
            writeln!(world.stderr, "{warning}")?;
        }
        series.extend(set.series.into_iter().map(|series| (series.labels(), series)));
    }
    if dump.matches.len() > 1 {
        series.sort_by(|(a, _), (b, _)| a.cmp(b));
        series.dedup_by(|(a, _), (b, _)| a == b);
    }
    let mut columns = Columns::default();
    for (labels, series) in series {
        columns.clear();
        series.read(range, &mut columns)?;
        if !columns.is_empty() {
            write(&mut *world.stdout, &labels, &columns)?;
        }
    }
    Ok(())
}

/// `{labels} value milliseconds`, floats and histograms in order of time.
fn write_samples(out: &mut dyn Write, labels: &Labels, columns: &Columns) -> anyhow::Result<()> {
    let labels = labels.to_string();
    let mut histograms = columns.histogram_times.iter().zip(&columns.histograms).peekable();
    let mut value_text = String::new();
    for (time, value) in columns.times.iter().zip(&columns.values) {
        while let Some((time, histogram)) = histograms.next_if(|(at, _)| *at < time) {
            writeln!(out, "{labels} {histogram} {time}")?;
        }
        value_text.clear();
        model::float::write_general(*value, &mut value_text);
        writeln!(out, "{labels} {value_text} {time}")?;
    }
    for (time, histogram) in histograms {
        writeln!(out, "{labels} {histogram} {time}")?;
    }
    Ok(())
}

/// The labels as JSON.
fn write_labels(out: &mut dyn Write, labels: &Labels, _: &Columns) -> anyhow::Result<()> {
    let labels: serde_json::Map<String, serde_json::Value> =
        labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    writeln!(out, "{}", serde_json::Value::Object(labels))?;
    Ok(())
}

/// `name{labels} value seconds`, floats only, without staleness markers.
fn write_openmetrics(
    out: &mut dyn Write,
    labels: &Labels,
    columns: &Columns,
) -> anyhow::Result<()> {
    let series = series_text(labels)?;
    let mut value_text = String::new();
    for (time, value) in columns.times.iter().zip(&columns.values) {
        // OpenMetrics cannot say that a series ends.
        if model::float::is_stale(*value) {
            continue;
        }
        value_text.clear();
        model::float::write_general(*value, &mut value_text);
        let sign = if *time < 0 { "-" } else { "" };
        let (seconds, millis) = (time.unsigned_abs() / 1000, time.unsigned_abs() % 1000);
        writeln!(out, "{series} {value_text} {sign}{seconds}.{millis:03}")?;
    }
    Ok(())
}

fn series_text(labels: &Labels) -> anyhow::Result<String> {
    let name = labels.metric_name();
    anyhow::ensure!(!name.is_empty(), "no metric name found for label set {labels}");
    let others: Vec<String> = labels
        .iter()
        .filter(|(label, _)| *label != METRIC_NAME)
        .map(|(label, value)| format!("{label}={}", model::labels::quote(value)))
        .collect();
    Ok(match others.is_empty() {
        true => name.to_owned(),
        false => format!("{name}{{{}}}", others.join(",")),
    })
}

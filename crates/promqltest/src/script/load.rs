//! `load 5m` and the series under it.

use std::{collections::BTreeMap, time::Duration};

use model::Labels;
use promql_syntax::StartTimestamps;
use storage::Columns;

use super::{Lines, Point, ScriptError, split_word, step, values};
use crate::{LoadedSeries, nhcb};

/// A block of series whose samples are one step apart, from the epoch on.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Where it stands in the script, from one.
    pub line: usize,
    pub step: Duration,
    /// Classic histograms are loaded as native ones with custom bounds, too.
    pub with_nhcb: bool,
    series: BTreeMap<Labels, Columns>,
}

impl Load {
    /// The series to be loaded, sorted by labels.
    pub fn series(&self) -> Result<Vec<LoadedSeries>, String> {
        let mut series: Vec<_> = self
            .series
            .iter()
            .map(|(labels, samples)| LoadedSeries {
                labels: labels.clone(),
                samples: samples.clone(),
            })
            .collect();
        if self.with_nhcb {
            series.extend(nhcb::derive(&self.series)?);
        }
        Ok(series)
    }
}

pub(super) fn parse(line: &str, lines: &mut Lines<'_>) -> Result<Load, ScriptError> {
    let number = lines.number();
    let error = |line: usize, reason: String| ScriptError::Load { line, reason };
    let (word, rest) = split_word(line);
    let with_nhcb = match word {
        "load" => false,
        "load_with_nhcb" => true,
        _ => {
            let reason = "invalid load command. (load[_with_nhcb] <step:duration>)".to_owned();
            return Err(error(number, reason));
        }
    };
    let step = step(rest.trim()).map_err(|reason| {
        error(number, format!("invalid step definition {:?}: {reason}", rest.trim()))
    })?;
    let mut load = Load { line: number, step, with_nhcb, series: BTreeMap::new() };
    let mut starts: Option<StartTimestamps> = None;
    while let Some(line) = lines.next_in_block() {
        let number = lines.number();
        if let Some(announced) = promql_syntax::parse_start_timestamps(line)
            .map_err(|reason| error(number, reason.to_string()))?
        {
            if starts.is_some() {
                let reason = "start timestamps follow start timestamps".to_owned();
                return Err(error(number, reason));
            }
            starts = Some(announced);
            continue;
        }
        let (labels, points) = values::parse_line(line).map_err(|reason| error(number, reason))?;
        let starts = match starts.take() {
            Some(starts) => {
                check_starts(&labels, &points, starts).map_err(|reason| error(number, reason))?
            }
            None => Vec::new(),
        };
        load.series.insert(labels, columns(&points, &starts, step));
    }
    match starts {
        Some(starts) => {
            let reason = format!("no samples follow the start timestamps of {}", starts.labels);
            Err(error(lines.number(), reason))
        }
        None => Ok(load),
    }
}

fn check_starts(
    labels: &Labels,
    points: &[Point],
    starts: StartTimestamps,
) -> Result<Vec<Option<i64>>, String> {
    if starts.labels != *labels {
        let of = starts.labels;
        return Err(format!("start timestamps of {of} stand before samples of {labels}"));
    }
    let (n_starts, n_samples) = (starts.offsets.len(), points.len());
    if n_starts != n_samples {
        return Err(format!("{n_starts} start timestamps for {n_samples} samples of {labels}"));
    }
    Ok(starts.offsets)
}

fn columns(points: &[Point], starts: &[Option<i64>], step: Duration) -> Columns {
    let step = step.as_millis() as i64;
    let mut columns = Columns::default();
    for (idx, point) in points.iter().enumerate() {
        let time = step * idx as i64;
        let start = starts.get(idx).copied().flatten().map_or(0, |offset| time + offset);
        match point {
            Point::Missing => {}
            Point::Float(value) => {
                columns.times.push(time);
                columns.values.push(*value);
                columns.start_times.push(start);
            }
            Point::Histogram { histogram, .. } => {
                columns.histogram_times.push(time);
                columns.histograms.push(histogram.clone());
                columns.histogram_start_times.push(start);
            }
        }
    }
    if starts.is_empty() {
        columns.start_times.clear();
        columns.histogram_start_times.clear();
    }
    columns
}

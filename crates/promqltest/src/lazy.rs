//! Load blocks that are loaded as time goes on.

use model::{Labels, Timestamp};
use storage::Columns;

use crate::{Command, LoadedSeries, Script, ScriptError};

/// Hands out the samples of load blocks up to a moment, each once: rules are tested against what
/// they could have seen at that moment.
#[derive(Debug)]
pub struct LazyLoader {
    series: Vec<LoadedSeries>,
    /// What has been handed out ends here.
    until: Option<Timestamp>,
}

impl LazyLoader {
    /// Reads a script of load blocks; other commands have no place in it.
    pub fn new(script: &str) -> Result<LazyLoader, ScriptError> {
        let mut series = Vec::new();
        for command in Script::parse(script)?.commands {
            match command {
                Command::Load(load) => series.extend(
                    load.series()
                        .map_err(|reason| ScriptError::Load { line: load.line, reason })?,
                ),
                Command::Clear => series.clear(),
                Command::Eval(eval) => {
                    let text = format!("eval {}", eval.query);
                    return Err(ScriptError::UnknownCommand { line: eval.line, text });
                }
            }
        }
        Ok(LazyLoader { series, until: None })
    }

    /// The labels of all series, whether or not they have begun.
    pub fn labels(&self) -> impl Iterator<Item = &Labels> {
        self.series.iter().map(|series| &series.labels)
    }

    /// The samples up to `until`, that moment included, which have not been handed out before.
    pub fn take_until(&mut self, until: Timestamp) -> Vec<LoadedSeries> {
        let after = self.until.map_or(i64::MIN, |until| until.as_millis().saturating_add(1));
        self.until = self.until.max(Some(until));
        let within = |series: &LoadedSeries| LoadedSeries {
            labels: series.labels.clone(),
            samples: between(&series.samples, after, until.as_millis()),
        };
        self.series.iter().map(within).filter(|series| !series.samples.is_empty()).collect()
    }
}

/// The samples from `first` to `last`, both included.
fn between(columns: &Columns, first: i64, last: i64) -> Columns {
    let range = |times: &[i64]| {
        let start = times.partition_point(|time| *time < first);
        start..times.partition_point(|time| *time <= last).max(start)
    };
    let (floats, histograms) = (range(&columns.times), range(&columns.histogram_times));
    let starts = |starts: &[i64], range| starts.get(range).map(<[i64]>::to_vec).unwrap_or_default();
    Columns {
        times: columns.times[floats.clone()].to_vec(),
        values: columns.values[floats.clone()].to_vec(),
        histogram_times: columns.histogram_times[histograms.clone()].to_vec(),
        histograms: columns.histograms[histograms.clone()].to_vec(),
        start_times: starts(&columns.start_times, floats),
        histogram_start_times: starts(&columns.histogram_start_times, histograms),
    }
}

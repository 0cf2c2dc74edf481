//! The series that we write ourselves for a target.

use std::time::Duration;

use model::{Labels, Timestamp, float::STALE};
use storage::{AppendError, Appender, SeriesRef};
use tracing::warn;

use crate::{Config, ingest::Counts, ingest::report_labels};

const NAMES: [&str; 8] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
    // The rest only where the configuration asks for it.
    "scrape_timeout_seconds",
    "scrape_sample_limit",
    "scrape_body_size_bytes",
];
const N_STANDARD: usize = 5;

/// How a scrape went, in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) is_up: bool,
    pub(crate) duration: Duration,
    pub(crate) counts: Counts,
    pub(crate) timeout: Duration,
    /// Nothing if the body was too large.
    pub(crate) body_bytes: Option<usize>,
}

/// The series with their handles.
pub(crate) struct Report {
    series: Vec<(Labels, SeriesRef)>,
    /// Whether the last report had the extra ones.
    had_extra: bool,
}

impl Report {
    pub(crate) fn new(target: &Labels) -> Report {
        let series = NAMES.map(|name| (report_labels(name, target), SeriesRef::UNKNOWN));
        Report { series: series.into(), had_extra: false }
    }

    pub(crate) fn write(
        &mut self,
        appender: &mut dyn Appender,
        time: Timestamp,
        config: &Config,
        facts: &Facts,
    ) {
        let values = [
            f64::from(u8::from(facts.is_up)),
            facts.duration.as_secs_f64(),
            facts.counts.total as f64,
            facts.counts.added as f64,
            facts.counts.new_series as f64,
            facts.timeout.as_secs_f64(),
            config.sample_limit as f64,
            facts.body_bytes.map_or(-1.0, |bytes| bytes as f64),
        ];
        let has_extra = config.extra_scrape_metrics;
        let n_written = if has_extra { NAMES.len() } else { N_STANDARD };
        for (series, value) in self.series.iter_mut().zip(values).take(n_written) {
            append(appender, series, time, value);
        }
        if self.had_extra && !has_extra {
            for series in self.series.iter_mut().skip(N_STANDARD) {
                append(appender, series, time, STALE);
            }
        }
        self.had_extra = has_extra;
    }

    /// Ends the series.
    pub(crate) fn end(&mut self, appender: &mut dyn Appender, time: Timestamp) {
        let n_written = if self.had_extra { NAMES.len() } else { N_STANDARD };
        appender.set_discards_out_of_order(true);
        for series in self.series.iter_mut().take(n_written) {
            append(appender, series, time, STALE);
        }
        appender.set_discards_out_of_order(false);
    }
}

fn append(
    appender: &mut dyn Appender,
    (labels, series): &mut (Labels, SeriesRef),
    time: Timestamp,
    value: f64,
) {
    match appender.append(*series, labels, time, value) {
        Ok(found) => *series = found,
        // A target that has two loops for a moment, or one that has taken over.
        Err(
            AppendError::OutOfOrder
            | AppendError::DuplicateTimestamp
            | AppendError::TooOld
            | AppendError::OutOfBounds,
        ) => {}
        Err(error) => warn!(series = %labels, %error, "Appending scrape report failed"),
    }
}

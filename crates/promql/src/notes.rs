//! What a query's author should know about the answer: warnings and infos with positions.

use indexmap::IndexMap;
use model::{float, labels::quote};

/// Notes by text: each is said once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    warnings: IndexMap<String, usize>,
    infos: IndexMap<String, usize>,
    /// By the text's first part and the position.
    monotonicity: IndexMap<(String, usize), Forced>,
}

/// Buckets that had to be made monotonic: the widest of what was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Forced {
    pub(crate) first_time: i64,
    pub(crate) last_time: i64,
    pub(crate) lowest_bucket: f64,
    pub(crate) highest_bucket: f64,
    pub(crate) largest_difference: f64,
    pub(crate) n_samples: u64,
}

impl Notes {
    /// `position` is where in the query's text the trouble starts.
    pub(crate) fn warn(&mut self, text: impl Into<String>, position: usize) {
        self.warnings.insert(text.into(), position);
    }

    pub(crate) fn info(&mut self, text: impl Into<String>, position: usize) {
        self.infos.insert(text.into(), position);
    }

    pub(crate) fn merge(&mut self, other: Notes) {
        self.warnings.extend(other.warnings);
        self.infos.extend(other.infos);
        for (key, forced) in other.monotonicity {
            self.merge_forced(key, forced);
        }
    }

    fn merge_forced(&mut self, key: (String, usize), forced: Forced) {
        match self.monotonicity.get_mut(&key) {
            Some(known) => known.widen(&forced),
            None => {
                self.monotonicity.insert(key, forced);
            }
        }
    }

    pub(crate) fn invalid_quantile(&mut self, phi: f64, position: usize) {
        let got = general(phi);
        self.warn(format!("quantile value should be between 0 and 1, got {got}"), position);
    }

    pub(crate) fn invalid_ratio(&mut self, ratio: f64, used: f64, position: usize) {
        let (got, used) = (general(ratio), general(used));
        self.warn(
            format!("ratio value should be between -1 and 1, got {got}, capping to {used}"),
            position,
        );
    }

    pub(crate) fn bad_bucket_label(&mut self, metric: &str, le: &str, position: usize) {
        let text = format!(
            "bucket label \"le\" is missing or has a malformed value of {}{}",
            quote(le),
            for_metric(metric)
        );
        self.warn(text, position);
    }

    pub(crate) fn mixed_samples(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.warn(
            format!("encountered a mix of histograms and floats for metric name {metric}"),
            position,
        );
    }

    pub(crate) fn mixed_samples_in_aggregation(&mut self, position: usize) {
        self.warn("encountered a mix of histograms and floats for aggregation", position);
    }

    pub(crate) fn mixed_classic_and_native(&mut self, metric: &str, position: usize) {
        let metric = for_metric(metric);
        self.warn(
            format!("vector contains a mix of classic and native histograms{metric}"),
            position,
        );
    }

    pub(crate) fn useless_sort(&mut self, position: usize) {
        self.warn(
            "sort is ineffective for range queries since results are always ordered by labels",
            position,
        );
    }

    pub(crate) fn possible_non_counter(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.info(
            format!(
                "metric might not be a counter, name does not end in \
                 _total/_sum/_count/_bucket: {metric}"
            ),
            position,
        );
    }

    pub(crate) fn possible_non_counter_label(&mut self, metric: &str, kind: &str, position: usize) {
        let (metric, kind) = (quote(metric), quote(kind));
        self.info(
            format!(
                "metric might not be a counter, __type__ label is not set to \"counter\" or \
                 \"histogram\", got {kind}: {metric}"
            ),
            position,
        );
    }

    pub(crate) fn forced_monotonicity(&mut self, metric: &str, position: usize, forced: Forced) {
        self.merge_forced((for_metric(metric), position), forced);
    }

    pub(crate) fn incompatible_types(&mut self, lhs: &str, op: &str, rhs: &str, position: usize) {
        let quoted = quote(op);
        self.info(
            format!(
                "incompatible sample types encountered for binary operator {quoted}: \
                 {lhs} {op} {rhs}"
            ),
            position,
        );
    }

    pub(crate) fn histogram_ignored_in_aggregation(&mut self, name: &str, position: usize) {
        self.info(format!("ignored histogram in {name} aggregation"), position);
    }

    pub(crate) fn histogram_ignored_in_range(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.info(
            format!(
                "ignored histograms in a range containing both floats and histograms \
                 for metric name {metric}"
            ),
            position,
        );
    }

    pub(crate) fn incompatible_buckets(&mut self, op: &str, position: usize) {
        self.warn(
            format!("incompatible bucket layout encountered for binary operator {op}"),
            position,
        );
    }

    /// `deed` is `addition`, `subtraction` or `aggregation`.
    pub(crate) fn counter_reset_collision(&mut self, deed: &str, position: usize) {
        self.warn(format!("conflicting counter resets during histogram {deed}"), position);
    }

    pub(crate) fn custom_buckets_reconciled(&mut self, deed: &str, position: usize) {
        self.info(format!("mismatched custom buckets were reconciled during {deed}"), position);
    }

    pub(crate) fn mixed_exponential_and_custom(&mut self, metric: &str, position: usize) {
        let metric = for_metric(metric);
        self.warn(
            format!(
                "vector contains a mix of histograms with exponential and custom buckets schemas\
                 {metric}"
            ),
            position,
        );
    }

    pub(crate) fn start_time_overlap(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.warn(
            format!(
                "sample has start time that overlaps with previous sample timestamp for metric \
                 {metric}"
            ),
            position,
        );
    }

    pub(crate) fn not_a_counter(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.warn(format!("this native histogram metric is not a counter: {metric}"), position);
    }

    pub(crate) fn not_a_gauge(&mut self, metric: &str, position: usize) {
        let metric = quote(metric);
        self.warn(format!("this native histogram metric is not a gauge: {metric}"), position);
    }

    pub(crate) fn quantile_of_nans(&mut self, metric: &str, position: usize) {
        let metric = for_metric(metric);
        self.info(
            format!("input to histogram_quantile has NaN observations, result is NaN{metric}"),
            position,
        );
    }

    pub(crate) fn quantile_skewed_by_nans(&mut self, metric: &str, position: usize) {
        let metric = for_metric(metric);
        self.info(
            format!(
                "input to histogram_quantile has NaN observations, result is skewed higher{metric}"
            ),
            position,
        );
    }

    pub(crate) fn fraction_without_nans(&mut self, metric: &str, position: usize) {
        let metric = for_metric(metric);
        self.info(
            format!(
                "input to histogram_fraction has NaN observations, which are excluded from all \
                 fractions{metric}"
            ),
            position,
        );
    }

    /// The texts of warnings and infos, with positions in `query`.
    pub(crate) fn into_texts(self, query: &str) -> (Vec<String>, Vec<String>) {
        let print = |level: &str, text: &str, position: usize| {
            format!("PromQL {level}: {text} ({})", line_and_column(query, position))
        };
        let warnings = self.warnings.iter().map(|(text, at)| print("warning", text, *at));
        let infos = self.infos.iter().map(|(text, at)| print("info", text, *at));
        let forced = self
            .monotonicity
            .iter()
            .map(|((metric, at), forced)| print("info", &forced.text(metric), *at));
        (warnings.collect(), infos.chain(forced).collect())
    }
}

impl Forced {
    fn widen(&mut self, other: &Forced) {
        self.first_time = self.first_time.min(other.first_time);
        self.last_time = self.last_time.max(other.last_time);
        self.lowest_bucket = self.lowest_bucket.min(other.lowest_bucket);
        self.highest_bucket = self.highest_bucket.max(other.highest_bucket);
        self.largest_difference = self.largest_difference.max(other.largest_difference);
        self.n_samples += other.n_samples;
    }

    fn text(&self, for_metric: &str) -> String {
        format!(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)\
             {for_metric}, from buckets {} to {}, with a max diff of {}, over {} samples from {} \
             to {}",
            general(self.lowest_bucket),
            general(self.highest_bucket),
            short(self.largest_difference),
            self.n_samples,
            rfc3339(self.first_time),
            rfc3339(self.last_time),
        )
    }
}

fn for_metric(metric: &str) -> String {
    if metric.is_empty() {
        return String::new();
    }
    format!(" for metric name {}", quote(metric))
}

/// Go's `%g`.
fn general(value: f64) -> String {
    let mut text = String::new();
    float::write_general(value, &mut text);
    text
}

/// Go's `%.2g`.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    general(rounded)
}

/// The moment as `2006-01-02T15:04:05Z`.
fn rfc3339(millis: i64) -> String {
    let date = crate::functions::Date::from_seconds(millis.div_euclid(1000));
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year, date.month, date.day, date.hour, date.minute, date.second
    )
}

/// `line:column` of a byte, both from one.
fn line_and_column(query: &str, position: usize) -> String {
    let before = query.as_bytes().get(..position).unwrap_or(query.as_bytes());
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |idx| idx + 1);
    format!("{line}:{}", position - line_start + 1)
}

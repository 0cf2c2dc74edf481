//! `/federate`: the latest samples of chosen series, for another server to scrape.

mod protobuf;
mod text;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use model::{FloatHistogram, Labels, Matcher, TimeRange, Timestamp};
use storage::{Columns, SelectHints};

use super::{Api, language, lifecycle::plain, params::Form};
use crate::expose::{Format, Syntax};

pub(super) async fn federate(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let sets: Result<Vec<Vec<Matcher>>, String> =
        form.all("match[]").map(language::parse_selector).collect();
    let sets = match form.whole().and(sets) {
        Ok(sets) => sets,
        Err(reason) => return plain(StatusCode::BAD_REQUEST, format!("{reason}\n")),
    };
    let format = Format::negotiate(&headers, Syntax::WITHOUT_OPEN_METRICS);
    let page = tokio::task::spawn_blocking(move || {
        let page = latest(&api, &sets).map(|samples| {
            let external = external_labels(&(api.external_labels)());
            match format.syntax {
                Syntax::Protobuf => protobuf::page(&samples, &external, format.escaping),
                _ => text::page(&samples, &external, format).into_bytes(),
            }
        });
        if page.is_err() {
            api.metrics.federation_errors.increment();
        }
        page
    });
    match page.await {
        Ok(Ok(page)) => ([(CONTENT_TYPE, format.content_type())], page).into_response(),
        Ok(Err(error)) => {
            let status = match error {
                storage::Error::NotReady => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            plain(status, format!("{error}\n"))
        }
        // A panic ends this request only.
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// The last sample of a series within the lookback.
struct Sample {
    labels: Labels,
    time: i64,
    value: SampleValue,
}

enum SampleValue {
    Float(f64),
    Histogram(Arc<FloatHistogram>),
}

/// Sorted by metric name; series without a name cannot be written and are left out.
fn latest(api: &Api, sets: &[Vec<Matcher>]) -> storage::Result<Vec<Sample>> {
    let end = api.now().as_millis();
    let lookback_ms = api.lookback_delta.as_millis() as i64;
    let range = TimeRange::from_millis(end.saturating_sub(lookback_ms).saturating_add(1), end);
    let querier = api.storage.querier(range)?;
    let hints = SelectHints::new(range);
    let mut samples: Vec<Sample> = Vec::new();
    let mut columns = Columns::default();
    // A selector that asks for nothing in particular selects nothing here.
    for matchers in sets.iter().filter(|matchers| !matchers.is_empty()) {
        let set = querier.select(true, &hints, matchers)?;
        if !set.warnings.is_empty() {
            api.metrics.federation_warnings.increment();
        }
        for series in set.series {
            columns.clear();
            series.read(range, &mut columns)?;
            samples.extend(last(&columns).map(|(time, value)| Sample {
                labels: series.labels(),
                time: time.as_millis(),
                value,
            }));
        }
    }
    samples.retain(|sample| !sample.labels.metric_name().is_empty());
    samples.sort_by(|a, b| {
        let by_name = a.labels.metric_name().cmp(b.labels.metric_name());
        by_name.then_with(|| a.labels.cmp(&b.labels))
    });
    // What two selectors select is told once.
    samples.dedup_by(|a, b| a.labels == b.labels);
    Ok(samples)
}

fn last(columns: &Columns) -> Option<(Timestamp, SampleValue)> {
    let float = columns.times.last().zip(columns.values.last());
    let histogram = columns.histogram_times.last().zip(columns.histograms.last());
    let float_is_last = match (float, histogram) {
        (Some((float, _)), Some((histogram, _))) => float > histogram,
        (float, _) => float.is_some(),
    };
    if float_is_last {
        let (time, value) = float?;
        let is_stale = model::float::is_stale(*value);
        return (!is_stale).then_some((Timestamp::from_millis(*time), SampleValue::Float(*value)));
    }
    let (time, histogram) = histogram?;
    let value = SampleValue::Histogram(histogram.clone());
    (!model::float::is_stale(histogram.sum)).then_some((Timestamp::from_millis(*time), value))
}

impl Sample {
    /// The sample's labels but for the name, then those of `external` that it lacks.
    fn labels<'a>(
        &'a self,
        external: &'a [(String, String)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.labels.iter().filter(|(name, _)| *name != model::METRIC_NAME);
        let lacking = external.iter().filter(|(name, _)| self.labels.get(name).is_none());
        own.chain(lacking.map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// What is added to series that lack it. An empty `instance` keeps the scraping server from adding
/// its own.
fn external_labels(configured: &Labels) -> Vec<(String, String)> {
    let mut labels: Vec<(String, String)> =
        configured.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if configured.get("instance").is_none() {
        labels.push(("instance".to_owned(), String::new()));
        labels.sort();
    }
    labels
}

/// Upper bounds and cumulative counts, without `+Inf`.
fn classic_buckets(histogram: &FloatHistogram) -> Vec<(f64, f64)> {
    let mut populated = histogram.positive().peekable();
    let mut count = 0.0;
    let bounds = histogram.custom_values.iter().enumerate();
    let cumulative = bounds.map(|(idx, bound)| {
        while let Some(bucket) = populated.next_if(|bucket| bucket.index as usize <= idx) {
            count += bucket.count;
        }
        (*bound, count)
    });
    cumulative.collect()
}

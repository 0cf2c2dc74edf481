//! Another system that is asked when we are.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderValue, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT},
};
use model::{Labels, Matcher, TimeRange, Timestamp};
use runtime::Runtime;
use storage::{
    Columns, LabelHints, LabelValues, Querier, Queryable, Result, SelectHints, Series, SeriesSet,
};
use telemetry::{Histogram, Registry, Vector};
use tokio::runtime::Handle;
use transport::client::{self, Client, Limits, Request};
use url::Url;

use super::{
    columns::{append, sort},
    request::Query,
    response::{BadAnswer, read_sampled, read_streamed},
};
use crate::snappy;

/// No answer may be larger, as sent or unpacked.
const ANSWER_BYTES_MAX: usize = 1 << 30;
/// More of an error's text is not shown.
const ERROR_BYTES_MAX: usize = 512;

const SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How another system is read from.
#[derive(Debug, Clone)]
pub struct Config {
    /// In metrics.
    pub name: String,
    pub url: Url,
    pub timeout: Duration,
    pub http: client::Config,
    /// The largest frame of a streamed answer.
    pub frame_bytes_max: u64,
    /// Only queries that have all these matchers go there.
    pub required_matchers: Labels,
    /// Whether it is also asked for what is stored here.
    pub read_recent: bool,
    /// Whether it is asked for series with our external labels, which are then taken off.
    pub filter_external_labels: bool,
    pub external_labels: Labels,
    pub user_agent: String,
}

/// The time of the oldest sample that is stored here, if there is one.
pub type LocalStart = Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>;

/// Answers from another system. What goes wrong there is a warning, not an error. Cloning gives
/// another handle.
#[derive(Clone)]
pub struct Remote(Arc<Inner>);

struct Inner {
    config: Config,
    client: Client,
    local_start: LocalStart,
    clock: Arc<dyn runtime::Clock>,
    duration: Histogram,
    /// Queries block; requests do not.
    tasks: Handle,
}

/// What the reads of all systems take.
#[derive(Clone)]
pub struct Metrics(Vector<Histogram, 3>);

impl Metrics {
    pub fn register(registry: &Registry) -> Metrics {
        Metrics(registry.histograms(
            "prometheus_remote_read_client_request_duration_seconds",
            "How long remote reads took.",
            ["remote_name", "url", "response_type"],
            &SECONDS,
        ))
    }
}

impl Remote {
    /// Call it inside of a Tokio runtime. An error if the settings can never work.
    pub fn new(
        config: Config,
        runtime: Runtime,
        local_start: LocalStart,
        metrics: &Metrics,
    ) -> client::Result<Remote> {
        let clock = runtime.clock.clone();
        let duration = metrics.0.with([&config.name, config.url.as_str(), "any"]);
        let client = Client::new(config.http.clone(), runtime)?;
        let tasks = Handle::current();
        Ok(Remote(Arc::new(Inner { config, client, local_start, clock, duration, tasks })))
    }
}

impl Queryable for Remote {
    fn querier(&self, range: TimeRange) -> Result<Box<dyn Querier>> {
        let range = self.0.config.range_to_ask(range, || (self.0.local_start)());
        Ok(Box::new(RemoteQuerier { remote: self.clone(), range }))
    }
}

struct RemoteQuerier {
    remote: Remote,
    /// Nothing if there is nothing to ask.
    range: Option<TimeRange>,
}

impl Querier for RemoteQuerier {
    fn select(&self, sorted: bool, hints: &SelectHints, matchers: &[Matcher]) -> Result<SeriesSet> {
        let inner = &*self.remote.0;
        let asked = self.range.and_then(|range| inner.config.query(range, hints, matchers));
        let Some((query, added)) = asked else { return Ok(SeriesSet::default()) };
        // Whoever selects waits, also on a thread that others wait for.
        let answer = runtime::blocking(|| inner.tasks.block_on(inner.ask(&query)));
        let mut series = match answer {
            Ok(series) => series,
            Err(warning) => {
                return Ok(SeriesSet { series: Vec::new(), warnings: vec![warning] });
            }
        };
        for (labels, columns) in &mut series {
            *labels = labels.filter(|name| !added.contains(&name));
            columns.cut(storage::Mark::default(), query.range);
        }
        let series = joined(series, sorted);
        Ok(SeriesSet { series, warnings: Vec::new() })
    }

    /// The protocol has no such question.
    fn label_values(&self, _: &str, _: &LabelHints, _: &[Matcher]) -> Result<LabelValues> {
        Ok(LabelValues::default())
    }

    fn label_names(&self, _: &LabelHints, _: &[Matcher]) -> Result<LabelValues> {
        Ok(LabelValues::default())
    }
}

impl Config {
    /// The part of `range` that is to be asked for, if any.
    pub(super) fn range_to_ask(
        &self,
        range: TimeRange,
        local_start: impl FnOnce() -> Option<Timestamp>,
    ) -> Option<TimeRange> {
        if self.read_recent {
            return Some(range);
        }
        let Some(local_start) = local_start() else { return Some(range) };
        let end = range.end.min(local_start);
        (range.start <= local_start).then_some(TimeRange { start: range.start, end })
    }

    /// What is to be sent for these matchers, with the names of the labels that were added to
    /// them; nothing if such queries do not go there.
    pub(super) fn query<'a>(
        &'a self,
        range: TimeRange,
        hints: &SelectHints,
        matchers: &[Matcher],
    ) -> Option<(Query, Vec<&'a str>)> {
        let is_given = |(name, value): (&str, &str)| {
            matchers.contains(&Matcher::equal(name.to_owned(), value.to_owned()))
        };
        if !self.required_matchers.iter().all(is_given) {
            return None;
        }
        let mut matchers = matchers.to_vec();
        let mut added = Vec::new();
        if self.filter_external_labels {
            for (name, value) in self.external_labels.iter() {
                if !matchers.iter().any(|matcher| matcher.name == name) {
                    matchers.push(Matcher::equal(name.to_owned(), value.to_owned()));
                    added.push(name);
                }
            }
        }
        Some((Query { range, matchers, hints: Some(hints.clone()) }, added))
    }
}

impl Inner {
    /// Sends a query; an error is a text for the user.
    async fn ask(&self, query: &Query) -> Result<Vec<(Labels, Columns)>, String> {
        let body = crate::send::pack(&query.to_request());
        let url = self.config.url.clone();
        let mut request = Request::post(url, "application/x-protobuf", body);
        let headers = &mut request.headers;
        let snappy = HeaderValue::from_static("snappy");
        headers.insert(CONTENT_ENCODING, snappy.clone());
        headers.insert(ACCEPT_ENCODING, snappy);
        headers.insert("x-prometheus-remote-read-version", HeaderValue::from_static("0.1.0"));
        if let Ok(user_agent) = HeaderValue::from_str(&self.config.user_agent) {
            headers.insert(USER_AGENT, user_agent);
        }
        let limits = Limits { timeout: self.config.timeout, body_bytes: ANSWER_BYTES_MAX };
        let begin = self.clock.monotonic();
        let response = self.client.send(request, &limits).await;
        self.duration.observe_duration(self.clock.monotonic().saturating_sub(begin));
        let response = response.map_err(|error| match error {
            client::Error::Timeout { call } => {
                let timeout = go_duration(self.config.timeout);
                format!("error sending request: {call}: context deadline exceeded: request timed out after {timeout}")
            }
            error => format!("error sending request: {error}"),
        })?;
        let content_type = response.headers.get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        runtime::blocking(|| {
            understand(&self.config, response.status, content_type, &response.body)
        })
    }
}

/// What an answer says.
pub(super) fn understand(
    config: &Config,
    status: StatusCode,
    content_type: &str,
    body: &[u8],
) -> Result<Vec<(Labels, Columns)>, String> {
    if !status.is_success() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(ERROR_BYTES_MAX)]);
        let reason = status.canonical_reason().unwrap_or_default();
        return Err(format!(
            "remote server {} returned http status {} {reason}: {}",
            config.url,
            status.as_u16(),
            shown.trim()
        ));
    }
    let unreadable = |error: BadAnswer| error.to_string();
    if content_type.starts_with("application/x-protobuf") {
        let answer = snappy::decode(body, ANSWER_BYTES_MAX)
            .map_err(|error| format!("error reading response: {error}"))?;
        return read_sampled(&answer).map_err(unreadable);
    }
    if content_type
        .starts_with("application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse")
    {
        return read_streamed(body, config.frame_bytes_max).map_err(unreadable);
    }
    Err(format!("unsupported content type: {content_type}"))
}

/// As Go prints a duration of whole milliseconds.
fn go_duration(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..1000 => format!("{millis}ms"),
        millis if millis < 60_000 => format!("{}s", duration.as_secs_f64()),
        millis => format!("{}m{}s", millis / 60_000, (millis % 60_000) as f64 / 1000.0),
    }
}

struct RemoteSeries {
    labels: Labels,
    columns: Columns,
}

impl Series for RemoteSeries {
    fn labels(&self) -> Labels {
        self.labels.clone()
    }

    fn read(&self, range: TimeRange, columns: &mut Columns) -> Result<()> {
        let mark = columns.mark();
        append(columns, &self.columns);
        columns.cut(mark, range);
        Ok(())
    }
}

/// Makes one series of those with the same labels: a streamed answer cuts long ones, and labels
/// may have become the same when some were taken off.
fn joined(mut series: Vec<(Labels, Columns)>, sorted: bool) -> Vec<Arc<dyn Series>> {
    let is_sorted = series.is_sorted_by(|(a, _), (b, _)| a < b);
    if sorted && !is_sorted {
        series.sort_by(|(a, _), (b, _)| a.cmp(b));
    }
    let mut all: Vec<RemoteSeries> = Vec::with_capacity(series.len());
    for (labels, columns) in series {
        match all.last_mut() {
            Some(last) if last.labels == labels => {
                append(&mut last.columns, &columns);
                sort(&mut last.columns);
            }
            _ => all.push(RemoteSeries { labels, columns }),
        }
    }
    all.into_iter().map(|series| Arc::new(series) as Arc<dyn Series>).collect()
}

//! `/query` and `/query_range`.

mod explain;
mod points;
mod write;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, OriginalUri, State},
    http::request::Parts,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use model::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Api,
    engine::{Answer, Engine, Query, QueryError, Request, Times, Value},
    json::Sink,
    params::{Form, parse_duration},
    respond::{Complaints, Data, Error, ErrorKind, Result, Success},
};

/// Points of one series in an answer.
const POINTS_MAX: i64 = 11_000;
/// Chunks of an answer that wait for a slow client.
const CHUNKS_WAITING: usize = 4;
const TRUNCATED: &str = "results truncated due to limit";

pub(super) async fn instant(
    State(api): State<Arc<Api>>,
    Asked(request): Asked,
    form: Form,
) -> Result {
    let limit = form.limit()?;
    let at = form.time_or("time", api.now())?;
    run(&api, request, &form, Times::Instant(at), limit).await
}

pub(super) async fn range(
    State(api): State<Arc<Api>>,
    Asked(request): Asked,
    form: Form,
) -> Result {
    let limit = form.limit()?;
    let times = range_times(&form)?;
    run(&api, request, &form, times, limit).await
}

/// Who asks.
pub(super) struct Asked(Request);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Asked, Infallible> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, state).await?;
        let client = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Asked(Request {
            client: client.map(|ConnectInfo(address)| address.ip().to_string()).unwrap_or_default(),
            method: parts.method.to_string(),
            path: uri.path().to_owned(),
        }))
    }
}

fn range_times(form: &Form) -> Result<Times> {
    let (start, end) = (form.time("start")?, form.time("end")?);
    if end < start {
        let reason = "end timestamp must not be before start time";
        return Err(Error::bad_parameter("end", reason));
    }
    let step_ms = parse_duration(form.first("step"))
        .map_err(|reason| Error::bad_parameter("step", reason))?;
    if step_ms <= 0 {
        let reason = "zero or negative query resolution step widths are not accepted. \
            Try a positive integer";
        return Err(Error::bad_parameter("step", reason));
    }
    if end.as_millis().saturating_sub(start.as_millis()) / step_ms > POINTS_MAX {
        return Err(Error::bad_data(
            "exceeded maximum resolution of 11,000 points per timeseries. \
            Try decreasing the query resolution (?step=XX)",
        ));
    }
    Ok(Times::Range { start, end, step: Duration::from_millis(step_ms as u64) })
}

/// The part of `stats`, `timeout` and the like that both endpoints share.
fn options(request: Request, form: &Form, times: Times, cancel: Arc<AtomicBool>) -> Result<Query> {
    let timeout = form.duration("timeout")?;
    let lookback_delta = match form.first("lookback_delta") {
        "" => None,
        text => {
            let millis = parse_duration(text).map_err(|reason| {
                Error::bad_data(format!("error parsing lookback delta duration: {reason}"))
            })?;
            Some(Duration::from_millis(millis.max(0) as u64))
        }
    };
    let per_step_stats = form.first("stats") == "all";
    let text = form.first("query").to_owned();
    let explain = !form.first("explain").is_empty();
    let request = Some(request);
    Ok(Query { text, times, timeout, lookback_delta, per_step_stats, explain, request, cancel })
}

/// Statistics are wanted; a value other than `true` and `all` draws a warning.
fn stats_warning(stats: &str) -> Option<String> {
    match stats {
        "" | "true" | "all" => None,
        other => Some(format!(
            "value {} for parameter \"stats\" is deprecated and will be rejected in the next \
            major release, use \"true\" or \"all\"",
            model::labels::quote(other)
        )),
    }
}

/// In which form the plan is wanted; nothing if it is not.
enum Explain {
    Json,
    Text,
}

fn explain_form(form: &Form) -> Result<Option<Explain>, Error> {
    match form.first("explain") {
        "" => Ok(None),
        "json" => Ok(Some(Explain::Json)),
        "text" => Ok(Some(Explain::Text)),
        _ => Err(Error::bad_parameter("explain", "must be \"json\" or \"text\"")),
    }
}

async fn run(api: &Api, request: Request, form: &Form, times: Times, limit: usize) -> Result {
    let gone = Arc::new(AtomicBool::new(false));
    // Dropped with this future when the client goes away: then the engine stops.
    let mut while_waiting = Waiting(Some(gone.clone()));
    let query = options(request, form, times, gone)?;
    let explain = explain_form(form)?;
    let stats = form.first("stats").to_owned();
    let engine = api.engine.clone();
    let (head, answered) = oneshot::channel();
    let (chunks, body) = mpsc::channel(CHUNKS_WAITING);
    // Ends when the answer is written or nobody reads it; joined at the end of the body.
    let writer = tokio::task::spawn_blocking(move || {
        let mut reply = Reply { head: Some(head), chunks };
        match (answer(&*engine, &query, limit), explain) {
            (Err(error), _) => reply.begin(Err(error)),
            (Ok(answer), Some(Explain::Text)) => {
                let plan = answer.plan.unwrap_or_default();
                reply.begin(Ok(Head::Text(explain::text(&plan))))
            }
            (Ok(answer), _) => {
                write::answer(&answer, &stats, Box::new(reply));
                true
            }
        };
    });
    let complaints = Complaints::default();
    let data = match answered.await {
        Ok(Ok(Head::Whole(body))) => Data::Stream(Body::from(body)),
        Ok(Ok(Head::Text(text))) => Data::Text(text),
        Ok(Ok(Head::Streamed)) => {
            while_waiting.0 = None;
            Data::Stream(Body::from_stream(stream_of(body, writer)))
        }
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => {
            // The sender is gone without a word: the engine panicked. It ends this query only.
            let reason = writer.await.err().map(|error| error.to_string()).unwrap_or_default();
            return Err(Error::new(ErrorKind::Internal, format!("unexpected error: {reason}")));
        }
    };
    Ok(Success { data, complaints })
}

/// Somebody waits; when it is dropped before that ends, the flag is set.
struct Waiting(Option<Arc<AtomicBool>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(gone) = &self.0 {
            gone.store(true, Ordering::Relaxed);
        }
    }
}

/// How an answer begins.
enum Head {
    /// It is short, and this is all of it.
    Whole(Bytes),
    /// It comes in chunks.
    Streamed,
    /// It is no JSON.
    Text(String),
}

/// The way of an answer from the thread that writes it: short ones go at once, which saves both
/// sides from waking each other.
struct Reply {
    head: Option<oneshot::Sender<Result<Head, QueryError>>>,
    chunks: mpsc::Sender<Bytes>,
}

impl Reply {
    /// Says no if nobody listens.
    fn begin(&mut self, how: Result<Head, QueryError>) -> bool {
        self.head.take().is_none_or(|head| head.send(how).is_ok())
    }
}

impl Sink for Reply {
    fn send(&mut self, chunk: Bytes) -> bool {
        self.begin(Ok(Head::Streamed)) && self.chunks.blocking_send(chunk).is_ok()
    }

    fn end(&mut self, rest: Bytes) {
        if self.head.is_some() {
            self.begin(Ok(Head::Whole(rest)));
        } else {
            // If nobody reads, nobody misses it.
            self.chunks.blocking_send(rest).unwrap_or_default();
        }
    }
}

fn stream_of(
    receiver: mpsc::Receiver<Bytes>,
    writer: JoinHandle<()>,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    let chunks = stream::unfold(Some((receiver, writer)), async |state| {
        let (mut receiver, writer) = state?;
        match receiver.recv().await {
            Some(chunk) => Some((Ok(chunk), Some((receiver, writer)))),
            // If writing panicked, the client must not take the rest for the whole.
            None => Some((Err(std::io::Error::other(writer.await.err()?)), None)),
        }
    });
    // Compression asks once more after the end.
    chunks.fuse()
}

fn answer(engine: &dyn Engine, query: &Query, limit: usize) -> Result<Answer, QueryError> {
    let mut answer = engine.run(query)?;
    // Of no time at all even the fastest answer has had too much.
    if query.timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(QueryError::Timeout("query timed out in query execution".to_owned()));
    }
    if limit > 0 {
        let is_truncated = match &mut answer.value {
            Value::Vector(samples) => truncate(samples, limit),
            Value::Matrix(series) => truncate(series, limit),
            Value::Scalar { .. } | Value::String { .. } => false,
        };
        if is_truncated {
            answer.complaints.warnings.push(TRUNCATED.to_owned());
        }
    }
    Ok(answer)
}

fn truncate<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let is_longer = items.len() > limit;
    items.truncate(limit);
    is_longer
}

impl From<QueryError> for Error {
    fn from(error: QueryError) -> Error {
        let message = error.to_string();
        let kind = match error {
            QueryError::Parse(reason) => return Error::bad_parameter("query", reason),
            QueryError::Timeout(_) => ErrorKind::Timeout,
            QueryError::Canceled(_) => ErrorKind::Canceled,
            QueryError::Storage(_) => ErrorKind::Internal,
            QueryError::Execution(_) => ErrorKind::Execution,
        };
        Error::new(kind, message)
    }
}

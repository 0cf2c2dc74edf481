//! What other members may ask.

use std::{sync::Arc, vec::IntoIter};

use axum::Router;
use grpc::{Gate, Make, Methods, Place, Request, Response, Status, guarded};
use model::TimeRange;
use prost::Message as _;
use proto::{
    thanos,
    vesta::repair::v1::{
        DeleteRequest, Digest, DigestRequest, DigestResponse, FetchRequest, FetchResponse, Window,
    },
};
use runtime::Clock;
use storage::{Columns, Mark, SelectHints, Series};
use storeapi::wire;
use telemetry::Counter;

use crate::{
    Sources,
    digest::{self, all, digests, shard},
    repair::Limits,
};

pub(crate) const DIGEST: &str = "/vesta.repair.v1.Repair/Digest";
pub(crate) const DELETE: &str = "/vesta.repair.v1.Repair/Delete";
pub(crate) const FETCH: &str = "/vesta.repair.v1.Repair/Fetch";

const REQUEST_BYTES_MAX: usize = 256 << 10;
/// In one request.
pub(crate) const WINDOWS_MAX: usize = 4_096;
/// Of samples, in one message.
const FRAME_BYTES: usize = 256 << 10;

pub(crate) struct Server {
    pub(crate) sources: Sources,
    pub(crate) holes: Arc<dyn Fn(TimeRange) -> Vec<TimeRange> + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) gate: Gate,
    pub(crate) bytes_sent: Counter,
}

pub(crate) fn router(server: Arc<Server>) -> Router {
    let (first, second, third) = (server.clone(), server.clone(), server);
    Methods::new(REQUEST_BYTES_MAX)
        .unary(DIGEST, move |request: Request<DigestRequest>| {
            let server = first.clone();
            async move {
                let _place = server.gate.enter().await?;
                guarded(|| server.digest(request.get_ref())).map(Response::new)
            }
        })
        .stream(FETCH, move |request: Request<FetchRequest>| {
            let server = second.clone();
            async move {
                let place = server.gate.enter().await?;
                let fetch = guarded(|| server.fetch(request.get_ref(), place))?;
                Ok(Response::new(grpc::made(fetch, server.limits.timeout, server.clock.clone())))
            }
        })
        .unary(DELETE, move |request: Request<DeleteRequest>| {
            let server = third.clone();
            async move {
                let _place = server.gate.enter().await?;
                guarded(|| server.delete(request.get_ref())).map(Response::new)
            }
        })
        .into_router()
}

impl Server {
    fn digest(&self, request: &DigestRequest) -> Result<DigestResponse, Status> {
        let windows: Vec<TimeRange> = request.windows.iter().map(read_window).collect();
        if windows.len() > WINDOWS_MAX {
            let text = format!("more than {WINDOWS_MAX} windows");
            return Err(Status::invalid_argument(text));
        }
        let is_one = |window: &TimeRange| window.start <= window.end;
        if !windows.iter().all(is_one) || !windows.is_sorted_by(|a, b| a.end < b.start) {
            return Err(Status::invalid_argument("windows are not in order"));
        }
        let digests = digests(&*self.sources.series, &windows).map_err(failed)?;
        let hull = windows.first().zip(windows.last());
        let hull = hull.map(|(first, last)| TimeRange { start: first.start, end: last.end });
        let holes = hull.map(|hull| (self.holes)(hull)).unwrap_or_default();
        Ok(DigestResponse {
            digests: digests.iter().map(write_digest).collect(),
            oldest: (self.sources.oldest)().map(|oldest| oldest.as_millis()),
            holes: holes.into_iter().map(write_window).collect(),
        })
    }

    fn fetch(self: &Arc<Self>, request: &FetchRequest, place: Place) -> Result<Fetch, Status> {
        let range = request.range.as_ref().map(read_window);
        let range = range.filter(|range| range.start <= range.end);
        let range = range.ok_or_else(|| Status::invalid_argument("there is no range of time"))?;
        let querier = self.sources.series.querier(range).map_err(failed)?;
        let set = querier.select(false, &SelectHints::new(range), &[all()]).map_err(failed)?;
        Ok(Fetch {
            series: set.series.into_iter(),
            shards: request.shards,
            range,
            columns: Columns::default(),
            bytes_sent: self.bytes_sent.clone(),
            _place: place,
        })
    }
}

/// Series on their way to another member.
struct Fetch {
    series: IntoIter<Arc<dyn Series>>,
    /// Bit n stands for shard n.
    shards: u64,
    range: TimeRange,
    columns: Columns,
    bytes_sent: Counter,
    _place: Place,
}

impl Make for Fetch {
    type Message = FetchResponse;

    fn next(&mut self) -> Result<Option<Vec<FetchResponse>>, Status> {
        let mut series = Vec::new();
        let mut n_bytes = 0;
        while n_bytes < FRAME_BYTES
            && let Some(samples) = self.series.next()
        {
            let labels = samples.labels();
            if self.shards >> shard(labels.hash64()) & 1 == 0 {
                continue;
            }
            self.columns.clear();
            samples.read(self.range, &mut self.columns).map_err(failed)?;
            self.columns.merge_replicas(Mark::default(), self.columns.mark());
            let chunks = wire::chunks(&self.columns);
            if !chunks.is_empty() {
                series.push(thanos::Series { labels: wire::labels(&labels), chunks });
                n_bytes += series.last().map_or(0, prost::Message::encoded_len);
            }
        }
        if series.is_empty() {
            return Ok(None);
        }
        let message = FetchResponse { series };
        self.bytes_sent.add(message.encoded_len() as f64);
        Ok(Some(vec![message]))
    }
}

pub(crate) fn write_window(range: TimeRange) -> Window {
    Window { start: range.start.as_millis(), end: range.end.as_millis() }
}

pub(crate) fn read_window(window: &Window) -> TimeRange {
    TimeRange::from_millis(window.start, window.end)
}

fn write_digest(digest: &digest::Digest) -> Digest {
    let shards = if digest.n_samples == 0 { Vec::new() } else { digest.shards.to_vec() };
    Digest { shards, samples: digest.n_samples }
}

/// Nothing if it is no digest.
pub(crate) fn read_digest(digest: &Digest) -> Option<digest::Digest> {
    let mut read = digest::Digest { n_samples: digest.samples, ..digest::Digest::default() };
    if !digest.shards.is_empty() {
        read.shards = digest.shards.as_slice().try_into().ok()?;
    }
    Some(read)
}

fn failed(error: storage::Error) -> Status {
    Status::unavailable(error.to_string())
}

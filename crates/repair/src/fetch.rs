//! One piece of time with one member: compared, and what differs fetched and written.

use std::{sync::Arc, time::Duration};

use grpc::{Channel, Request, Status};
use hashbrown::HashMap;
use model::{Labels, TimeRange, Timestamp};
use prost::Message as _;
use proto::{
    thanos,
    vesta::repair::v1::{DigestRequest, DigestResponse, FetchRequest, FetchResponse},
};
use runtime::{Clock, clock::timeout};
use storage::{Columns, Mark, SelectHints, Series};
use storeapi::wire;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    Written,
    diff::difference,
    digest::{Digest, N_SHARDS, all, digests, shard, windows},
    repair::Inner,
    server::{DIGEST, FETCH, read_digest, read_window, write_window},
};

/// Series that wait until they are written.
const SERIES_WAITING_MAX: usize = 64;
/// More series than this are looked at in several passes, each over some of the shards.
const SERIES_AT_ONCE: usize = 250_000;

type Local = HashMap<Labels, Arc<dyn Series>, foldhash::fast::RandomState>;

/// What came of a piece.
pub(crate) struct Compared {
    /// Where the other one is not whole itself.
    pub(crate) lacking: Vec<TimeRange>,
    /// Before this the other one has nothing; nothing at all if there is none.
    pub(crate) oldest: Option<Timestamp>,
    pub(crate) written: Written,
    pub(crate) has_fetched: bool,
}

impl Inner {
    /// Compares a piece with what `peer` has and takes what is lacking here. An error is a text for
    /// the user.
    pub(crate) async fn compare(
        &self,
        peer: &Channel,
        piece: TimeRange,
        stop: &CancellationToken,
    ) -> Result<Compared, String> {
        let windows = windows(piece, self.window_millis());
        let ours = runtime::blocking(|| digests(&*self.sources.series, &windows))
            .map_err(|error| format!("read samples: {error}"))?;
        let request =
            DigestRequest { windows: windows.iter().copied().map(write_window).collect() };
        let call = peer.unary::<_, DigestResponse>(DIGEST, Request::new(request));
        let answer = self.wait(peer, stop, call).await?.into_inner();
        let theirs = answer.digests.iter().map(read_digest).collect::<Option<Vec<Digest>>>();
        let theirs = theirs.filter(|theirs| theirs.len() == windows.len());
        let theirs = theirs.ok_or("the answer makes no sense")?;

        let pairs = windows.iter().zip(ours.iter().zip(&theirs));
        let masks = pairs.map(|(window, (ours, theirs))| (*window, ours.difference(theirs)));
        let different: Vec<(TimeRange, u64)> = masks.filter(|(_, mask)| *mask != 0).collect();
        self.metrics.windows_compared.add(windows.len() as f64);
        self.metrics.windows_different.add(different.len() as f64);
        let mut compared = Compared {
            lacking: answer.holes.iter().map(read_window).collect(),
            oldest: answer.oldest.map(Timestamp::from_millis),
            written: Written::default(),
            has_fetched: false,
        };
        if let (Some((first, _)), Some((last, _))) = (different.first(), different.last()) {
            let range = TimeRange { start: first.start, end: last.end };
            let shards = different.iter().fold(0, |shards, (_, mask)| shards | mask);
            self.found_different(different.iter().map(|(window, _)| *window));
            compared.written = self.fetch(peer, range, shards, stop).await?;
            compared.has_fetched = true;
        }
        Ok(compared)
    }

    /// Takes the samples of some shards that are lacking here, and writes them in one go.
    async fn fetch(
        &self,
        peer: &Channel,
        range: TimeRange,
        shards: u64,
        stop: &CancellationToken,
    ) -> Result<Written, String> {
        let (sender, mut receiver) = mpsc::channel(SERIES_WAITING_MAX);
        let writer = self.sources.writer.clone();
        // The writer asks for series as it goes, and may take its time.
        let writing = tokio::task::spawn_blocking(move || {
            writer.write(&mut std::iter::from_fn(|| receiver.blocking_recv()))
        });
        let fetched = self.send_lacking(peer, range, shards, stop, &sender).await;
        drop(sender);
        let written = writing.await.map_err(|_| "writing panicked".to_owned())?;
        let written = written.map_err(|error| format!("write samples: {error}"))?;
        self.metrics.samples_added.add(written.added as f64);
        self.metrics.samples_replaced.add(written.replaced as f64);
        fetched.map(|()| written)
    }

    async fn send_lacking(
        &self,
        peer: &Channel,
        range: TimeRange,
        shards: u64,
        stop: &CancellationToken,
        sender: &mpsc::Sender<(Labels, Columns)>,
    ) -> Result<(), String> {
        let mut throttle = Throttle::new(self.settings.bytes_per_second, self.clock.clone());
        for shards in self.passes(range, shards)? {
            let local = runtime::blocking(|| self.local_series(range, shards))?;
            let request = FetchRequest { range: Some(write_window(range)), shards };
            let call = peer.stream::<_, FetchResponse>(FETCH, Request::new(request));
            let mut answer = self.wait(peer, stop, call).await?.into_inner();
            while let Some(message) = self.wait(peer, stop, answer.message()).await? {
                let n_bytes = message.encoded_len();
                self.metrics.series_received.add(message.series.len() as f64);
                self.metrics.bytes_received.add(n_bytes as f64);
                let lacking = runtime::blocking(|| lacking(&message, &local, range))?;
                self.progressed(n_bytes, lacking.iter().map(|(_, columns)| columns.len()).sum());
                for series in lacking {
                    if sender.send(series).await.is_err() {
                        // The writer has ended early; it says why.
                        return Ok(());
                    }
                }
                throttle.pause(n_bytes).await;
            }
        }
        Ok(())
    }

    /// Shards that are looked at together.
    fn passes(&self, range: TimeRange, shards: u64) -> Result<Vec<u64>, String> {
        let n_series = runtime::blocking(|| self.select(range))?.len();
        let n_passes = n_series.div_ceil(SERIES_AT_ONCE).clamp(1, N_SHARDS);
        let pass = |idx: usize| {
            let own = (0..N_SHARDS).filter(|shard| shard % n_passes == idx);
            own.fold(0, |mask, shard| mask | 1 << shard) & shards
        };
        Ok((0..n_passes).map(pass).filter(|mask| *mask != 0).collect())
    }

    fn select(&self, range: TimeRange) -> Result<Vec<Arc<dyn Series>>, String> {
        let failed = |error: storage::Error| format!("read series: {error}");
        let querier = self.sources.series.querier(range).map_err(failed)?;
        let set = querier.select(false, &SelectHints::new(range), &[all()]).map_err(failed)?;
        Ok(set.series)
    }

    fn local_series(&self, range: TimeRange, shards: u64) -> Result<Local, String> {
        let labelled = self.select(range)?.into_iter().map(|series| (series.labels(), series));
        Ok(labelled.filter(|(labels, _)| shards >> shard(labels.hash64()) & 1 == 1).collect())
    }

    /// Waits for a peer, within limits.
    pub(crate) async fn wait<T>(
        &self,
        peer: &Channel,
        stop: &CancellationToken,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, String> {
        let limit = self.settings.limits.timeout;
        let answer = timeout(&*self.clock, limit, call);
        match stop.run_until_cancelled(answer).await {
            None => Err("stopping".to_owned()),
            Some(None) => {
                peer.reset().await;
                Err(format!("no answer within {limit:?}"))
            }
            Some(Some(Err(status))) => Err(match status.message() {
                "" => status.code().description().to_owned(),
                message => message.to_owned(),
            }),
            Some(Some(Ok(answer))) => Ok(answer),
        }
    }
}

/// What of a message is lacking here.
fn lacking(
    message: &FetchResponse,
    local: &Local,
    range: TimeRange,
) -> Result<Vec<(Labels, Columns)>, String> {
    let mut ours = Columns::default();
    let mut found = Vec::new();
    for thanos::Series { labels, chunks } in &message.series {
        let malformed = |error: wire::Malformed| format!("the answer makes no sense: {error}");
        let labels = wire::read_labels(labels).map_err(malformed)?;
        let mut theirs = Columns::default();
        wire::append_chunks(chunks, Mark::default(), &mut theirs).map_err(malformed)?;
        theirs.cut(Mark::default(), range);
        ours.clear();
        if let Some(series) = local.get(&labels) {
            series.read(range, &mut ours).map_err(|error| format!("read samples: {error}"))?;
            theirs = difference(&ours, &theirs);
        }
        if !theirs.is_empty() && !labels.is_empty() {
            found.push((labels, theirs));
        }
    }
    Ok(found)
}

/// Keeps what is received below a rate.
struct Throttle {
    bytes_per_second: f64,
    clock: Arc<dyn Clock>,
    /// When all that was received until now is paid for.
    paid_at: Duration,
}

impl Throttle {
    fn new(bytes_per_second: u64, clock: Arc<dyn Clock>) -> Throttle {
        Throttle { bytes_per_second: bytes_per_second as f64, paid_at: clock.monotonic(), clock }
    }

    async fn pause(&mut self, n_bytes: usize) {
        if self.bytes_per_second == 0.0 {
            return;
        }
        let now = self.clock.monotonic();
        let cost = Duration::from_secs_f64(n_bytes as f64 / self.bytes_per_second);
        self.paid_at = self.paid_at.max(now) + cost;
        let ahead = self.paid_at.saturating_sub(now);
        if ahead > Duration::from_millis(20) {
            self.clock.sleep(ahead).await;
        }
    }
}

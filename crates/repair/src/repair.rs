//! The loop: closes windows, compares, fetches, notes what is done.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use grpc::{Channel, Connect, Gate};
use model::{Labels, Matcher, TimeRange, Timestamp};
use parking_lot::Mutex;
use runtime::{Clock, Disk, Runtime};
use storage::{Columns, Queryable};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    Holes, Ledger, Mended, PeerStatus, Progress, Status,
    fetch::Compared,
    metrics::Metrics,
    server::{self, Server, WINDOWS_MAX},
};

#[cfg(test)]
mod tests;

/// How often it is looked whether there is something to do.
const TICK: Duration = Duration::from_secs(1);
/// After failures with a member it rests, the longer the more there were.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);
/// Messages of answers are far smaller.
const ANSWER_BYTES_MAX: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// What people are shown of the past.
const MENDED_MAX: usize = 100;

/// Writes what was lacking.
pub trait Backfill: Send + Sync {
    /// Takes series, each column in order of time, and makes them durable and visible; of two
    /// samples for one time the given one stays. Asking for the next series may block. After an
    /// error part of it may be there: it is called again.
    fn write(
        &self,
        series: &mut (dyn Iterator<Item = (Labels, Columns)> + Send),
    ) -> Result<Written, String>;
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub added: u64,
    pub replaced: u64,
}

/// Another member of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Stays the same for ever.
    pub id: String,
    /// For people.
    pub name: String,
    /// `host:port` of its gRPC server.
    pub address: String,
    pub is_live: bool,
    /// It should have the same samples.
    pub is_replica: bool,
}

/// Hides what is in a range of the series that satisfy all matchers.
pub type Delete = dyn Fn(TimeRange, &[Matcher]) -> Result<(), String> + Send + Sync;

/// What is repaired, and from where.
#[derive(Clone)]
pub struct Sources {
    /// What is stored here, nothing of others.
    pub series: Arc<dyn Queryable>,
    pub writer: Arc<dyn Backfill>,
    /// The time of the oldest sample here, if there is one.
    pub oldest: Arc<dyn Fn() -> Option<Timestamp> + Send + Sync>,
    /// Deletes samples here for another member; an error is a text for whoever asked.
    pub delete: Arc<Delete>,
    /// The others, live or not.
    pub members: Arc<dyn Fn() -> Vec<Member> + Send + Sync>,
    pub connect: Arc<dyn Connect>,
}

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the ledger is kept.
    pub file: PathBuf,
    /// Time is compared in windows of this width.
    pub window: Duration,
    /// A window is closed so long after its end; no sample of it may come later.
    pub lag: Duration,
    /// How much is compared and fetched at once.
    pub piece: Duration,
    /// Older samples are not kept.
    pub retention: Duration,
    /// Until so long after the start this member may miss scrapes.
    pub settling: Duration,
    /// What may be received; zero is no limit.
    pub bytes_per_second: u64,
    pub limits: Limits,
}

/// What members may cost each other.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of others that are answered at once.
    pub concurrency: usize,
    /// For a message of an answer to come, and for an answer to be read.
    pub timeout: Duration,
}

impl Settings {
    pub fn new(file: PathBuf) -> Settings {
        Settings {
            file,
            window: Duration::from_secs(120),
            lag: Duration::from_secs(30),
            piece: Duration::from_secs(2 * 3600),
            retention: Duration::from_secs(15 * 24 * 3600),
            settling: Duration::from_secs(60),
            bytes_per_second: 64 << 20,
            limits: Limits { concurrency: 2, timeout: Duration::from_secs(120) },
        }
    }
}

/// Makes this member have what the others have. Cloning gives another handle.
#[derive(Clone)]
pub struct Repair(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    disk: Arc<dyn Disk>,
    server: Arc<Server>,
    /// No other lock is taken while this one is held.
    ledger: Arc<Mutex<Ledger>>,
    /// No other lock is taken while this one is held.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Progress>,
    /// At most [`MENDED_MAX`].
    mended: VecDeque<Mended>,
    peers: BTreeMap<String, PeerState>,
}

struct PeerState {
    address: String,
    channel: Channel,
    last_compared: Option<Timestamp>,
    error: Option<String>,
    n_failures: u32,
    rests_until: Duration,
}

impl Repair {
    /// Reads what is known of this member's past. From then on until all others have been asked,
    /// everything since its end is a hole.
    pub fn new(
        settings: Settings,
        sources: Sources,
        runtime: &Runtime,
        registry: &Registry,
    ) -> io::Result<Repair> {
        let (clock, disk) = (runtime.clock.clone(), runtime.disk.clone());
        let mut ledger = match disk.read(&settings.file) {
            Ok(bytes) => Ledger::parse(&String::from_utf8_lossy(&bytes)).unwrap_or_else(|| {
                warn!(file = %settings.file.display(), "the file of repair makes no sense: all is compared again");
                Ledger::default()
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ledger::default(),
            Err(error) => return Err(error),
        };
        let now = Timestamp::from_millis(clock.now_millis());
        ledger.begin(now - settings.retention, now + settings.settling);
        let ledger = Arc::new(Mutex::new(ledger));
        let metrics = Metrics::register(registry);
        let known = ledger.clone();
        let server = Arc::new(Server {
            sources: sources.clone(),
            holes: Arc::new(move |range| known.lock().holes().within(range)),
            clock: clock.clone(),
            limits: settings.limits,
            gate: Gate::new(settings.limits.concurrency, settings.limits.timeout, clock.clone()),
            bytes_sent: metrics.bytes_sent.clone(),
        });
        let state = Mutex::default();
        let inner = Inner { settings, sources, clock, metrics, disk, server, ledger, state };
        Ok(Repair(Arc::new(inner)))
    }

    /// What others may ask, to be merged with other services and given to [`grpc::finish`].
    pub fn router(&self) -> Router {
        server::router(self.0.server.clone())
    }

    /// The parts of `range` in which this member may lack something.
    pub fn holes_within(&self, range: TimeRange) -> Vec<TimeRange> {
        self.0.ledger.lock().holes().within(range)
    }

    pub fn holes(&self) -> Holes {
        self.0.ledger.lock().holes().clone()
    }

    /// Something went wrong here: samples of `range` may be lacking.
    pub fn add_hole(&self, range: TimeRange) {
        self.0.ledger.lock().add_hole(range);
    }

    /// Works until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if !self.0.turn(&stop).await {
                stop.run_until_cancelled(self.0.clock.sleep(TICK)).await;
            }
        }
        self.0.save();
    }

    pub fn status(&self) -> Status {
        let inner = &*self.0;
        let members = inner.replicas();
        let (holes, unchecked) = {
            let ledger = inner.ledger.lock();
            let unchecked: Vec<i64> =
                members.iter().map(|member| ledger.unchecked_millis(&member.id)).collect();
            (ledger.holes().iter().collect(), unchecked)
        };
        let state = inner.state.lock();
        let peer = |(member, unchecked): (&Member, i64)| {
            let known = state.peers.get(&member.id);
            PeerStatus {
                name: member.name.clone(),
                is_live: member.is_live,
                unchecked: Duration::from_millis(unchecked.max(0) as u64),
                last_compared: known.and_then(|known| known.last_compared),
                error: known.and_then(|known| known.error.clone()),
            }
        };
        Status {
            holes,
            running: state.running.clone(),
            mended: state.mended.iter().cloned().collect(),
            peers: members.iter().zip(unchecked).map(peer).collect(),
            windows_compared: inner.metrics.windows_compared.get() as u64,
            windows_different: inner.metrics.windows_different.get() as u64,
            samples_added: inner.metrics.samples_added.get() as u64,
            samples_replaced: inner.metrics.samples_replaced.get() as u64,
            bytes_received: inner.metrics.bytes_received.get() as u64,
        }
    }
}

impl Inner {
    /// Does one piece with one member; says whether there was one.
    async fn turn(&self, stop: &CancellationToken) -> bool {
        let members = self.replicas();
        let has_closed = self.close(&members);
        let live: Vec<&Member> = members.iter().filter(|member| member.is_live).collect();
        let ids = || live.iter().map(|member| member.id.as_str());
        let rested: Vec<&str> = ids().filter(|id| self.has_rested(id)).collect();
        let (next, has_settled) = {
            let mut ledger = self.ledger.lock();
            let has_settled = ledger.settle(ids());
            (ledger.next(rested, self.piece_millis()), has_settled)
        };
        self.show(&members);
        if has_closed || has_settled {
            self.save();
        }
        let Some((id, piece)) = next else { return false };
        let Some(member) = live.iter().find(|member| member.id == id) else { return false };
        self.work(member, piece, stop).await;
        true
    }

    /// Those that are compared with.
    fn replicas(&self) -> Vec<Member> {
        let mut members = (self.sources.members)();
        members.retain(|member| member.is_replica);
        members
    }

    /// Takes in the windows that have closed since; says whether there were any.
    fn close(&self, members: &[Member]) -> bool {
        let now = Timestamp::from_millis(self.clock.now_millis());
        let closed = (now - self.settings.lag).as_millis();
        let window = self.window_millis();
        let until = closed.div_euclid(window).saturating_mul(window);
        let oldest = now - self.settings.retention;
        let ids = members.iter().map(|member| member.id.as_str());
        self.ledger.lock().close(oldest, until, ids)
    }

    async fn work(&self, member: &Member, piece: TimeRange, stop: &CancellationToken) {
        let now = Timestamp::from_millis(self.clock.now_millis());
        let begin = self.clock.monotonic();
        let outcome = match self.channel(member) {
            Ok(channel) => {
                self.state.lock().running = Some(Progress {
                    peer: member.name.clone(),
                    range: piece,
                    started: now,
                    samples: 0,
                    bytes: 0,
                });
                self.metrics.running.set(1.0);
                let outcome = self.compare(&channel, piece, stop).await;
                self.metrics.running.set(0.0);
                outcome
            }
            Err(error) => Err(error),
        };
        let done = self.state.lock().running.take();
        match outcome {
            Ok(compared) => {
                let took = self.clock.monotonic().saturating_sub(begin);
                self.succeeded(member, piece, &compared, took, done);
            }
            Err(_) if stop.is_cancelled() => {}
            Err(error) => self.failed(member, piece, error),
        }
    }

    fn succeeded(
        &self,
        member: &Member,
        piece: TimeRange,
        compared: &Compared,
        took: Duration,
        done: Option<Progress>,
    ) {
        let now = Timestamp::from_millis(self.clock.now_millis());
        if let Some(peer) = self.state.lock().peers.get_mut(&member.id) {
            (peer.last_compared, peer.error, peer.n_failures) = (Some(now), None, 0);
        }
        {
            let mut ledger = self.ledger.lock();
            ledger.checked(&member.id, piece, &compared.lacking);
            // Nothing is there to be fetched.
            let end = match compared.oldest {
                Some(oldest) => oldest.as_millis().saturating_sub(1),
                None => ledger.closed_until().unwrap_or(i64::MIN).saturating_sub(1),
            };
            ledger.checked(&member.id, TimeRange::from_millis(i64::MIN, end), &[]);
        }
        if compared.has_fetched {
            self.save();
            let bytes = done.map_or(0, |done| done.bytes);
            let (added, replaced) = (compared.written.added, compared.written.replaced);
            self.note(Mended {
                peer: member.name.clone(),
                range: piece,
                finished: now,
                samples: added + replaced,
            });
            info!(
                member = member.name, start = %piece.start, end = %piece.end, added, replaced,
                bytes, ?took, "took over from a member what was lacking here"
            );
        }
    }

    fn note(&self, mended: Mended) {
        if mended.samples == 0 {
            return;
        }
        let mut state = self.state.lock();
        if state.mended.len() == MENDED_MAX {
            state.mended.pop_front();
        }
        state.mended.push_back(mended);
    }

    fn failed(&self, member: &Member, piece: TimeRange, error: String) {
        self.metrics.failures.with([&member.name]).increment();
        let now = self.clock.monotonic();
        let mut state = self.state.lock();
        let Some(peer) = state.peers.get_mut(&member.id) else { return };
        let rest = REST_MIN.saturating_mul(1 << peer.n_failures.min(6)).min(REST_MAX);
        peer.n_failures = peer.n_failures.saturating_add(1);
        peer.rests_until = now + rest;
        peer.error = Some(error.clone());
        drop(state);
        warn!(
            member = member.name, start = %piece.start, end = %piece.end, error, ?rest,
            "comparing with a member failed"
        );
    }

    /// The connection to a member, made anew if it has moved.
    pub(crate) fn channel(&self, member: &Member) -> Result<Channel, String> {
        let mut state = self.state.lock();
        let known = state.peers.get(&member.id).filter(|peer| peer.address == member.address);
        if let Some(known) = known {
            return Ok(known.channel.clone());
        }
        let settings =
            grpc::Settings { connect_timeout: CONNECT_TIMEOUT, answer_bytes_max: ANSWER_BYTES_MAX };
        let (connect, clock) = (self.sources.connect.clone(), self.clock.clone());
        let channel = Channel::new(&member.address, connect, clock, settings)
            .map_err(|error| format!("{:?}: {error}", member.address))?;
        let new = PeerState {
            address: member.address.clone(),
            channel: channel.clone(),
            last_compared: None,
            error: None,
            n_failures: 0,
            rests_until: Duration::ZERO,
        };
        state.peers.insert(member.id.clone(), new);
        Ok(channel)
    }

    fn has_rested(&self, id: &str) -> bool {
        let now = self.clock.monotonic();
        self.state.lock().peers.get(id).is_none_or(|peer| peer.rests_until <= now)
    }

    /// Windows in which another member has something else.
    pub(crate) fn found_different(&self, windows: impl Iterator<Item = TimeRange>) {
        let mut ledger = self.ledger.lock();
        windows.for_each(|window| ledger.differs(window));
    }

    pub(crate) fn progressed(&self, n_bytes: usize, n_samples: usize) {
        if let Some(running) = &mut self.state.lock().running {
            running.bytes += n_bytes as u64;
            running.samples += n_samples as u64;
        }
    }

    pub(crate) fn window_millis(&self) -> i64 {
        (self.settings.window.as_millis() as i64).max(1)
    }

    /// No more windows than one request may have.
    fn piece_millis(&self) -> i64 {
        let window = self.window_millis();
        (self.settings.piece.as_millis() as i64).clamp(window, window * (WINDOWS_MAX as i64 - 1))
    }

    fn show(&self, members: &[Member]) {
        let ledger = self.ledger.lock();
        self.metrics.hole_seconds.set(ledger.holes().millis() as f64 / 1e3);
        for member in members {
            let unchecked = ledger.unchecked_millis(&member.id) as f64 / 1e3;
            self.metrics.unchecked_seconds.with([&member.name]).set(unchecked);
        }
    }

    /// Writes the ledger down. If that fails, some time is compared again after a restart.
    fn save(&self) {
        let text = self.ledger.lock().to_text();
        let file = &self.settings.file;
        let saved = runtime::blocking(|| self.disk.write_atomically(file, text.as_bytes()));
        if let Err(error) = saved {
            warn!(file = %file.display(), %error, "write the file of repair");
        }
    }
}

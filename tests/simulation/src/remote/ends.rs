//! Both ends: a server that scrapes and sends, and one that takes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, body, extract::Request, http::StatusCode, routing::post};
use model::{Labels, MatchKind, Matcher, TimeRange, Timestamp};
use remote::{
    BODY_BYTES_MAX, Message, Receiver, ReceiverOptions,
    send::{Config, Metadata, Options, Queue, Senders},
};
use runtime::{
    Clock as _, Network as _, Runtime, Simulation, clock::SimulatedClock, disk::SimulatedDisk,
};
use storage::{Appendable as _, Columns, Queryable as _, SelectHints, SeriesRef};
use telemetry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tsdb::Database;

use super::plan::Plan;
use crate::dice;

const DATA: &str = "data";

/// Values by series and time.
pub(super) type Samples = BTreeMap<(String, i64), u64>;

/// One life of the end that sends.
pub(super) struct Sender {
    pub(super) disk: SimulatedDisk,
    pub(super) database: Database,
    senders: Senders,
    readers: wal::Readers,
    clock: Arc<SimulatedClock>,
}

impl Sender {
    /// On what is on `disk`; the network knows it as `host`.
    pub(super) async fn start(
        plan: &Plan,
        simulation: &Simulation,
        disk: SimulatedDisk,
        host: &str,
    ) -> Result<Sender, String> {
        let network = Arc::new(simulation.network.host(host));
        let runtime = Runtime { disk: Arc::new(disk.clone()), network, ..simulation.runtime() };
        let readers = wal::Readers::default();
        let options = tsdb::Options {
            // Short enough for the log to be cut within the hour.
            chunk_range: Duration::from_secs(600),
            log: wal::Options { segment_bytes: 32 << 10, ..wal::Options::default() },
            log_readers: readers.clone(),
            ..tsdb::Options::default()
        };
        let database = Database::open(&runtime, Path::new(DATA), options)
            .map_err(|error| format!("the sender does not start: {error}"))?;
        let options = Options {
            directory: PathBuf::from(DATA),
            flush_deadline: Duration::from_secs(10),
            type_and_unit_labels: false,
            user_agent: "test".to_owned(),
        };
        let registry = Registry::default();
        let metadata = Arc::new(BTreeMap::new);
        let mut senders = Senders::new(options, runtime, &registry, readers.clone(), metadata);
        let applied = senders.apply(vec![config(plan)]).await;
        applied.map_err(|error| format!("the sender does not start: {error}"))?;
        Ok(Sender { disk, database, senders, readers, clock: simulation.clock.clone() })
    }

    pub(super) fn scrape(&self, plan: &Plan) {
        let at = self.clock.now_millis();
        let mut appender = self.database.appender();
        for series in 0..plan.series {
            let name = format!("metric_{}", series % 3);
            let number = series.to_string();
            let labels = Labels::from_pairs([("__name__", &name), ("series", &number)]);
            let value = dice::hash(&[plan.seed, series, at as u64]) as f64;
            // A disk that has stopped takes nothing.
            drop(appender.append(SeriesRef::UNKNOWN, &labels, Timestamp::from_millis(at), value));
        }
        drop(appender.commit());
    }

    /// Ends it in order.
    pub(super) async fn stop(mut self) -> SimulatedDisk {
        let clock = self.clock.clone();
        let stop = self.senders.stop();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = clock.run_for(Duration::from_secs(1)) => {}
            }
        }
        self.disk.clone()
    }

    /// Whether the log is held although all of it was sent. The last segment may be new, and empty.
    pub(super) fn holds_what_was_sent(&self) -> bool {
        let end = wal::tail::end(&self.disk, &Path::new(DATA).join("wal"));
        let end = end.ok().flatten().map_or(0, |end| end.segment);
        self.readers.oldest().is_none_or(|oldest| oldest + 1 < end)
    }
}

fn config(plan: &Plan) -> Config {
    Config {
        name: "store".to_owned(),
        position_name: "store".to_owned(),
        fingerprint: 1,
        url: "http://receiver/write".parse().expect("it is a URL"),
        message: plan.message,
        timeout: Duration::from_secs(10),
        http: transport::client::Config::default(),
        write_relabel: Vec::new(),
        external_labels: Labels::from_pairs([("from", "here")]),
        send_native_histograms: true,
        send_exemplars: true,
        queue: Queue {
            batch_send_deadline: Duration::from_secs(1),
            max_samples_per_send: plan.batch,
            min_shards: plan.shards,
            capacity: plan.batch * 5,
            ..Queue::default()
        },
        metadata: Metadata { send: false, interval: Duration::from_secs(60), max_per_send: 10 },
    }
}

/// One life of the end that takes.
pub(super) struct Taker {
    pub(super) disk: SimulatedDisk,
    pub(super) database: Database,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    clock: Arc<SimulatedClock>,
}

/// What outlives the receiver.
#[derive(Default)]
pub(super) struct Door {
    /// How often it takes nothing, at this moment.
    pub(super) busy: AtomicUsize,
    pub(super) requests: AtomicUsize,
    pub(super) taken: AtomicUsize,
}

impl Taker {
    pub(super) async fn start(
        simulation: &Simulation,
        disk: SimulatedDisk,
        door: Arc<Door>,
    ) -> Result<Taker, String> {
        let runtime = Runtime { disk: Arc::new(disk.clone()), ..simulation.runtime() };
        let database = Database::open(&runtime, Path::new(DATA), tsdb::Options::default())
            .map_err(|error| format!("the receiver does not start: {error}"))?;
        let options = ReceiverOptions {
            accepted: Message::ALL.to_vec(),
            type_and_unit_labels: false,
            metadata: false,
        };
        let storage = Arc::new(database.clone());
        let receiver = Receiver::new(storage, options, &runtime, &Registry::default());
        let listener = simulation.network.host("receiver").listen(":80").await;
        let listener =
            listener.map_err(|error| format!("the receiver does not listen: {error}"))?;
        let stop = CancellationToken::new();
        let clock = simulation.clock.clone();
        let serving = tokio::spawn(transport::server::serve(
            vec![listener],
            router(Arc::new(receiver), door),
            transport::server::Limits::default(),
            clock.clone(),
            stop.clone(),
        ));
        Ok(Taker { disk, database, stop, serving, clock })
    }

    /// Ends it in order.
    pub(super) async fn stop(mut self) -> SimulatedDisk {
        self.stop.cancel();
        loop {
            tokio::select! {
                biased;
                ended = &mut self.serving => {
                    drop(ended);
                    break;
                }
                () = self.clock.run_for(Duration::from_secs(1)) => {}
            }
        }
        self.disk.clone()
    }

    /// Ends it without a word.
    pub(super) async fn kill(self) -> SimulatedDisk {
        self.serving.abort();
        drop(self.serving.await);
        self.disk.after_kill()
    }
}

fn router(receiver: Arc<Receiver>, door: Arc<Door>) -> Router {
    let take = move |request: Request| {
        let (receiver, door) = (receiver.clone(), door.clone());
        async move {
            door.requests.fetch_add(1, Relaxed);
            if door.busy.load(Relaxed) > 0 {
                return (StatusCode::SERVICE_UNAVAILABLE, Default::default(), String::new());
            }
            let content_type = request.headers().get("content-type").cloned();
            let content_type = content_type.as_ref().and_then(|text| text.to_str().ok());
            let message = receiver.message(content_type.unwrap_or_default(), "snappy");
            let body = body::to_bytes(request.into_body(), BODY_BYTES_MAX).await;
            let (Ok(message), Ok(body)) = (message, body) else {
                return (StatusCode::UNSUPPORTED_MEDIA_TYPE, Default::default(), String::new());
            };
            let outcome = receiver.write(message, &body);
            let status = StatusCode::from_u16(outcome.status).expect("receivers know HTTP");
            door.taken.fetch_add(usize::from(status.is_success()), Relaxed);
            let mut headers = axum::http::HeaderMap::new();
            if let Some(written) = outcome.written {
                headers.insert("x-prometheus-remote-write-samples-written", written.samples.into());
            }
            (status, headers, outcome.text)
        }
    };
    Router::new().route("/write", post(take))
}

/// All that a database has.
pub(super) fn samples(database: &Database) -> Result<Samples, String> {
    let querier = database.querier(TimeRange::ALL).map_err(|error| error.to_string())?;
    let any = Matcher::new(MatchKind::Regex, "__name__", ".+".to_owned());
    let any = any.map_err(|error| error.to_string())?;
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[any]);
    let mut samples = Samples::new();
    for series in set.map_err(|error| error.to_string())?.series {
        let mut columns = Columns::default();
        series.read(TimeRange::ALL, &mut columns).map_err(|error| error.to_string())?;
        // The external label is the receiver's only.
        let labels = series.labels().filter(|name| name != "from").to_string();
        for (time, value) in columns.times.iter().zip(&columns.values) {
            samples.insert((labels.clone(), *time), value.to_bits());
        }
    }
    Ok(samples)
}

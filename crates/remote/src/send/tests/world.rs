//! A log that is written, queues that read it, and a receiver that keeps what it is sent.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{Router, extract::Request, http::StatusCode, routing::post};
use model::Labels;
use parking_lot::Mutex;
use runtime::{Network as _, Runtime, Simulation, disk::SimulatedDisk};
use telemetry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wal::{
    Readers, Writer,
    record::{self, Sample, Series},
};

use crate::{
    Message, ReceiverOptions,
    send::{Config, Metadata, Options, Queue, Senders},
    tests::world::{Store, Value, receiver},
};

pub(super) struct World {
    pub(super) simulation: Simulation,
    pub(super) registry: Registry,
    pub(super) readers: Readers,
    pub(super) receiver: Arc<FakeReceiver>,
    pub(super) disk: Arc<SimulatedDisk>,
    writer: Writer,
    /// There but for moments.
    senders: Option<Senders>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Answers what it is told to; keeps what it takes.
#[derive(Default)]
pub(super) struct FakeReceiver {
    /// `labels value @time`, in the order in which it came.
    pub(super) received: Mutex<Vec<String>>,
    pub(super) n_requests: Mutex<u32>,
    /// Zero for success.
    pub(super) status: AtomicU16,
    pub(super) retry_after: Mutex<Option<&'static str>>,
    /// A request with a sample of one of these times is not taken at all.
    pub(super) refused: Mutex<BTreeSet<i64>>,
}

impl FakeReceiver {
    fn take(&self, request: &[u8], content_type: &str) -> (u16, u64) {
        *self.n_requests.lock() += 1;
        let status = self.status.load(Relaxed);
        if status != 0 {
            return (status, 0);
        }
        let store = Store::default();
        let options = ReceiverOptions {
            accepted: Message::ALL.to_vec(),
            type_and_unit_labels: false,
            metadata: false,
        };
        let receiver = receiver(&store, options);
        let message = receiver.message(content_type, "snappy").expect("it is known");
        let outcome = receiver.write(message, request);
        assert_eq!(outcome.status, 204, "{}", outcome.text);
        let contents = store.0.lock();
        let refused = self.refused.lock();
        if contents.stored.iter().any(|(_, time, _)| refused.contains(time)) {
            return (400, 0);
        }
        let mut received = self.received.lock();
        for (labels, time, value) in &contents.stored {
            received.push(match value {
                Value::Float(value) => format!("{labels} {value} @{time}"),
                Value::Histogram(_) => format!("{labels} histogram @{time}"),
            });
        }
        received.extend(contents.exemplars.iter().map(|exemplar| {
            format!(
                "exemplar {} {} @{}",
                exemplar.labels,
                exemplar.value,
                exemplar.time.as_millis()
            )
        }));
        (200, contents.stored.len() as u64)
    }

    pub(super) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.received.lock())
    }
}

fn router(fake: Arc<FakeReceiver>) -> Router {
    let take = move |request: Request| async move {
        let content_type = request.headers()["content-type"].to_str().expect("text").to_owned();
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.expect("it is short");
        let (status, n_samples) = fake.take(&body, &content_type);
        let status = StatusCode::from_u16(status).expect("it is valid");
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("x-prometheus-remote-write-samples-written", n_samples.into());
        if let Some(retry_after) = *fake.retry_after.lock() {
            headers.insert("retry-after", retry_after.parse().expect("it is valid"));
        }
        (status, headers, "as told")
    };
    Router::new().route("/write", post(take))
}

pub(super) fn config() -> Config {
    Config {
        name: "store".to_owned(),
        position_name: "store".to_owned(),
        fingerprint: 1,
        url: "http://store/write".parse().expect("it is a URL"),
        message: Message::Version1,
        timeout: Duration::from_secs(30),
        http: transport::client::Config::default(),
        write_relabel: Vec::new(),
        external_labels: Labels::empty(),
        send_native_histograms: true,
        send_exemplars: true,
        queue: Queue {
            batch_send_deadline: Duration::from_millis(200),
            max_samples_per_send: 10,
            ..Queue::default()
        },
        metadata: Metadata { send: false, interval: Duration::from_secs(60), max_per_send: 10 },
    }
}

impl World {
    pub(super) async fn new() -> World {
        let simulation = Simulation::new(1);
        let disk = simulation.disk.clone();
        World::on(simulation, disk, Arc::default()).await
    }

    /// A server whose samples others have, too; what they send arrives at the same receiver.
    pub(super) async fn with_peers(
        peers: Arc<dyn crate::send::Peers>,
        receiver: Arc<FakeReceiver>,
    ) -> World {
        let simulation = Simulation::new(1);
        let disk = simulation.disk.clone();
        let mut world = World::on(simulation, disk, receiver).await;
        world.share(peers);
        world
    }

    /// From now on others have the same samples.
    pub(super) fn share(&mut self, peers: Arc<dyn crate::send::Peers>) {
        let senders = self.senders.take().expect("it is there but for this moment");
        self.senders = Some(senders.with_peers(peers));
    }

    /// Another process on what is on the disk, after the one before was killed.
    pub(super) async fn after_kill(self) -> World {
        let disk = self.disk.after_kill();
        let receiver = self.receiver.clone();
        drop(self);
        World::on(Simulation::new(2), disk, receiver).await
    }

    /// The same after it was stopped in order.
    pub(super) async fn restarted(mut self) -> World {
        self.stop().await;
        self.after_kill().await
    }

    async fn on(simulation: Simulation, disk: SimulatedDisk, receiver: Arc<FakeReceiver>) -> World {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let listener = simulation.network.host("store").listen(":80").await.expect("it is free");
        let limits = transport::server::Limits::default();
        let (clock, ended) = (simulation.clock.clone(), stop.clone());
        let router = router(receiver.clone());
        tasks.spawn(transport::server::serve(vec![listener], router, limits, clock, ended));
        let disk = Arc::new(disk);
        let runtime = Runtime { disk: disk.clone(), ..simulation.runtime() };
        let options = wal::Options { segment_bytes: 32 << 10, ..wal::Options::default() };
        let writer =
            Writer::open(disk.clone(), Path::new("data/wal"), options).expect("the disk is good");
        let (registry, readers) = (Registry::default(), Readers::default());
        let options = Options {
            directory: PathBuf::from("data"),
            flush_deadline: Duration::from_secs(60),
            type_and_unit_labels: false,
            user_agent: "test".to_owned(),
        };
        let metadata = Arc::new(|| {
            let known = || model::Metadata { help: "helps".to_owned(), ..Default::default() };
            ["a", "b", "c"].map(|name| (name.to_owned(), known())).into()
        });
        let senders = Some(Senders::new(options, runtime, &registry, readers.clone(), metadata));
        World { simulation, registry, readers, receiver, disk, writer, senders, stop, tasks }
    }

    pub(super) async fn apply(&mut self, configs: Vec<Config>) {
        let clock = self.simulation.clock.clone();
        let (outcome, ()) =
            tokio::join!(self.senders_mut().apply(configs), clock.run_for(Duration::from_secs(90)));
        outcome.expect("good settings");
    }

    /// Appends a record of samples: number of the series, time, value.
    pub(super) fn append(&mut self, samples: &[(u64, i64, f64)]) {
        let mut encoded = Vec::new();
        let samples: Vec<Sample> = samples
            .iter()
            .map(|(series_ref, time, value)| Sample {
                series_ref: *series_ref,
                time: *time,
                value: *value,
            })
            .collect();
        record::encode_samples(&samples, &mut encoded);
        self.writer.append(&[&encoded]).expect("the disk is good");
    }

    /// Appends a record of exemplars: number of the series, time, the only label.
    pub(super) fn append_exemplars(&mut self, exemplars: &[(u64, i64, (&str, &str))]) {
        let mut encoded = Vec::new();
        let exemplars = exemplars.iter().map(|(series_ref, time, label)| record::Exemplar {
            series_ref: *series_ref,
            time: *time,
            value: 1.0,
            labels: Labels::from_pairs([*label]),
        });
        record::encode_exemplars(&exemplars.collect::<Vec<_>>(), &mut encoded);
        self.writer.append(&[&encoded]).expect("the disk is good");
    }

    pub(super) fn name(&mut self, series: &[(u64, &[(&str, &str)])]) {
        let mut encoded = Vec::new();
        let named = series.iter().map(|(series_ref, labels)| Series {
            series_ref: *series_ref,
            labels: Labels::from_pairs(labels.iter().copied()),
        });
        record::encode_series(&named.collect::<Vec<_>>(), &mut encoded);
        self.writer.append(&[&encoded]).expect("the disk is good");
    }

    fn senders_mut(&mut self) -> &mut Senders {
        self.senders.as_mut().expect("it is there but for moments")
    }

    pub(super) async fn run_for(&self, duration: Duration) {
        self.simulation.clock.run_for(duration).await;
    }

    pub(super) async fn stop(&mut self) {
        let clock = self.simulation.clock.clone();
        tokio::join!(self.senders_mut().stop(), clock.run_for(Duration::from_secs(120)));
    }

    /// The sum of a metric over its labels.
    pub(super) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name.ends_with(name));
        let metrics = family.map(|family| family.metrics.as_slice()).unwrap_or_default();
        let value = |metric: &telemetry::Metric| match metric.reading {
            telemetry::Reading::Value(value) => value,
            _ => 0.0,
        };
        metrics.iter().map(value).sum()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.abort_all();
    }
}

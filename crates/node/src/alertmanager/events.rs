//! `event_recorder`: what happens, as lines of JSON, in files and for webhooks.

mod json;
mod outputs;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use alertmanager::{
    Cluster,
    event::{Event, Recorder},
    time::Time,
};
use config::alertmanager::EventRecorder;
use runtime::{Runtime, clock::timeout};
use telemetry::{Counter, Registry, Vector};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::{info, warn};

use self::outputs::Output;

/// Events that wait to be written; more are dropped.
const QUEUE_LEN: usize = 8192;
/// What outputs have not taken by then, at the end, is lost.
const CLOSE_LIMIT: Duration = Duration::from_secs(30);

/// Keeps the record. Never waits: a task of its own writes.
pub(super) struct Events {
    queue: mpsc::Sender<Message>,
    clock: Arc<dyn runtime::Clock>,
    cluster: Arc<dyn Cluster>,
    dropped: Vector<Counter, 1>,
}

/// The task that writes.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    task: JoinHandle<()>,
    clock: Arc<dyn runtime::Clock>,
}

enum Message {
    Event { event: Box<Event>, at: Time, position: usize },
    Outputs(Vec<Output>),
    Stop,
}

struct Metrics {
    recorded: Vector<Counter, 3>,
    bytes: Vector<Counter, 2>,
    output_drops: Vector<Counter, 1>,
}

/// Starts to keep a record; it goes nowhere before [`Writer::apply`].
pub(super) fn start(
    instance: String,
    runtime: &Runtime,
    cluster: Arc<dyn Cluster>,
    registry: &Registry,
) -> (Arc<Events>, Writer) {
    let metrics = Metrics::register(registry);
    let dropped = registry.counters(
        "alertmanager_events_dropped_total",
        "The total number of events dropped due to a full queue.",
        ["event_type"],
    );
    let (queue, messages) = mpsc::channel(QUEUE_LEN);
    let length = registry.gauge(
        "alertmanager_event_recorder_queue_length",
        "Current number of events waiting in the event recorder write queue.",
    );
    let task = tokio::spawn(write(messages, instance, runtime.clone(), metrics, length));
    let clock = runtime.clock.clone();
    let writer = Writer { queue: queue.clone(), task, clock: clock.clone() };
    (Arc::new(Events { queue, clock, cluster, dropped }), writer)
}

impl Recorder for Events {
    fn record(&self, event: Event) {
        let (kind, at) = (event.kind(), Time::now(&*self.clock));
        let message =
            Message::Event { event: Box::new(event), at, position: self.cluster.position() };
        if self.queue.try_send(message).is_err() {
            self.dropped.with([kind]).increment();
        }
    }
}

impl Writer {
    /// From now on what happens goes where the configuration says. With one output that cannot be
    /// opened all stays as it is.
    pub(super) async fn apply(&self, config: &EventRecorder, runtime: &Runtime) {
        match outputs::open(config, runtime) {
            Ok(outputs) => {
                let n_outputs = outputs.len();
                // It is there for as long as this is.
                self.queue.send(Message::Outputs(outputs)).await.unwrap_or_default();
                info!(outputs = n_outputs, "Event recorder configuration loaded");
            }
            Err(error) => {
                warn!(
                    err = error,
                    "Failed to load event recorder outputs; keeping existing outputs"
                );
            }
        }
    }

    /// Writes what waits, and ends.
    pub(super) async fn stop(self) {
        self.queue.send(Message::Stop).await.unwrap_or_default();
        if timeout(&*self.clock, CLOSE_LIMIT, self.task).await.is_none() {
            warn!("Not all events were recorded in time");
        }
    }
}

/// Owns the outputs.
async fn write(
    mut messages: mpsc::Receiver<Message>,
    instance: String,
    runtime: Runtime,
    metrics: Metrics,
    length: telemetry::Gauge,
) {
    let mut outputs: Vec<Output> = Vec::new();
    while let Some(message) = messages.recv().await {
        length.set(messages.len() as f64);
        match message {
            Message::Event { event, at, position } => {
                if outputs.is_empty() {
                    continue;
                }
                let line = json::line(&event, at, &instance, position);
                for output in &mut outputs {
                    metrics.count(event.kind(), output.take(&line, &runtime), output.name(), &line);
                }
            }
            Message::Outputs(new) => {
                for old in std::mem::replace(&mut outputs, new) {
                    old.close().await;
                }
            }
            Message::Stop => break,
        }
    }
    for output in outputs {
        output.close().await;
    }
}

/// What an output did with a line.
enum Taken {
    Yes,
    /// Too many wait already.
    Dropped,
    Failed(std::io::Error),
}

impl Metrics {
    fn register(registry: &Registry) -> Metrics {
        Metrics {
            recorded: registry.counters(
                "alertmanager_events_recorded_total",
                "The total number of events recorded by the event recorder.",
                ["event_type", "output", "result"],
            ),
            bytes: registry.counters(
                "alertmanager_event_recorder_bytes_written_total",
                "The total number of bytes written to the event recorder.",
                ["event_type", "output"],
            ),
            output_drops: registry.counters(
                "alertmanager_event_output_drops_total",
                "The total number of events dropped by an output due to a full local buffer.",
                ["output"],
            ),
        }
    }

    fn count(&self, kind: &str, taken: Taken, output: &str, line: &str) {
        let result = match &taken {
            Taken::Failed(_) => "error",
            Taken::Yes | Taken::Dropped => "success",
        };
        self.recorded.with([kind, output, result]).increment();
        match taken {
            Taken::Yes => self.bytes.with([kind, output]).add(line.len() as f64),
            Taken::Dropped => self.output_drops.with([output]).increment(),
            Taken::Failed(error) => {
                tracing::error!(event_type = kind, output, err = %error, "Failed to write event");
            }
        }
    }
}

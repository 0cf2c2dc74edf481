mod merged;
mod others;
mod series;
mod shapes;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;
use grpc::{Channel, Plain, Request, Status};
use model::{Labels, Timestamp};
use proto::thanos::{RuleGroup, SeriesRequest, SeriesResponse, TargetDiscovery, series_response};
use runtime::{Network as _, Simulation};
use storage::{Columns, MemoryStorage};
use telemetry::Registry;
use tokio_util::sync::CancellationToken;

use crate::{Limits, Metadata, Metrics, Peer, Rules, Server, Settings, Sources, Targets, wire};

const ADDRESS: &str = "10.0.0.1:10901";

/// What a server of a test knows beside its series.
#[derive(Default, Clone)]
struct Known {
    groups: Vec<RuleGroup>,
    targets: TargetDiscovery,
    metadata: Vec<(String, Vec<model::Metadata>)>,
}

impl Rules for Known {
    fn groups(&self) -> Vec<RuleGroup> {
        self.groups.clone()
    }
}

impl Targets for Known {
    fn targets(&self) -> TargetDiscovery {
        self.targets.clone()
    }
}

impl Metadata for Known {
    fn metadata(&self, metric: &str) -> Vec<(String, Vec<model::Metadata>)> {
        let is_meant = |(name, _): &&(String, _)| metric.is_empty() || name == metric;
        self.metadata.iter().filter(is_meant).cloned().collect()
    }
}

/// A server, and the way to it from another host.
struct Setup {
    simulation: Simulation,
    channel: Channel,
    stop: CancellationToken,
}

/// `name{label="value"} time=value …` a line.
fn store(text: &str) -> MemoryStorage {
    let store = MemoryStorage::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let labels_end = line.find('}').map_or_else(|| line.find(' '), |end| Some(end + 1));
        let (labels, samples) = line.split_at(labels_end.unwrap_or(line.len()));
        let labels = promql_syntax::parse_metric(labels).expect("a test's labels");
        let mut columns = Columns::default();
        for sample in samples.split_whitespace() {
            let (time, value) = sample.split_once('=').expect("a sample is `time=value`");
            columns.push(time.parse().expect("a time"), value.parse().expect("a value"));
        }
        store.insert(labels, columns);
    }
    store
}

fn sources(store: &MemoryStorage, external: &str, known: &Known) -> Sources {
    let external = promql_syntax::parse_metric(external).expect("a test's labels");
    Sources {
        series: Arc::new(store.clone()),
        exemplars: Arc::new(store.clone()),
        rules: Arc::new(known.clone()),
        targets: Arc::new(known.clone()),
        metadata: Arc::new(known.clone()),
        external_labels: Arc::new(move || external.clone()),
        oldest: Arc::new(|| Some(Timestamp::from_millis(7))),
    }
}

/// From the second host to `address`.
fn channel(simulation: &Simulation, address: &str) -> Channel {
    let network = Arc::new(simulation.network.host("10.0.0.2"));
    let settings =
        grpc::Settings { connect_timeout: Duration::from_secs(1), answer_bytes_max: 16 << 20 };
    let channel =
        Channel::new(address, Arc::new(Plain(network)), simulation.clock.clone(), settings);
    channel.expect("it is an address")
}

impl Setup {
    async fn start(text: &str, external: &str) -> Setup {
        Setup::with(sources(&store(text), external, &Known::default()), Limits::default()).await
    }

    async fn with(sources: Sources, limits: Limits) -> Setup {
        let simulation = Simulation::new(1);
        let server = Server::new(sources, limits, simulation.clock.clone(), &Registry::default());
        let listener = simulation.network.host("10.0.0.1").listen(ADDRESS).await;
        let stop = CancellationToken::new();
        let (clock, told) = (simulation.clock.clone(), stop.clone());
        let router = grpc::finish(server.router());
        tokio::spawn(async move {
            let listeners = vec![listener.expect("it is free")];
            let limits = transport::server::Limits::default();
            transport::server::serve(listeners, router, limits, clock, told).await;
        });
        let channel = channel(&simulation, ADDRESS);
        Setup { simulation, channel, stop }
    }

    fn peer(&self, external: &str) -> Peer {
        self.peer_behind(self.channel.clone(), external)
    }

    fn peer_behind(&self, channel: Channel, external: &str) -> Peer {
        let external = promql_syntax::parse_metric(external).expect("a test's labels");
        let settings = Settings {
            name: "b".to_owned(),
            timeout: Duration::from_secs(10),
            external_labels: Arc::new(move || external.clone()),
        };
        let metrics = Metrics::register(&Registry::default());
        Peer::new(settings, channel, self.simulation.clock.clone(), metrics)
    }

    /// The messages of an answer, as text.
    async fn series(&self, request: SeriesRequest) -> Result<Vec<String>, Status> {
        let request = Request::new(request);
        let answer =
            self.channel.stream::<_, SeriesResponse>("/thanos.Store/Series", request).await?;
        let messages: Vec<_> = answer.into_inner().collect().await;
        messages.into_iter().map(|message| message.map(|message| show(&message))).collect()
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn show(message: &SeriesResponse) -> String {
    match &message.result {
        Some(series_response::Result::Series(series)) => show_series(series),
        Some(series_response::Result::Batch(batch)) => {
            let series: Vec<String> = batch.series.iter().map(show_series).collect();
            format!("[{}]", series.join("; "))
        }
        Some(series_response::Result::Warning(warning)) => format!("warning: {warning}"),
        None => "nothing".to_owned(),
    }
}

fn show_series(series: &proto::thanos::Series) -> String {
    let mut text = wire::read_labels(&series.labels).expect("labels make sense").to_string();
    let mut scratch = Columns::default();
    for chunk in &series.chunks {
        let read = wire::read_chunk(chunk.clone(), &mut scratch).expect("chunks make sense");
        let read = read.expect("chunks have samples");
        assert_eq!((chunk.min_time, chunk.max_time), (read.start, read.end));
        let mut columns = Columns::default();
        read.read(&mut columns).expect("it was read before");
        let samples = columns.times.iter().zip(&columns.values).map(|(t, v)| format!(" {t}={v}"));
        text.push_str(&samples.collect::<String>());
    }
    text
}

/// As a test writes them: `{a="b",c=~"d"}`.
fn matchers(text: &str) -> Vec<proto::thanos::LabelMatcher> {
    let parsed = promql_syntax::parse_metric_selector(text).expect("a test's selector");
    crate::matchers::write(&parsed)
}

fn request(selector: &str) -> SeriesRequest {
    SeriesRequest { max_time: 1_000, matchers: matchers(selector), ..SeriesRequest::default() }
}

fn names(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|label| (*label).to_owned()).collect()
}

fn labels(text: &str) -> Labels {
    promql_syntax::parse_metric(text).expect("a test's labels")
}

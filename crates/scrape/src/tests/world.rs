//! Targets in memory, a manager that scrapes them, and a clock that a test moves.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use model::{Labels, TargetGroup, TimeRange, float, names::ValidationScheme};
use parking_lot::Mutex;
use relabel::{RawRule, Rule};
use runtime::{
    Clock as _, Simulation,
    network::{Network as _, Stream},
};
use storage::{Columns, MemoryStorage, Querier as _, SelectHints};
use telemetry::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{Config, Manager, Options, TargetStatus};

/// How a target answers.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Body {
        status: &'static str,
        headers: String,
        body: Vec<u8>,
    },
    /// Takes the request and says nothing.
    Silence,
    /// Begins a body that never ends.
    Endless,
    /// Ends before its body has the length that was promised.
    Short,
}

pub(super) fn text(body: &str) -> Answer {
    typed("text/plain; version=0.0.4", body)
}

pub(super) fn typed(content_type: &str, body: impl AsRef<[u8]>) -> Answer {
    let headers = format!("Content-Type: {content_type}\r\n");
    Answer::Body { status: "200 OK", headers, body: body.as_ref().to_vec() }
}

pub(super) struct World {
    pub(super) simulation: Simulation,
    pub(super) storage: MemoryStorage,
    pub(super) manager: Manager,
    pub(super) registry: Registry,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    /// Heads of all requests, in lower case.
    pub(super) requests: Arc<Mutex<Vec<String>>>,
}

/// A job that scrapes every ten seconds.
pub(super) fn job() -> Config {
    Config {
        job_name: "job".to_owned(),
        scrape_interval: Duration::from_secs(10),
        scrape_timeout: Duration::from_secs(5),
        ..Config::default()
    }
}

impl World {
    pub(super) fn new() -> World {
        World::with_options(Options::default())
    }

    pub(super) fn with_options(options: Options) -> World {
        let simulation = Simulation::new(1);
        let (storage, registry) = (MemoryStorage::default(), Registry::default());
        let appendable = Arc::new(storage.clone());
        let manager = Manager::new(options, simulation.runtime(), appendable, &registry);
        let (answers, requests) = Default::default();
        World { simulation, storage, manager, registry, answers, requests }
    }

    /// A world whose server shares its scrapes with others.
    pub(super) fn sharing(options: Options, sharing: Arc<dyn crate::Sharing>) -> World {
        let World { manager, simulation, storage, registry, answers, requests } =
            World::with_options(options);
        let manager = manager.with_sharing(sharing);
        World { simulation, storage, manager, registry, answers, requests }
    }

    /// A world in which `job` scrapes one target at `host:80` that answers so.
    pub(super) async fn scraping(config: Config, answer: Answer) -> World {
        let world = World::new();
        world.serve("host", answer).await;
        world.apply(vec![config]);
        world.discover("job", &["host:80"]);
        world
    }

    pub(super) fn apply(&self, configs: Vec<Config>) {
        self.manager.apply(configs, &Labels::empty()).expect("the configuration is fine");
    }

    pub(super) fn discover(&self, job: &str, targets: &[&str]) {
        let targets = targets.iter().map(|t| Labels::from_pairs([("__address__", t)])).collect();
        let group = TargetGroup { targets, ..TargetGroup::default() };
        self.manager.set_targets(&BTreeMap::from([(job.to_owned(), vec![Arc::new(group)])]));
    }

    /// Listens on port 80 of `host`.
    pub(super) async fn serve(&self, host: &str, answer: Answer) {
        self.listen(host, ":80", answer).await;
    }

    /// Listens on a socket file of the host that scrapes.
    pub(super) async fn serve_socket(&self, path: &str, answer: Answer) {
        self.listen("127.0.0.1", &format!("unix:{path}"), answer).await;
    }

    async fn listen(&self, host: &str, address: &str, answer: Answer) {
        self.answer(host, answer);
        let network = self.simulation.network.host(host);
        let listener = network.listen(address).await.expect("the address is free");
        let (answers, requests) = (self.answers.clone(), self.requests.clone());
        let host = host.to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answers.lock().get(&host).cloned();
                tokio::spawn(respond(stream, answer.unwrap_or(Answer::Silence), requests.clone()));
            }
        });
    }

    /// From now on the host answers so.
    pub(super) fn answer(&self, host: &str, answer: Answer) {
        self.answers.lock().insert(host.to_owned(), answer);
    }

    pub(super) async fn run_for(&self, seconds: u64) {
        self.simulation.clock.run_for(Duration::from_secs(seconds)).await;
    }

    /// All series whose name is not one that we write ourselves, with their samples.
    pub(super) fn samples(&self) -> String {
        self.series(|name| name != "up" && !name.starts_with("scrape_"))
    }

    pub(super) fn series(&self, wanted: impl Fn(&str) -> bool) -> String {
        let hints = SelectHints::new(TimeRange::ALL);
        let set = self.storage.select(true, &hints, &[]).expect("memory does not fail");
        let mut out = String::new();
        for series in set.series {
            let labels = series.labels();
            if !wanted(labels.metric_name()) {
                continue;
            }
            let mut columns = Columns::default();
            series.read(TimeRange::ALL, &mut columns).expect("memory does not fail");
            let or_stale = |sum: f64, text: String| match float::is_stale(sum) {
                true => "stale".to_owned(),
                false => text,
            };
            let floats = columns.times.iter().zip(&columns.values);
            let floats = floats.map(|(time, value)| (*time, or_stale(*value, value.to_string())));
            let histograms = columns.histogram_times.iter().zip(&columns.histograms);
            let histograms = histograms.map(|(time, histogram)| {
                (*time, format!("h:{}", or_stale(histogram.sum, histogram.to_string())))
            });
            let mut values: Vec<(i64, String)> = floats.chain(histograms).collect();
            values.sort();
            let values: Vec<String> = values.into_iter().map(|(_, value)| value).collect();
            out.push_str(&format!("{labels} {}\n", values.join(" ")));
        }
        out
    }

    /// The times of the samples of a series, in milliseconds since the start.
    pub(super) fn times(&self, name: &str) -> Vec<i64> {
        let hints = SelectHints::new(TimeRange::ALL);
        let set = self.storage.select(true, &hints, &[]).expect("memory does not fail");
        let series = set.series.iter().find(|series| series.labels().metric_name() == name);
        let mut columns = Columns::default();
        series.expect("the series is there").read(TimeRange::ALL, &mut columns).expect("memory");
        let clock = &self.simulation.clock;
        let start = (clock.now() - clock.monotonic()).as_millis() as i64;
        columns.times.iter().map(|time| time - start).collect()
    }

    /// The last value of a series that we write ourselves.
    pub(super) fn last(&self, name: &str) -> f64 {
        let printed = self.series(|n| n == name);
        let last = printed.trim().rsplit(' ').next().unwrap_or_default();
        last.parse().unwrap_or_else(|_| panic!("{name}: {printed}"))
    }

    pub(super) fn targets(&self) -> Vec<TargetStatus> {
        self.manager.pools().into_iter().flat_map(|pool| pool.active).collect()
    }

    /// What went wrong with the only target.
    pub(super) fn last_error(&self) -> String {
        self.targets().remove(0).last_error
    }

    /// The value of a counter without labels.
    pub(super) fn counter(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name == name).expect(name);
        match family.metrics[0].reading {
            telemetry::Reading::Value(value) => value,
            _ => panic!("{name} is no counter"),
        }
    }
}

async fn respond(mut stream: Box<dyn Stream>, answer: Answer, requests: Arc<Mutex<Vec<String>>>) {
    let Ok(head) = read_head(&mut stream).await else { return };
    requests.lock().push(head);
    let is_endless = matches!(answer, Answer::Endless);
    let (head, body) = match answer {
        Answer::Silence => return std::future::pending().await,
        Answer::Endless | Answer::Short => {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n";
            (head.to_owned(), b"a 1\n".to_vec())
        }
        Answer::Body { status, headers, body } => {
            let n_bytes = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\n{headers}Content-Length: {n_bytes}\r\nConnection: close\r\n\r\n"
            );
            (head, body)
        }
    };
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await
    };
    // A client may have gone.
    sent.await.unwrap_or_default();
    if is_endless {
        std::future::pending::<()>().await;
    }
}

async fn read_head(stream: &mut Box<dyn Stream>) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).to_lowercase())
}

pub(super) fn expect(printed: &str, expected: &str) {
    let trim = |text: &str| text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n");
    assert_eq!(trim(printed), trim(expected));
}

/// Drops what has such a value in the label.
pub(super) fn drop_rule(label: &str, regex: &str) -> Rule {
    let raw = RawRule {
        source_labels: vec![label.to_owned()],
        regex: Some(regex.to_owned()),
        action: "drop".to_owned(),
        ..RawRule::default()
    };
    Rule::new(raw, ValidationScheme::Utf8).expect("the rule is fine")
}

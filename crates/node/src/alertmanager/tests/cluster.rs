//! Nodes that share what they know.

use std::sync::Arc;

use parking_lot::Mutex;
use runtime::{Network as _, Simulation};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use transport::client::{Client, Config, Limits, Request};

use super::*;
use crate::GossipOptions;

/// A node on a host of its own.
struct Node {
    task: JoinHandle<Result<()>>,
    stop: CancellationToken,
    host: String,
}

struct World {
    simulation: Simulation,
    nodes: Vec<Node>,
}

impl World {
    /// Nodes that are named in the order in which they start.
    async fn new(n_nodes: usize) -> World {
        let mut world = World { simulation: Simulation::new(1), nodes: Vec::new() };
        let disk = world.simulation.runtime().disk;
        let config = WEBHOOK.replace("hook:5001", "10.0.0.100:5001");
        disk.write_atomically(CONFIG.as_ref(), config.as_bytes()).expect("the disk is good");
        for idx in 0..n_nodes {
            world.start(idx);
            world.until_it_listens(idx).await;
        }
        world.run_for(15).await;
        world
    }

    fn start(&mut self, idx: usize) {
        let host = format!("10.0.0.{}", idx + 1);
        let network = Arc::new(self.simulation.network.host(&host));
        let runtime = Runtime { network, ..self.simulation.runtime() };
        let mut cluster = GossipOptions::new("", "0.0.0.0:9094");
        cluster.peers = vec!["10.0.0.1:9094".to_owned()];
        let options = Options {
            cluster: Some(cluster),
            storage_directory: format!("data-{idx}").into(),
            listen_addresses: vec![format!("{host}:9093")],
            ..options()
        };
        let stop = CancellationToken::new();
        let (_, reload) = mpsc::channel(1);
        let signals = Signals { stop: stop.clone(), reload };
        self.nodes.push(Node { task: tokio::spawn(run(options, runtime, signals)), stop, host });
    }

    /// The snapshots are read on another thread, which takes the time that it takes.
    async fn until_it_listens(&self, idx: usize) {
        let address = format!("{}:9093", self.nodes[idx].host);
        for _ in 0..1_000_000 {
            if self.simulation.network.connect(&address).await.is_ok() {
                return self.run_for(1).await;
            }
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        panic!("node {idx} does not start");
    }

    async fn run_for(&self, seconds: u64) {
        // Work on other threads needs moments of its own.
        for _ in 0..seconds * 10 {
            for _ in 0..20 {
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
            self.simulation.clock.run_for(Duration::from_millis(100)).await;
        }
    }

    async fn send(&self, request: Request) -> String {
        let client = Client::new(Config::default(), self.simulation.runtime()).expect("good");
        let limits = Limits { timeout: Duration::from_secs(3600), body_bytes: 1 << 20 };
        let exchange = client.send(request, &limits);
        tokio::pin!(exchange);
        let response = loop {
            tokio::select! {
                biased;
                response = &mut exchange => break response.expect("the node answers"),
                () = tokio::task::yield_now() => std::thread::yield_now(),
            }
        };
        String::from_utf8_lossy(&response.decoded(1 << 20).expect("it is whole")).into_owned()
    }

    async fn get(&self, idx: usize, path: &str) -> String {
        self.send(Request::get(self.url(idx, path))).await
    }

    async fn post(&self, idx: usize, path: &str, body: &str) -> String {
        self.send(Request::post(self.url(idx, path), "application/json", body.to_owned())).await
    }

    fn url(&self, idx: usize, path: &str) -> url::Url {
        format!("http://{}:9093{path}", self.nodes[idx].host).parse().expect("a good URL")
    }

    async fn stop(self) {
        for node in &self.nodes {
            node.stop.cancel();
        }
        for _ in 0..100 {
            self.run_for(1).await;
            if self.nodes.iter().all(|node| node.task.is_finished()) {
                break;
            }
        }
        for node in self.nodes {
            node.task.await.expect("it does not panic").expect("a clean end");
        }
    }
}

#[tokio::test]
async fn a_silence_on_one_node_is_known_to_the_others() {
    let world = World::new(3).await;
    let silence = r#"{"matchers": [{"name": "alertname", "value": "Burns", "isRegex": false}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2027-01-01T00:00:00Z",
        "createdBy": "me", "comment": "everywhere"}"#;
    world.post(1, "/api/v2/silences", silence).await;
    world.run_for(3).await;
    for idx in 0..3 {
        let silences = world.get(idx, "/api/v2/silences").await;
        assert!(silences.contains("everywhere"), "node {idx}: {silences}");
    }
    world.stop().await;
}

#[tokio::test]
async fn status_and_metrics_show_the_cluster() {
    let world = World::new(2).await;
    for idx in 0..2 {
        let status = world.get(idx, "/api/v2/status").await;
        assert!(status.contains(r#""status":"ready""#), "{status}");
        assert!(status.contains(r#""address":"10.0.0.1:9094""#), "{status}");
        assert!(status.contains(r#""address":"10.0.0.2:9094""#), "{status}");
        assert!(status.contains(r#""lagSeconds":"#), "{status}");
        let metrics = world.get(idx, "/metrics").await;
        for line in [
            "alertmanager_cluster_enabled 1".to_owned(),
            "alertmanager_cluster_members 2".to_owned(),
            "alertmanager_cluster_failed_peers 0".to_owned(),
            "alertmanager_cluster_messages_received_total{msg_type=\"full_state\"}".to_owned(),
            "alertmanager_oversized_gossip_message_sent_total{key=\"sil\"} 0".to_owned(),
            format!("alertmanager_peer_position {idx}"),
            // It has not been long since the other one was asked.
            "vesta_alertmanager_peer_lag_seconds{peer=".to_owned(),
        ] {
            assert!(metrics.contains(&line), "node {idx}: no {line}");
        }
    }
    world.stop().await;
}

#[tokio::test]
async fn an_alert_sent_to_all_nodes_is_notified_once() {
    let world = World::new(3).await;
    let notified = webhook(&world.simulation).await;
    for idx in 0..3 {
        world.post(idx, "/api/v2/alerts", ALERT).await;
    }
    // The last in line waits half a minute.
    world.run_for(50).await;
    assert_eq!(*notified.lock(), 1);
    world.stop().await;
}

/// Counts what is notified.
async fn webhook(simulation: &Simulation) -> Arc<Mutex<usize>> {
    let network = simulation.network.host("10.0.0.100");
    let listener = network.listen("10.0.0.100:5001").await.expect("the address is free");
    let heard = Arc::new(Mutex::new(0));
    let count = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 65_536];
            if stream.read(&mut buffer).await.is_ok() {
                *count.lock() += 1;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).await.unwrap_or_default();
            }
        }
    });
    heard
}

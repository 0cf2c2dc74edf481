//! Whole nodes on a simulated network.

use std::{
    collections::BTreeSet,
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use conformance::{Score, cases};
use parking_lot::Mutex;
use runtime::{BoxFuture, Runtime, Simulation, network::Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Gossip, Notice, Observer, Options, Security, State, address, advertise};

const SECOND: Duration = Duration::from_secs(1);

/// A set of lines.
#[derive(Default)]
struct Lines(Mutex<BTreeSet<String>>);

impl State for Lines {
    fn full(&self) -> Vec<u8> {
        let lines = self.0.lock();
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n").into_bytes()
    }

    fn merge(&self, bytes: &[u8]) -> Result<bool, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let mut lines = self.0.lock();
        let before = lines.len();
        lines.extend(text.lines().map(str::to_owned));
        Ok(lines.len() > before)
    }
}

/// Counts what matters here.
#[derive(Default)]
struct Counts {
    large: AtomicUsize,
    reconnected: AtomicUsize,
}

impl Observer for Counts {
    fn observe(&self, notice: &Notice<'_>) {
        match notice {
            Notice::LargeSent { .. } => self.large.fetch_add(1, Ordering::Relaxed),
            Notice::Reconnected { is_success: true } => {
                self.reconnected.fetch_add(1, Ordering::Relaxed)
            }
            _ => 0,
        };
    }
}

struct Node {
    gossip: Gossip,
    lines: Arc<Lines>,
    counts: Arc<Counts>,
}

impl Node {
    async fn start(simulation: &Simulation, idx: usize, peers: &[&str]) -> Node {
        let host = host(idx);
        let runtime =
            Runtime { network: Arc::new(simulation.network.host(&host)), ..simulation.runtime() };
        let mut options = Options::new(format!("node-{idx}"), "0.0.0.0:9094");
        options.peers = peers.iter().map(|peer| (*peer).to_owned()).collect();
        let counts = Arc::new(Counts::default());
        let gossip = Gossip::start(options, runtime, counts.clone()).await.expect("a free port");
        let lines = Arc::new(Lines::default());
        gossip.share("lines", lines.clone());
        gossip.join();
        Node { gossip, lines, counts }
    }

    fn say(&self, line: &str) {
        self.lines.0.lock().insert(line.to_owned());
        self.gossip.broadcast("lines", line.as_bytes().to_vec());
    }

    fn knows(&self, line: &str) -> bool {
        self.lines.0.lock().contains(line)
    }

    fn members(&self) -> Vec<String> {
        self.gossip.members().into_iter().map(|member| member.name).collect()
    }
}

fn host(idx: usize) -> String {
    format!("10.0.0.{}", idx + 1)
}

async fn three(simulation: &Simulation) -> Vec<Node> {
    let mut nodes = Vec::new();
    for idx in 0..3 {
        nodes.push(Node::start(simulation, idx, &["10.0.0.1:9094"]).await);
        simulation.clock.run_for(SECOND).await;
    }
    simulation.clock.run_for(5 * SECOND).await;
    nodes
}

async fn stop(simulation: &Simulation, nodes: Vec<Node>) {
    for node in nodes {
        let stopping = tokio::spawn(async move { node.gossip.stop().await });
        while !stopping.is_finished() {
            simulation.clock.run_for(SECOND).await;
        }
        stopping.await.expect("it does not panic");
    }
}

#[tokio::test]
async fn nodes_find_each_other_and_share_what_they_know() {
    let simulation = Simulation::new(1);
    let nodes = three(&simulation).await;
    for (position, node) in nodes.iter().enumerate() {
        assert_eq!(node.members(), ["node-0", "node-1", "node-2"]);
        assert_eq!(node.gossip.position(), position);
    }
    let long = "long ".repeat(1000);
    nodes[1].say("short");
    nodes[2].say(&long);
    simulation.clock.run_for(3 * SECOND).await;
    for node in &nodes {
        assert!(node.knows("short") && node.knows(&long), "{:?}", node.members());
    }
    assert_eq!(nodes[2].counts.large.load(Ordering::Relaxed), 2, "one to each of the others");
    stop(&simulation, nodes).await;
}

#[tokio::test]
async fn the_cluster_settles_at_the_fifth_look() {
    let simulation = Simulation::new(2);
    let node = Node::start(&simulation, 0, &[]).await;
    simulation.clock.run_for(Duration::from_millis(9_900)).await;
    assert!(!node.gossip.has_settled());
    simulation.clock.run_for(Duration::from_millis(200)).await;
    assert!(node.gossip.has_settled());
    stop(&simulation, vec![node]).await;
}

#[tokio::test]
async fn a_cut_is_survived_and_what_was_missed_is_told() {
    let simulation = Simulation::new(3);
    let nodes = three(&simulation).await;
    let others = [(0, 2), (1, 2)].map(|(a, b)| (host(a), host(b)));
    for (a, b) in &others {
        simulation.network.cut(a, b);
    }
    simulation.clock.run_for(60 * SECOND).await;
    assert_eq!(nodes[0].members(), ["node-0", "node-1"]);
    assert_eq!(nodes[2].members(), ["node-2"]);
    assert_eq!((nodes[0].gossip.n_lost(), nodes[2].gossip.n_lost()), (1, 2));
    nodes[0].say("meanwhile");
    for (a, b) in &others {
        simulation.network.heal(a, b);
    }
    simulation.clock.run_for(40 * SECOND).await;
    for node in &nodes {
        assert_eq!(node.members(), ["node-0", "node-1", "node-2"]);
        assert!(node.knows("meanwhile"));
        assert_eq!(node.gossip.n_lost(), 0);
    }
    assert!(nodes.iter().any(|node| node.counts.reconnected.load(Ordering::Relaxed) > 0));
    stop(&simulation, nodes).await;
}

#[tokio::test]
async fn names_are_looked_up_again() {
    let simulation = Simulation::new(4);
    let first = Node::start(&simulation, 0, &[]).await;
    // As with a set of pods whose names appear one after the other.
    simulation.network.set_addresses("peers", &[]);
    let second = Node::start(&simulation, 1, &["peers:9094"]).await;
    simulation.clock.run_for(20 * SECOND).await;
    assert_eq!(second.members(), ["node-1"]);
    let address: IpAddr = host(0).parse().expect("an address");
    simulation.network.set_addresses("peers", &[address]);
    simulation.clock.run_for(20 * SECOND).await;
    assert_eq!(second.members(), ["node-0", "node-1"]);
    assert_eq!(first.members(), ["node-0", "node-1"]);
    stop(&simulation, vec![first, second]).await;
}

#[tokio::test]
async fn a_goodbye_is_heard_at_once() {
    let simulation = Simulation::new(5);
    let mut nodes = three(&simulation).await;
    stop(&simulation, vec![nodes.remove(1)]).await;
    for node in &nodes {
        assert_eq!(node.members(), ["node-0", "node-2"]);
    }
    stop(&simulation, nodes).await;
}

#[tokio::test]
async fn other_clusters_are_not_heard() {
    let simulation = Simulation::new(6);
    let ours = Node::start(&simulation, 0, &[]).await;
    let runtime =
        Runtime { network: Arc::new(simulation.network.host(&host(1))), ..simulation.runtime() };
    let mut options = Options::new("stranger", "0.0.0.0:9094");
    options.label = "elsewhere".to_owned();
    options.peers = vec!["10.0.0.1:9094".to_owned()];
    let stranger = Gossip::start(options, runtime, Arc::new(())).await.expect("a free port");
    stranger.join();
    simulation.clock.run_for(30 * SECOND).await;
    assert_eq!(ours.members(), ["node-0"]);
    assert_eq!(stranger.members().len(), 1);
    stranger.kill().await;
    stop(&simulation, vec![ours]).await;
}

/// Greets with a word that both must know, and hides nothing.
struct Password(&'static [u8]);

impl Security for Password {
    fn connect<'a>(
        &'a self,
        _: &'a str,
        mut stream: Box<dyn Stream>,
    ) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            stream.write_all(self.0).await?;
            Ok(stream)
        })
    }

    fn accept(&self, mut stream: Box<dyn Stream>) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let mut word = vec![0; self.0.len()];
            stream.read_exact(&mut word).await?;
            if word == self.0 { Ok(stream) } else { Err(io::ErrorKind::PermissionDenied.into()) }
        })
    }
}

async fn secure_node(simulation: &Simulation, idx: usize, word: &'static [u8]) -> Node {
    let network = Arc::new(simulation.network.host(&host(idx)));
    let runtime = Runtime { network, ..simulation.runtime() };
    let mut options = Options::new(format!("node-{idx}"), "0.0.0.0:9094");
    options.peers = vec!["10.0.0.1:9094".to_owned()];
    let counts = Arc::new(Counts::default());
    let security = Arc::new(Password(word));
    let gossip = Gossip::start_secure(options, security, runtime, counts.clone()).await;
    let gossip = gossip.expect("a free port");
    let lines = Arc::new(Lines::default());
    gossip.share("lines", lines.clone());
    gossip.join();
    simulation.clock.run_for(SECOND).await;
    Node { gossip, lines, counts }
}

#[tokio::test]
async fn all_travels_on_secret_connections() {
    let simulation = Simulation::new(8);
    let mut nodes = Vec::new();
    for idx in 0..3 {
        nodes.push(secure_node(&simulation, idx, b"open sesame").await);
    }
    let stranger = secure_node(&simulation, 3, b"let me in!!").await;
    let plain = Node::start(&simulation, 4, &["10.0.0.1:9094"]).await;
    simulation.clock.run_for(5 * SECOND).await;
    let long = "long ".repeat(1000);
    nodes[1].say("short");
    nodes[2].say(&long);
    simulation.clock.run_for(5 * SECOND).await;
    for node in &nodes {
        assert_eq!(node.members(), ["node-0", "node-1", "node-2"]);
        assert!(node.knows("short") && node.knows(&long));
        assert_eq!(node.gossip.contacts().len(), 2, "both others have answered");
    }
    assert_eq!(stranger.members(), ["node-3"]);
    assert_eq!(plain.members(), ["node-4"]);
    // Who is killed is found dead, and comes back.
    nodes.remove(1).gossip.kill().await;
    simulation.clock.run_for(60 * SECOND).await;
    assert_eq!(nodes[0].members(), ["node-0", "node-2"]);
    assert_eq!(nodes[0].gossip.contacts().len(), 1);
    nodes.push(secure_node(&simulation, 1, b"open sesame").await);
    simulation.clock.run_for(30 * SECOND).await;
    for node in &nodes {
        assert_eq!(node.members(), ["node-0", "node-1", "node-2"]);
    }
    assert!(nodes[2].knows("short"));
    nodes.extend([stranger, plain]);
    stop(&simulation, nodes).await;
}

#[test]
fn addresses_are_advertised_as_upstream() {
    let Some(table) = cases("alertmanager/app/advertise_address.json") else { return };
    let mut score = Score::new("app/advertise_address.json");
    for case in &table.cases {
        // There is one look-up here: the address from which the host speaks to the world.
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let found = |key: &str| text(&case[key]["ip"]).parse::<IpAddr>().ok();
        let allows_public = case["allow_insecure_public"] == true;
        let outward = found("private_ip_lookup").or_else(|| found("public_ip_lookup"));
        let bind = text(&case["bind"]).parse().expect("an address");
        let given = text(&case["advertise"]).parse::<IpAddr>().ok();
        let address = given.or_else(|| advertise(bind, outward, allows_public));
        let expected = case.get("ip").map(text);
        let actual = address.map(|address| address.to_string());
        let outcome = if actual == expected { Ok(()) } else { Err(format!("{actual:?}")) };
        score.add(text(&case["name"]), outcome);
    }
    score.finish(&[]);
}

#[test]
fn addresses_are_split_as_go_does() {
    let check = |address: &str, expected: Option<(&str, u16)>| {
        let split = address::split(address).ok();
        assert_eq!(split, expected.map(|(host, port)| (host.to_owned(), port)), "{address}");
    };
    check("10.0.0.1:9094", Some(("10.0.0.1", 9094)));
    check(":9094", Some(("", 9094)));
    check("[::1]:9094", Some(("::1", 9094)));
    check("peers", None);
    check("::1:9094", None);
    check("peers:gossip", None);
}

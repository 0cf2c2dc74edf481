//! Which processes the demo starts, with which arguments and files. Pure.

use std::path::{Path, PathBuf};

/// Everything listens on loopback, at the first port plus these.
const SERVER_A: u16 = 0;
const SERVER_B: u16 = 1;
const SERVER_C: u16 = 2;
const ALERTMANAGER_A: u16 = 3;
const WEBHOOK: u16 = 4;
const SHOP: u16 = 5;
const ALERTMANAGER_B: u16 = 6;
const ALERTMANAGER_C: u16 = 7;
const HOST: u16 = 10;
const STORE: u16 = 12;
const SERVER_D: u16 = 13;
/// Where the Alertmanagers tell each other.
const GOSSIP_A: u16 = 8;
const GOSSIP_B: u16 = 9;
const GOSSIP_C: u16 = 11;
/// Where the servers of the pair find each other, and where they read each other.
const PAIR_A: u16 = 14;
const PAIR_B: u16 = 15;
const READ_A: u16 = 16;
const READ_B: u16 = 17;

/// One process of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    /// Also the name of its data folder and log file.
    pub(super) name: &'static str,
    /// What it is there for, in a few words.
    pub(super) purpose: &'static str,
    pub(super) args: Vec<String>,
    pub(super) address: String,
    /// Answers 200 once the process does its job.
    pub(super) ready_path: &'static str,
}

/// The servers of the pair, one of which writes.
pub(super) const PAIR: [&str; 2] = ["server-a", "server-b"];

/// The processes in the order in which they start.
pub(super) fn processes(directory: &Path, first_port: u16) -> Vec<Process> {
    let at = |offset| address(first_port, offset);
    let file = |name: &str| directory.join(name).display().to_string();
    let server = |name, config: &str, offset, purpose, more: Vec<String>| {
        let args = vec![
            "server".to_owned(),
            format!("--config.file={}", file(config)),
            format!("--storage.tsdb.path={}", file(name)),
            format!("--web.listen-address={}", at(offset)),
            format!("--web.external-url=http://{}/", at(offset)),
            "--web.enable-lifecycle".to_owned(),
        ];
        Process {
            name,
            purpose,
            args: [args, more].concat(),
            address: at(offset),
            ready_path: "/-/ready",
        }
    };
    let member = |name, offset, gossip, read, purpose| {
        let mut more = vec![
            format!("--cluster.member={name}"),
            format!("--cluster.listen-address={}", at(gossip)),
            format!("--cluster.store-address={}", at(read)),
        ];
        more.extend([PAIR_A, PAIR_B].map(|peer| format!("--cluster.peer={}", at(peer))));
        server(name, "pair.yml", offset, purpose, more)
    };
    let helper = |name, purpose, offset, ready_path| Process {
        name,
        purpose,
        args: vec![name.to_owned(), format!("--web.listen-address={}", at(offset))],
        address: at(offset),
        ready_path,
    };
    let alertmanager = |name, offset, gossip, purpose| {
        let mut args = vec![
            "alertmanager".to_owned(),
            format!("--config.file={}", file("alertmanager.yml")),
            format!("--storage.path={}", file(name)),
            format!("--web.listen-address={}", at(offset)),
            format!("--web.external-url=http://{}/", at(offset)),
            format!("--cluster.listen-address={}", at(gossip)),
            // Who stands first in line is then clear, and nobody waits long.
            format!("--cluster.peer-name={name}"),
            "--cluster.gossip-interval=100ms".to_owned(),
            "--cluster.peer-timeout=5s".to_owned(),
        ];
        let peers = [GOSSIP_A, GOSSIP_B, GOSSIP_C].into_iter().filter(|peer| *peer != gossip);
        args.extend(peers.map(|peer| format!("--cluster.peer={}", at(peer))));
        Process { name, purpose, args, address: at(offset), ready_path: "/-/ready" }
    };
    vec![
        helper("webhook", "receives the notifications", WEBHOOK, "/-/ready"),
        helper("host", "metrics of this machine", HOST, "/metrics"),
        helper("shop", "sells things; fails for a minute, every 5", SHOP, "/metrics"),
        alertmanager("alertmanager-a", ALERTMANAGER_A, GOSSIP_A, "groups alerts, tells each once"),
        alertmanager("alertmanager-b", ALERTMANAGER_B, GOSSIP_B, "tells if the first one does not"),
        alertmanager("alertmanager-c", ALERTMANAGER_C, GOSSIP_C, "tells if neither does"),
        server(
            "store",
            "store.yml",
            STORE,
            "remote storage, keeps for 5 years",
            vec![
                "--web.enable-remote-write-receiver".to_owned(),
                "--storage.tsdb.retention.time=5y".to_owned(),
            ],
        ),
        member("server-a", SERVER_A, PAIR_A, READ_A, "one of the pair: business metrics"),
        member("server-b", SERVER_B, PAIR_B, READ_B, "the other one; one of them writes"),
        server("server-d", "system.yml", SERVER_D, "another shard: system metrics", Vec::new()),
        server("server-c", "federation.yml", SERVER_C, "federates from both, persists", Vec::new()),
    ]
}

/// The configuration files with the addresses filled in, as path and content.
pub(super) fn files(directory: &Path, first_port: u16) -> Vec<(PathBuf, String)> {
    let templates = [
        ("pair.yml", include_str!("pair.yml")),
        ("system.yml", include_str!("system.yml")),
        ("federation.yml", include_str!("federation.yml")),
        ("store.yml", include_str!("store.yml")),
        ("rules.yml", include_str!("rules.yml")),
        ("shop.json", include_str!("shop.json")),
        ("alertmanager.yml", include_str!("alertmanager.yml")),
    ];
    let addresses = [
        ("@SERVER_A@", SERVER_A),
        ("@SERVER_B@", SERVER_B),
        ("@SERVER_C@", SERVER_C),
        ("@SERVER_D@", SERVER_D),
        ("@STORE@", STORE),
        ("@ALERTMANAGER_A@", ALERTMANAGER_A),
        ("@ALERTMANAGER_B@", ALERTMANAGER_B),
        ("@ALERTMANAGER_C@", ALERTMANAGER_C),
        ("@WEBHOOK@", WEBHOOK),
        ("@SHOP@", SHOP),
        ("@HOST@", HOST),
    ];
    let fill = |template: &str| {
        addresses.iter().fold(template.to_owned(), |text, (name, offset)| {
            text.replace(name, &address(first_port, *offset))
        })
    };
    templates.iter().map(|(name, text)| (directory.join(name), fill(text))).collect()
}

fn address(first_port: u16, offset: u16) -> String {
    format!("127.0.0.1:{}", first_port.saturating_add(offset))
}

//! Which processes the demo starts, with which arguments and files. Pure.

use std::path::{Path, PathBuf};

/// Everything listens on loopback, at the first port plus these.
const SERVER_A: u16 = 0;
const SERVER_B: u16 = 1;
const SERVER_C: u16 = 2;
const ALERTMANAGER: u16 = 3;
const WEBHOOK: u16 = 4;
const SHOP: u16 = 5;
const HOST: u16 = 10;

/// One process of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    /// Also the name of its data folder and log file.
    pub(super) name: &'static str,
    /// What it is there for, in a few words.
    pub(super) purpose: &'static str,
    pub(super) args: Vec<String>,
    pub(super) environment: Vec<(&'static str, &'static str)>,
    pub(super) address: String,
    /// Answers 200 once the process does its job.
    pub(super) ready_path: &'static str,
}

/// The processes in the order in which they start.
pub(super) fn processes(directory: &Path, first_port: u16) -> Vec<Process> {
    let at = |offset| address(first_port, offset);
    let file = |name: &str| directory.join(name).display().to_string();
    let server = |name, replica, config: &str, offset, purpose| Process {
        name,
        purpose,
        args: vec![
            "server".to_owned(),
            format!("--config.file={}", file(config)),
            format!("--storage.tsdb.path={}", file(name)),
            format!("--web.listen-address={}", at(offset)),
            format!("--web.external-url=http://{}/", at(offset)),
            "--web.enable-lifecycle".to_owned(),
        ],
        environment: vec![("REPLICA", replica)],
        address: at(offset),
        ready_path: "/-/ready",
    };
    let helper = |name, purpose, offset, ready_path| Process {
        name,
        purpose,
        args: vec![name.to_owned(), format!("--web.listen-address={}", at(offset))],
        environment: Vec::new(),
        address: at(offset),
        ready_path,
    };
    let alertmanager = Process {
        name: "alertmanager",
        purpose: "groups alerts, tells each once",
        args: vec![
            "alertmanager".to_owned(),
            format!("--config.file={}", file("alertmanager.yml")),
            format!("--storage.path={}", file("alertmanager")),
            format!("--web.listen-address={}", at(ALERTMANAGER)),
            format!("--web.external-url=http://{}/", at(ALERTMANAGER)),
            "--cluster.listen-address=".to_owned(),
        ],
        environment: Vec::new(),
        address: at(ALERTMANAGER),
        ready_path: "/-/ready",
    };
    vec![
        helper("webhook", "receives the notifications", WEBHOOK, "/-/ready"),
        helper("host", "metrics of this machine", HOST, "/metrics"),
        helper("shop", "sells things; fails for a minute, every 5", SHOP, "/metrics"),
        alertmanager,
        server("server-a", "a", "pair.yml", SERVER_A, "one of the identical pair"),
        server("server-b", "b", "pair.yml", SERVER_B, "the other one"),
        server("server-c", "c", "federation.yml", SERVER_C, "federates from both"),
    ]
}

/// The configuration files with the addresses filled in, as path and content.
pub(super) fn files(directory: &Path, first_port: u16) -> Vec<(PathBuf, String)> {
    let templates = [
        ("pair.yml", include_str!("pair.yml")),
        ("federation.yml", include_str!("federation.yml")),
        ("rules.yml", include_str!("rules.yml")),
        ("shop.json", include_str!("shop.json")),
        ("alertmanager.yml", include_str!("alertmanager.yml")),
    ];
    let addresses = [
        ("@SERVER_A@", SERVER_A),
        ("@SERVER_B@", SERVER_B),
        ("@SERVER_C@", SERVER_C),
        ("@ALERTMANAGER@", ALERTMANAGER),
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

//! Alertmanagers of both kinds in one cluster.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use acceptance::{Process, free_port, get, post, program, vesta, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{
    authority::Authority,
    bed::{Bed, Running},
};

const UPSTREAM: &str = "prometheus-alertmanager";
/// So that a test takes seconds: upstream's defaults are five to ten times as long.
const FLAGS: [&str; 7] = [
    "--cluster.settle-timeout=0s",
    "--cluster.gossip-interval=100ms",
    "--cluster.probe-interval=500ms",
    "--cluster.probe-timeout=250ms",
    "--cluster.pushpull-interval=5s",
    "--cluster.reconnect-interval=1s",
    "--cluster.peer-timeout=2s",
];
const SOON: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Theirs,
}
use Kind::{Ours, Theirs};

struct Node {
    kind: Kind,
    web_port: u16,
    cluster_port: u16,
    flags: Vec<String>,
    process: Process,
}

/// Some nodes that know each other, and where they notify.
struct Cluster {
    bed: Bed,
    webhook: Running,
    nodes: Vec<Node>,
}

impl Cluster {
    /// Nothing, said aloud, if upstream's program is not there.
    fn start(kinds: &[Kind]) -> Option<Cluster> {
        Cluster::start_with(kinds, Bed::new(), |_| Vec::new())
    }

    /// The same with more flags for each node.
    fn start_with(
        kinds: &[Kind],
        bed: Bed,
        flags: impl Fn(usize) -> Vec<String>,
    ) -> Option<Cluster> {
        if program(UPSTREAM).is_none() {
            acceptance::skip("a mixed cluster", UPSTREAM);
            return None;
        }
        let webhook = bed.webhook();
        bed.write(
            "alertmanager.yml",
            &format!(
                "route: {{receiver: hook, group_by: [alertname], group_wait: 1s}}\n\
                 receivers: [{{name: hook, webhook_configs: \
                 [{{url: \"http://127.0.0.1:{}/\"}}]}}]\n",
                webhook.port
            ),
        );
        let ports: Vec<(u16, u16)> = kinds.iter().map(|_| (free_port(), free_port())).collect();
        let mut nodes: Vec<Node> = Vec::new();
        for (idx, kind) in kinds.iter().enumerate() {
            let (web_port, cluster_port) = ports[idx];
            // Each knows those that were there before it, as when a cluster grows.
            let peers: Vec<u16> = ports[..idx].iter().map(|(_, port)| *port).collect();
            let flags = flags(idx);
            let process = start(&bed, idx, *kind, web_port, cluster_port, &peers, &flags);
            nodes.push(Node { kind: *kind, web_port, cluster_port, flags, process });
        }
        Some(Cluster { bed, webhook, nodes })
    }

    /// Starts a node again that has ended, with the same addresses and files.
    fn restart(&mut self, idx: usize) {
        let peers: Vec<u16> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != idx)
            .map(|(_, node)| node.cluster_port)
            .collect();
        let node = &self.nodes[idx];
        let (web_port, cluster_port) = (node.web_port, node.cluster_port);
        self.nodes[idx].process =
            start(&self.bed, idx, node.kind, web_port, cluster_port, &peers, &node.flags);
    }

    /// Waits until the nodes at `expected` name each other and nobody else.
    fn expect_members(&self, expected: &[usize], when: &str) {
        let mut addresses: Vec<String> =
            expected.iter().map(|idx| address(self.nodes[*idx].cluster_port)).collect();
        addresses.sort();
        for idx in expected {
            let node = &self.nodes[*idx];
            wait_for(&format!("{when}: what node {idx} ({:?}) knows", node.kind), SOON, || {
                (members(node.web_port)? == addresses).then_some(())
            });
        }
        let names: BTreeSet<String> =
            expected.iter().filter_map(|idx| names(self.nodes[*idx].web_port)).collect();
        assert_eq!(names.len(), 1, "{when}: the names differ: {names:?}");
    }

    /// Makes a silence on one node and waits until the nodes at `others` know it; gives its id.
    fn expect_silence_to_travel(&self, from: usize, others: &[usize], comment: &str) -> String {
        let body = json!({
            "matchers": [{"name": "nobody", "value": "x", "isRegex": false}],
            "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
            "createdBy": "test", "comment": comment,
        });
        let port = self.nodes[from].web_port;
        let answer = post(port, "/api/v2/silences", "application/json", &body.to_string());
        let answer = answer.expect("the node answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let id = answer.json()["silenceID"].as_str().expect("an id").to_owned();
        for idx in others {
            self.expect_silence(*idx, &id);
        }
        id
    }

    fn expect_silence(&self, idx: usize, id: &str) {
        let node = &self.nodes[idx];
        wait_for(&format!("silence {id} on node {idx} ({:?})", node.kind), SOON, || {
            let answer = get(node.web_port, &format!("/api/v2/silence/{id}"))?;
            (answer.status == 200).then_some(())
        });
    }

    fn send_alert_to_all(&self, name: &str) {
        let body = json!([{"labels": {"alertname": name}}]).to_string();
        for node in &self.nodes {
            let answer = post(node.web_port, "/api/v2/alerts", "application/json", &body);
            assert_eq!(answer.expect("the node answers").status, 200);
        }
    }

    fn n_notifications(&self, name: &str) -> usize {
        self.webhook.process.output().lines().filter(|line| line.contains(name)).count()
    }
}

fn start(
    bed: &Bed,
    idx: usize,
    kind: Kind,
    web_port: u16,
    cluster_port: u16,
    peers: &[u16],
    flags: &[String],
) -> Process {
    let program: PathBuf = match kind {
        Ours => vesta(),
        Theirs => program(UPSTREAM).expect("it was there a moment ago"),
    };
    let mut args: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    if kind == Ours {
        args.insert(0, "alertmanager".to_owned());
    }
    args.push("--config.file=alertmanager.yml".to_owned());
    args.push(format!("--storage.path=data-{idx}"));
    args.push(format!("--web.listen-address=127.0.0.1:{web_port}"));
    args.push(format!("--cluster.listen-address={}", address(cluster_port)));
    args.extend_from_slice(flags);
    args.extend(peers.iter().map(|port| format!("--cluster.peer={}", address(*port))));
    let mut process = Process::start(&program, bed.path(), &format!("node-{idx}"), &args);
    process.wait_until_ready(web_port, "/-/ready");
    process
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The addresses that a node names, sorted.
fn members(web_port: u16) -> Option<Vec<String>> {
    let status = get(web_port, "/api/v2/status")?.json();
    let peers = status["cluster"]["peers"].as_array()?;
    let address = |peer: &serde_json::Value| Some(peer["address"].as_str()?.to_owned());
    let mut addresses: Vec<String> = peers.iter().filter_map(address).collect();
    addresses.sort();
    Some(addresses)
}

/// Names and addresses, as a node lists them.
fn names(web_port: u16) -> Option<String> {
    let status = get(web_port, "/api/v2/status")?.json();
    let peers = status["cluster"]["peers"].as_array()?;
    let line = |peer: &serde_json::Value| format!("{} at {}\n", peer["name"], peer["address"]);
    Some(peers.iter().map(line).collect())
}

fn agree(kinds: [Kind; 3]) {
    if let Some(cluster) = Cluster::start(&kinds) {
        expect_agreement(&cluster);
    }
}

fn expect_agreement(cluster: &Cluster) {
    let all = [0, 1, 2];
    let kinds: Vec<Kind> = cluster.nodes.iter().map(|node| node.kind).collect();
    cluster.expect_members(&all, "after the start");
    for from in all {
        cluster.expect_silence_to_travel(from, &all, "in a packet");
        // On a stream to each node.
        cluster.expect_silence_to_travel(from, &all, &"in a stream ".repeat(100));
    }
    cluster.send_alert_to_all("OnceOnly");
    wait_for("the notification", SOON, || (cluster.n_notifications("OnceOnly") > 0).then_some(()));
    // The last in line waits for two others, two seconds each.
    let until = Instant::now() + Duration::from_secs(6);
    while Instant::now() < until {
        assert_eq!(cluster.n_notifications("OnceOnly"), 1, "{kinds:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn two_of_theirs_and_one_of_ours_agree() {
    agree([Theirs, Ours, Theirs]);
}

#[test]
fn one_of_theirs_and_two_of_ours_agree() {
    agree([Ours, Theirs, Ours]);
}

#[test]
fn ours_may_start_first_among_theirs() {
    agree([Ours, Theirs, Theirs]);
}

#[test]
fn ours_may_start_last_among_theirs() {
    agree([Theirs, Theirs, Ours]);
}

#[test]
fn one_of_theirs_may_start_first() {
    agree([Theirs, Ours, Ours]);
}

#[test]
fn one_of_theirs_may_start_last() {
    agree([Ours, Ours, Theirs]);
}

#[test]
fn ours_alone_agree() {
    agree([Ours, Ours, Ours]);
}

/// Kills one node, which misses a silence, and lets it come back; then another one leaves.
fn survive(kinds: [Kind; 3], killed: usize, leaver: usize) {
    let Some(mut cluster) = Cluster::start(&kinds) else { return };
    let all = [0, 1, 2];
    let without = |gone: usize| all.into_iter().filter(|idx| *idx != gone).collect::<Vec<_>>();
    cluster.expect_members(&all, "after the start");
    cluster.nodes[killed].process.kill();
    let others = without(killed);
    cluster.expect_members(&others, "after a death");
    let missed = cluster.expect_silence_to_travel(others[0], &others, "while one is dead");
    cluster.restart(killed);
    cluster.expect_members(&all, "after the return");
    cluster.expect_silence(killed, &missed);
    cluster.expect_silence_to_travel(killed, &all, "after the return");

    let leaving = Instant::now();
    let id = Pid::from_raw(cluster.nodes[leaver].process.id() as i32).expect("it has an id");
    kill_process(id, Signal::TERM).expect("it runs");
    cluster.expect_members(&without(leaver), "after a goodbye");
    let took = leaving.elapsed();
    assert!(took < Duration::from_secs(3), "the goodbye was heard only after {took:?}");
    let status = cluster.nodes[leaver].process.wait(SOON).expect("it ends");
    assert!(status.success(), "{status}");
}

#[test]
fn one_of_ours_dies_among_theirs_and_one_of_theirs_leaves() {
    survive([Theirs, Ours, Theirs], 1, 2);
}

#[test]
fn one_of_theirs_dies_among_ours_and_one_of_ours_leaves() {
    survive([Ours, Theirs, Ours], 1, 0);
}

#[test]
fn a_label_keeps_clusters_apart() {
    let label = |idx: usize| vec![format!("--cluster.label={}", ["one", "one", "other"][idx])];
    let Some(cluster) = Cluster::start_with(&[Ours, Ours, Ours], Bed::new(), label) else { return };
    cluster.expect_members(&[0, 1], "those of one label");
    cluster.expect_members(&[2], "the one of another label");
    cluster.expect_silence_to_travel(0, &[1], "in one of two clusters");
    let alone = get(cluster.nodes[2].web_port, "/api/v2/silences").expect("it answers");
    assert_eq!(alone.body.trim(), "[]");
}

/// An authority, a certificate of it for all nodes, and the file that says so.
pub(crate) fn write_tls(bed: &Bed) -> Vec<String> {
    let authority = Authority::new();
    let (certificate, key) = authority.certificate();
    bed.write("ca.pem", &authority.pem());
    bed.write("node.pem", &certificate);
    bed.write("node.key", &key);
    bed.write(
        "gossip.yml",
        "tls_server_config: {cert_file: node.pem, key_file: node.key, client_ca_file: ca.pem, \
         client_auth_type: RequireAndVerifyClientCert}\n\
         tls_client_config: {cert_file: node.pem, key_file: node.key, ca_file: ca.pem}\n",
    );
    vec!["--cluster.tls-config=gossip.yml".to_owned()]
}

fn agree_over_tls(kinds: [Kind; 3]) {
    let bed = Bed::new();
    let flags = write_tls(&bed);
    let Some(mut cluster) = Cluster::start_with(&kinds, bed, |_| flags.clone()) else { return };
    expect_agreement(&cluster);
    cluster.nodes[1].process.kill();
    cluster.expect_members(&[0, 2], "after a death");
    cluster.restart(1);
    cluster.expect_members(&[0, 1, 2], "after the return");
    for node in cluster.nodes.iter().filter(|node| node.kind == Ours) {
        let names = ["packet_bytes_sent", "packet_bytes_received", "stream_connections_sent"];
        let zeros = names.map(|name| format!("alertmanager_tls_transport_{name}_total 0\n"));
        wait_for("packets and streams over TLS", SOON, || {
            let metrics = get(node.web_port, "/metrics")?.body;
            zeros.iter().all(|zero| !metrics.contains(zero)).then_some(())
        });
    }
}

#[test]
fn ours_gossip_over_tls() {
    agree_over_tls([Ours, Ours, Ours]);
}

#[test]
fn ours_and_theirs_gossip_over_tls() {
    agree_over_tls([Theirs, Ours, Theirs]);
}

#[test]
fn who_has_no_certificate_is_not_let_in() {
    let bed = Bed::new();
    let tls = write_tls(&bed);
    let flags = |idx: usize| if idx < 2 { tls.clone() } else { Vec::new() };
    let Some(cluster) = Cluster::start_with(&[Ours, Ours, Ours], bed, flags) else { return };
    cluster.expect_members(&[0, 1], "those with certificates");
    cluster.expect_members(&[2], "the one without");
}

use std::path::Path;

use super::{Addresses, Alertmanager, Member, Setup, files, parts};
use crate::options::{Remote, Topology};

fn setup(topology: Topology, flags: &[&str]) -> Setup {
    Setup {
        topology,
        remote: Remote::Vesta,
        n_alertmanagers: 1,
        vesta: "vesta".into(),
        prometheus: Some("prometheus".into()),
        victoria_metrics: None,
        server_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        can_name_hosts: false,
    }
}

fn addresses(n: u16) -> Addresses {
    let member = |index: u16| Member {
        web: format!("127.0.0.1:{}", 100 + index),
        gossip: format!("127.77.0.{}:{}", 1 + index, 200 + index),
        gossip_known: format!("127.77.1.{}:{}", 1 + index, 200 + index),
        store: format!("127.77.0.{}:{}", 1 + index, 300 + index),
        store_known: format!("127.77.1.{}:{}", 1 + index, 300 + index),
    };
    Addresses {
        members: (0..n).map(member).collect(),
        remote: "127.0.0.1:400".to_owned(),
        remote_known: "127.0.0.1:401".to_owned(),
        alertmanagers: vec![Alertmanager { web: "127.0.0.1:402".into(), gossip: String::new() }],
        webhook: "127.0.0.1:404".to_owned(),
        targets: vec!["127.0.0.1:405".to_owned()],
    }
}

/// The arguments of the last part, a member.
fn last_args(setup: &Setup) -> Vec<String> {
    let addresses = addresses(setup.n_members() as u16);
    let parts = parts(setup, Path::new("x"), &addresses).unwrap();
    parts.last().unwrap().args.clone()
}

#[test]
fn members_know_each_other_only_through_proxies() {
    let args = last_args(&setup(Topology::Three, &["cluster.listen-address"]));
    for expected in [
        "--cluster.listen-address=127.77.0.3:202",
        "--cluster.advertise-address=127.77.1.3:202",
        "--cluster.store-address=127.77.0.3:302",
        "--cluster.peer=127.77.1.1:200",
        "--cluster.peer=127.77.1.2:201",
        "--cluster.replication-factor=2",
    ] {
        assert!(args.iter().any(|arg| arg == expected), "{expected} in {args:?}");
    }
}

#[test]
fn servers_without_a_cluster_are_a_plain_pair() {
    let args = last_args(&setup(Topology::Pair, &[]));
    assert!(!args.iter().any(|arg| arg.contains("cluster")), "{args:?}");
}

#[test]
fn the_remote_end_is_reached_through_its_proxy() {
    let files = files(&setup(Topology::Pair, &[]), &addresses(2));
    let (_, text) = files.iter().find(|(name, _)| *name == "prometheus.yml").unwrap();
    assert!(text.contains("url: http://127.0.0.1:401/api/v1/write"), "{text}");
    assert!(!text.contains("127.0.0.1:400"), "{text}");
}

#[test]
fn a_program_that_is_missing_is_named() {
    let setup = Setup { remote: Remote::VictoriaMetrics, ..setup(Topology::Pair, &[]) };
    let error = parts(&setup, Path::new("x"), &addresses(2)).unwrap_err();
    assert!(error.to_string().contains("no victoria-metrics"), "{error}");
}

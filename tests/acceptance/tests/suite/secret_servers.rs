//! Servers that act as one, and say nothing to each other in the clear: `--cluster.tls-config`.

use std::time::Duration;

use acceptance::{free_port, get, query_result, vesta, wait_for};

use crate::{
    bed::{Bed, Running, scrape_config},
    cluster::write_tls,
};

const SOON: Duration = Duration::from_secs(30);

/// Where a member is found.
#[derive(Clone, Copy)]
struct Ports {
    web: u16,
    gossip: u16,
    store: u16,
}

impl Ports {
    fn free() -> Ports {
        Ports { web: free_port(), gossip: free_port(), store: free_port() }
    }
}

/// A server among `all`, with more flags.
fn start(
    bed: &Bed,
    config: &str,
    name: &str,
    own: Ports,
    all: &[Ports],
    more: &[String],
) -> Running {
    let mut flags = vec![
        format!("--cluster.member={name}"),
        format!("--cluster.listen-address=127.0.0.1:{}", own.gossip),
        format!("--cluster.store-address=127.0.0.1:{}", own.store),
    ];
    flags.extend(all.iter().map(|peer| format!("--cluster.peer=127.0.0.1:{}", peer.gossip)));
    flags.extend_from_slice(more);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    bed.server_with(&vesta(), &["server"], name, config, own.web, &flags)
}

/// The names of the members that are live to the one at `port`.
fn live(port: u16) -> Option<Vec<String>> {
    let status = get(port, "/api/v1/status/cluster")?.json();
    let members = status["data"]["members"].as_array()?;
    let is_there = |member: &&serde_json::Value| {
        member["isLive"].as_bool() == Some(true) || member["isSelf"].as_bool() == Some(true)
    };
    let names = members.iter().filter(is_there).filter_map(|member| member["name"].as_str());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort();
    Some(names)
}

fn expect_live(port: u16, expected: &[&str]) {
    wait_for(&format!("{expected:?} on {port}"), SOON, || (live(port)? == expected).then_some(()));
}

/// How many samples the server at `port` has up to `time`, seconds since the epoch.
fn count(port: u16, time: &str) -> Option<String> {
    let path = format!("/api/v1/query?query=sum(count_over_time(up%5B1m%5D))&time={time}");
    let answer = get(port, &path).filter(|answer| answer.status == 200)?.json();
    Some(answer["data"]["result"][0]["value"][1].as_str()?.to_owned())
}

#[test]
fn members_share_scrapes_and_fill_gaps_over_tls_and_let_nobody_else_in() {
    let bed = Bed::new();
    let tls = write_tls(&bed);
    let host = bed.host();
    let config = scrape_config("host", &[host.port]);
    let [a, b, stranger] = [Ports::free(), Ports::free(), Ports::free()];
    let pair = [a, b];
    let _a = start(&bed, &config, "member-a", a, &pair, &tls);
    let mut second = start(&bed, &config, "member-b", b, &pair, &tls);
    for port in [a.web, b.web] {
        expect_live(port, &["member-a", "member-b"]);
    }
    // One asks, the other one takes what it got: so the link between them works.
    wait_for("scrapes that are shared", SOON, || {
        let counted = |port| get(port, "/metrics").map(|answer| answer.body);
        let pages = [counted(a.web)?, counted(b.web)?].concat();
        let taken = |line: &str| {
            line.strip_prefix("vesta_cluster_scrapes_total{by=\"taken\"} ")?.parse::<f64>().ok()
        };
        pages.lines().filter_map(taken).any(|count| count >= 3.0).then_some(())
    });

    // Whoever shows no certificate stays alone.
    let mut all = pair.to_vec();
    all.push(stranger);
    let _stranger = start(&bed, &config, "stranger", stranger, &all, &[]);
    assert_eq!(live(stranger.web).expect("it answers"), ["stranger"]);
    assert_eq!(live(a.web).expect("it answers"), ["member-a", "member-b"]);

    // One that comes back with nothing answers with what the other one has.
    let now = query_result(a.web, "time()");
    let time =
        now[0].as_f64().or_else(|| now[0]["value"][0].as_f64()).expect("a scalar has a time");
    let time = format!("{}", time.floor() - 3.0);
    let before = wait_for("samples", SOON, || count(a.web, &time));
    second.process.kill();
    std::fs::remove_dir_all(bed.path().join("member-b-data")).expect("it has data");
    let _b = start(&bed, &config, "member-b", b, &pair, &tls);
    assert_eq!(count(b.web, &time).as_deref(), Some(before.as_str()));
}

use std::{sync::Arc, time::Duration};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Network as _, SimulatedNetwork};
use crate::{Clock as _, clock::SimulatedClock};

const SECOND: Duration = Duration::from_secs(1);

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed").block_on(future);
}

/// Answers each connection with what it said, in capitals, once it has said all.
async fn shout(network: SimulatedNetwork, address: &'static str) {
    let listener = network.listen(address).await.expect("the address is free");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut said = String::new();
            stream.read_to_string(&mut said).await.expect("it is text");
            stream.write_all(said.to_uppercase().as_bytes()).await.expect("somebody listens");
        }
    });
}

async fn ask(network: SimulatedNetwork, address: &str, text: &str) -> std::io::Result<String> {
    let mut stream = network.connect(address).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[test]
fn hosts_talk_to_each_other() {
    block_on(async {
        let network = SimulatedNetwork::default();
        shout(network.host("b"), ":80").await;
        assert_eq!(ask(network.host("a"), "b:80", "hello").await.expect("b listens"), "HELLO");
        let error = ask(network.host("a"), "b:81", "hello").await.expect_err("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        let long = "x".repeat(300_000);
        let answer = ask(network.host("a"), "b:80", &long);
        assert_eq!(answer.await.expect("b listens").len(), long.len());
    });
}

#[test]
fn an_address_is_listened_on_once() {
    block_on(async {
        let network = SimulatedNetwork::default();
        let first = network.listen("localhost:80").await.expect("it is free");
        let error = network.listen("127.0.0.1:80").await.err().expect("it is taken");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
        drop(first);
        assert!(network.listen(":80").await.is_ok());
        let picked = network.listen(":0").await.expect("there is a free port");
        assert_ne!(picked.local_address().expect("it is known").port(), 0);
    });
}

#[test]
fn a_cut_link_waits_until_it_heals() {
    block_on(async {
        let network = SimulatedNetwork::default();
        shout(network.host("b"), ":80").await;
        network.cut("a", "b");
        let asked = tokio::spawn({
            let a = network.host("a");
            async move { ask(a, "b:80", "hello").await }
        });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!asked.is_finished());
        assert_eq!(ask(network.host("c"), "b:80", "hi").await.expect("c reaches b"), "HI");
        network.heal("b", "a");
        assert_eq!(asked.await.expect("no panic").expect("a reaches b"), "HELLO");
    });
}

#[test]
fn bytes_take_as_long_as_the_latency() {
    block_on(async {
        let clock = Arc::new(SimulatedClock::default());
        let network = SimulatedNetwork::new(clock.clone());
        network.set_latency(SECOND);
        shout(network.clone(), ":80").await;
        let asked = tokio::spawn({
            let (network, clock) = (network.clone(), clock.clone());
            async move {
                let answer = ask(network, ":80", "hello").await.expect("it is reached");
                (answer, clock.monotonic())
            }
        });
        clock.run_for(SECOND * 10).await;
        assert_eq!(asked.await.expect("no panic"), ("HELLO".to_owned(), SECOND * 2));
    });
}

#[test]
fn datagrams_arrive_or_are_lost() {
    block_on(async {
        let network = SimulatedNetwork::default();
        let (a, b) = (network.host("10.0.0.1"), network.host("10.0.0.2"));
        let ours = a.bind("0.0.0.0:7000").await.expect("the port is free");
        let theirs = b.bind("10.0.0.2:7000").await.expect("the port is free");
        assert!(b.bind(":7000").await.is_err(), "the port is taken");
        let to = theirs.local_address().expect("it is bound");
        network.cut("10.0.0.1", "10.0.0.2");
        ours.send(b"lost", to).await.expect("nobody can tell");
        network.heal("10.0.0.1", "10.0.0.2");
        ours.send(b"hello", to).await.expect("it can be sent");
        let mut buffer = [0; 3];
        let (len, from) = theirs.receive(&mut buffer).await.expect("it has come");
        assert_eq!((&buffer[..len], from), (&b"hel"[..], ours.local_address().expect("bound")));
    });
}

#[test]
fn names_lead_to_addresses() {
    block_on(async {
        let network = SimulatedNetwork::default();
        assert!(network.resolve("peers").await.is_err());
        let address = "10.0.0.7".parse().expect("an address");
        network.set_addresses("peers", &[address]);
        assert_eq!(network.resolve("peers").await.expect("it is known"), [address]);
        assert_eq!(network.resolve("10.0.0.7").await.expect("its own name"), [address]);
    });
}

#[cfg(unix)]
#[test]
fn sockets_are_handed_over_to_who_is_meant() {
    let check = |process: &str, count: &str, expected: &[&str]| {
        let variable = |name: &str| match name {
            "LISTEN_PID" => Some(process.to_owned()),
            _ => Some(count.to_owned()),
        };
        assert_eq!(super::inherited::addresses(variable, 17), expected, "{process} {count}");
    };
    check("17", "2", &["fd:3", "fd:4"]);
    check("17", "0", &[]);
    check("17", "many", &[]);
    check("18", "2", &[]);
    check("", "2", &[]);
    block_on(async {
        let network = super::RealNetwork;
        // This process was not meant.
        let error = network.listen("fd:3").await.err().expect("nothing was handed over");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    });
}

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use runtime::{Network as _, Simulation};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Limits, serve};

const LIMITS: Limits = Limits {
    connections: 2,
    read_timeout: Duration::from_secs(5),
    drain_timeout: Duration::from_secs(10),
};

/// A server whose `/slow` answers once it is told to.
struct Setup {
    simulation: Simulation,
    go_on: Arc<Notify>,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl Setup {
    async fn start() -> Setup {
        let simulation = Simulation::new(1);
        let listener = simulation.network.listen(":80").await.expect("it is free");
        let go_on = Arc::new(Notify::new());
        let told = go_on.clone();
        let slow = get(async move || {
            told.notified().await;
            "slow"
        });
        let echo = post(async |body: String| body);
        let router =
            Router::new().route("/", get("quick")).route("/slow", slow).route("/echo", echo);
        let stop = CancellationToken::new();
        let clock = simulation.clock.clone();
        let server = tokio::spawn(serve(vec![listener], router, LIMITS, clock, stop.clone()));
        Setup { simulation, go_on, stop, server }
    }

    /// Sends `bytes` on a new connection; gives all that comes back, which ends when the server
    /// closes it.
    fn say(&self, bytes: impl Into<String>) -> JoinHandle<String> {
        let bytes = bytes.into();
        let network = self.simulation.network.clone();
        tokio::spawn(async move {
            let mut stream = network.connect(":80").await.expect("it listens");
            stream.write_all(bytes.as_bytes()).await.expect("it reads");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("it is text");
            answer
        })
    }

    async fn wait(&self, seconds: u64) {
        self.simulation.clock.run_for(Duration::from_secs(seconds)).await;
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().expect("no I/O needed").block_on(test);
}

#[test]
fn a_stop_lets_requests_end_and_closes_idle_connections() {
    block_on(async {
        let setup = Setup::start().await;
        let slow = setup.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
        let idle = setup.say("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        setup.wait(1).await;
        setup.stop.cancel();
        assert!(idle.await.expect("no panic").ends_with("quick"));
        setup.wait(1).await;
        assert!(!setup.server.is_finished());
        setup.go_on.notify_one();
        assert!(slow.await.expect("no panic").ends_with("slow"));
        setup.server.await.expect("no panic");
    });
}

#[test]
fn a_stop_does_not_wait_for_ever() {
    block_on(async {
        let setup = Setup::start().await;
        let slow = setup.say("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n");
        setup.wait(1).await;
        setup.stop.cancel();
        setup.wait(10).await;
        assert_eq!(slow.await.expect("no panic"), "");
        setup.server.await.expect("no panic");
    });
}

#[test]
fn who_does_not_finish_its_head_is_cut_off() {
    block_on(async {
        let setup = Setup::start().await;
        let silent = setup.say("GET / HTTP/1.1\r\n");
        setup.wait(4).await;
        assert!(!silent.is_finished());
        setup.wait(2).await;
        assert!(silent.is_finished());
    });
}

#[test]
fn who_does_not_finish_its_body_is_cut_off() {
    block_on(async {
        let setup = Setup::start().await;
        let head =
            "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\n";
        let whole = setup.say(head.to_owned() + "abc");
        setup.wait(1).await;
        assert!(whole.await.expect("no panic").ends_with("abc"));
        let partial = setup.say(head.to_owned() + "ab");
        setup.wait(4).await;
        assert!(!partial.is_finished());
        setup.wait(2).await;
        assert!(partial.await.expect("no panic").starts_with("HTTP/1.1 400"));
    });
}

#[test]
fn connections_above_the_limit_wait() {
    block_on(async {
        let setup = Setup::start().await;
        let slow = ["first", "second"].map(|_| setup.say("GET /slow HTTP/1.0\r\n\r\n"));
        setup.wait(1).await;
        let third = setup.say("GET / HTTP/1.0\r\n\r\n");
        setup.wait(1).await;
        assert!(!third.is_finished());
        setup.go_on.notify_one();
        assert!(third.await.expect("no panic").ends_with("quick"));
        assert_eq!(slow.iter().filter(|slow| slow.is_finished()).count(), 1);
    });
}

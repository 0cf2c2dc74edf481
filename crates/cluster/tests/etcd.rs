//! The lease in Debian's etcd, where that is installed.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use cluster::lease::{
    Backend,
    store::{Record, Store},
};
use runtime::Runtime;

/// Ends with the test.
struct Etcd(Child);

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().and_then(|()| self.0.wait().map(drop)).unwrap_or_default();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    listener.local_addr().expect("it has one").port()
}

/// A server of its own, and where it listens; nothing if the program is not there.
fn start(data: &std::path::Path) -> Option<(Etcd, String)> {
    let clients = format!("127.0.0.1:{}", free_port());
    let peers = format!("http://127.0.0.1:{}", free_port());
    let child = Command::new("etcd")
        .arg("--data-dir")
        .arg(data)
        .args(["--listen-client-urls", &format!("http://{clients}")])
        .args(["--advertise-client-urls", &format!("http://{clients}")])
        .args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers])
        .args(["--initial-cluster", &format!("default={peers}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    Some((Etcd(child), clients))
}

async fn until_ready(store: &dyn Store, runtime: &Runtime) {
    for _ in 0..400 {
        if store.read().await.is_ok() {
            return;
        }
        runtime.clock.sleep(Duration::from_millis(50)).await;
    }
    panic!("etcd does not answer: {:?}", store.read().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etcd_lets_one_of_two_write() {
    let data = tempfile::tempdir().expect("there is room");
    let Some((_etcd, clients)) = start(data.path()) else { return };
    let runtime = Runtime::real();
    let backend: Backend = format!("etcd://{clients}/vesta/test").parse().expect("an address");
    let store = backend.open(&runtime).expect("it can be used").expect("it is a service");
    until_ready(&*store, &runtime).await;
    let record = |epoch| Record { holder: "A".to_owned(), epoch, ..Record::default() };
    assert_eq!(store.read().await, Ok(None));
    let first = store.write_if(&record(1), None).await.expect("it works").expect("it is new");
    assert_eq!(store.write_if(&record(2), None).await, Ok(None));
    let next = store.write_if(&record(2), Some(&first)).await.expect("it works");
    let next = next.expect("it is the same");
    assert_eq!(store.write_if(&record(3), Some(&first)).await, Ok(None));
    assert_eq!(store.read().await, Ok(Some((record(2), next))));
}

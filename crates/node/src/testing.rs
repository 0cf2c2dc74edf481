//! A node in a simulated world, with others beside it.

use std::{path::Path, sync::Arc, time::Duration};

use parking_lot::Mutex;
use runtime::{Network as _, Runtime, Simulation};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use transport::client::{Client, Config, Limits, Request};

use crate::{Result, Signals};

/// Where the node under test listens.
pub(crate) const ADDRESS: &str = "127.0.0.1:9090";

/// The world, the node in it, and somebody who asks.
pub(crate) struct World {
    pub(crate) simulation: Simulation,
    client: Client,
    node: Option<Running>,
    others: Vec<JoinHandle<()>>,
}

/// What somebody beside the node was asked, heads and bodies as they came.
pub(crate) type Requests = Arc<Mutex<Vec<String>>>;

struct Running {
    task: JoinHandle<Result<()>>,
    stop: CancellationToken,
    hangup: mpsc::Sender<()>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl World {
    pub(crate) fn new() -> World {
        let simulation = Simulation::new(1);
        let client = Client::new(Config::default(), simulation.runtime()).expect("good settings");
        World { simulation, client, node: None, others: Vec::new() }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let disk = self.simulation.runtime().disk;
        disk.write_atomically(Path::new(name), text.as_bytes()).expect("the disk is good");
    }

    /// Something at `address` that answers every request with `page`.
    pub(crate) async fn other(&mut self, address: &str, page: &str) -> Requests {
        self.answering(address, "text/plain; version=0.0.4", page).await
    }

    /// As [`World::other`], for a page of JSON.
    pub(crate) async fn other_json(&mut self, address: &str, page: &str) -> Requests {
        self.answering(address, "application/json", page).await
    }

    async fn answering(&mut self, address: &str, kind: &str, page: &str) -> Requests {
        let network = self.simulation.network.clone();
        let listener = network.listen(address).await.expect("the address is free");
        let response = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{page}",
            page.len()
        );
        let requests = Requests::default();
        let heard = requests.clone();
        self.others.push(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = vec![0; 65_536];
                if let Ok(n_bytes) = stream.read(&mut buffer).await {
                    buffer.truncate(n_bytes);
                    heard.lock().push(String::from_utf8_lossy(&buffer).into_owned());
                    stream.write_all(response.as_bytes()).await.unwrap_or_default();
                }
            }
        }));
        requests
    }

    pub(crate) fn start<F>(&mut self, run: impl FnOnce(Runtime, Signals) -> F)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let (hangup, reload) = mpsc::channel(1);
        let signals = Signals { stop: stop.clone(), reload };
        let task = tokio::spawn(run(self.simulation.runtime(), signals));
        self.node = Some(Running { task, stop, hangup });
    }

    /// Ends the node as a signal would; gives what it says at its end.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let Running { task, stop, .. } = self.node.take().expect("it was started");
        stop.cancel();
        self.end_of(task).await
    }

    /// Waits for an end that nobody asked for.
    pub(crate) async fn ended(&mut self) -> Result<()> {
        let Running { task, .. } = self.node.take().expect("it was started");
        self.end_of(task).await
    }

    async fn end_of(&self, task: JoinHandle<Result<()>>) -> Result<()> {
        self.until(|| task.is_finished().then_some(())).await;
        task.await.expect("it does not panic")
    }

    pub(crate) async fn hang_up(&self) {
        self.node.as_ref().expect("it was started").hangup.send(()).await.expect("it runs");
    }

    /// Lets things happen, and time pass, until `done` says something.
    pub(crate) async fn until<T>(&self, done: impl Fn() -> Option<T>) -> T {
        for _ in 0..5_000 {
            for _ in 0..100 {
                if let Some(value) = done() {
                    return value;
                }
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
            self.simulation.clock.advance(Duration::from_millis(100));
        }
        panic!("it does not happen");
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Answer> {
        self.send(Request::get(url(path))).await
    }

    /// [`World::get`] of somebody who takes compressed answers.
    pub(crate) async fn get_compressed(&self, path: &str) -> Option<Answer> {
        let mut request = Request::get(url(path));
        let gzip = http::HeaderValue::from_static("gzip");
        request.headers.insert(http::header::ACCEPT_ENCODING, gzip);
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str) -> Option<Answer> {
        self.post_json(path, "").await
    }

    pub(crate) async fn post_json(&self, path: &str, body: &str) -> Option<Answer> {
        self.send(Request::post(url(path), "application/json", body.to_owned())).await
    }

    async fn send(&self, request: Request) -> Option<Answer> {
        let limits = Limits { timeout: Duration::from_secs(3600), body_bytes: 1 << 20 };
        let exchange = self.client.send(request, &limits);
        tokio::pin!(exchange);
        loop {
            tokio::select! {
                biased;
                response = &mut exchange => {
                    let response = response.ok()?;
                    let body = response.decoded(1 << 20).ok()?;
                    let body = String::from_utf8_lossy(&body).into_owned();
                    return Some(Answer { status: response.status.as_u16(), body });
                }
                () = tokio::task::yield_now() => std::thread::yield_now(),
            }
        }
    }

    /// Asks for `path` until the body has `text` in it.
    pub(crate) async fn wait_for(&self, path: &str, text: &str) -> String {
        let mut last = None;
        for _ in 0..5_000 {
            last = self.get(path).await;
            match &last {
                Some(answer) if answer.body.contains(text) => return answer.body.clone(),
                _ => self.simulation.clock.advance(Duration::from_millis(100)),
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
                std::thread::yield_now();
            }
        }
        panic!("{path} never says {text:?}; at last it said {last:?}");
    }
}

fn url(path: &str) -> url::Url {
    format!("http://{ADDRESS}{path}").parse().expect("a good URL")
}

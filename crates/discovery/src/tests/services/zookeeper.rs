//! A small ZooKeeper: one tree, watches, and sessions that end when they are told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use runtime::{Network as _, Simulation, network::Stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::Notify,
};

use super::{World, compare};
use crate::{Config, nerve, serverset};

#[derive(Default)]
struct Server {
    nodes: Mutex<BTreeMap<String, String>>,
    /// What happened to nodes: its kind and the path; told to those who watch.
    happened: Mutex<Vec<(i32, String)>>,
    changed: Notify,
    /// Closes all connections.
    hang_up: Notify,
}

const CREATED: i32 = 1;
const DELETED: i32 = 2;
const DATA: i32 = 3;
const CHILDREN: i32 = 4;

impl Server {
    async fn start(simulation: &Simulation, nodes: &[(&str, &str)]) -> Arc<Server> {
        let server = Arc::new(Server::default());
        for (path, data) in nodes {
            server.nodes.lock().insert((*path).to_owned(), (*data).to_owned());
        }
        let listener = simulation.network.host("zk").listen(":2181").await.expect("free");
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = server.hang_up.notified() => {}
                        _ = server.converse(stream) => {}
                    }
                });
            }
        });
        server
    }

    fn parent(path: &str) -> &str {
        path.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    fn set(&self, path: &str, data: &str) {
        let before = self.nodes.lock().insert(path.to_owned(), data.to_owned());
        let mut happened = self.happened.lock();
        match before {
            Some(_) => happened.push((DATA, path.to_owned())),
            None => {
                happened.push((CREATED, path.to_owned()));
                happened.push((CHILDREN, Server::parent(path).to_owned()));
            }
        }
        self.changed.notify_waiters();
    }

    fn remove(&self, path: &str) {
        self.nodes.lock().remove(path);
        let mut happened = self.happened.lock();
        happened.push((DELETED, path.to_owned()));
        happened.push((CHILDREN, Server::parent(path).to_owned()));
        self.changed.notify_waiters();
    }

    async fn converse(&self, mut stream: Box<dyn Stream>) -> std::io::Result<()> {
        let greeting = read(&mut stream).await?;
        assert_eq!(greeting.len(), 4 + 8 + 4 + 8 + 4 + 16);
        let agreed = &greeting[12..16];
        let answer = [&[0; 4], agreed, &[0; 8], &16_i32.to_be_bytes()[..], &[7; 16]].concat();
        write(&mut stream, &answer).await?;
        let mut watched: BTreeSet<(bool, String)> = BTreeSet::new();
        let mut n_told = self.happened.lock().len();
        loop {
            let changed = self.changed.notified();
            let news: Vec<(i32, String)> = self.happened.lock().split_off(0);
            self.happened.lock().extend(news.iter().cloned());
            for (kind, path) in news.get(n_told..).unwrap_or_default() {
                let of_children = *kind == CHILDREN;
                let mut is_watched = watched.remove(&(of_children, path.clone()));
                if *kind == DELETED {
                    is_watched |= watched.remove(&(true, path.clone()));
                }
                if is_watched {
                    let head =
                        [&(-1_i32).to_be_bytes()[..], &(-1_i64).to_be_bytes(), &[0; 4]].concat();
                    let body =
                        [&kind.to_be_bytes()[..], &3_i32.to_be_bytes(), &text(path)].concat();
                    write(&mut stream, &[head, body].concat()).await?;
                }
            }
            n_told = news.len();
            let frame = tokio::select! {
                frame = read(&mut stream) => frame?,
                () = changed => continue,
            };
            let (number, kind) = (&frame[..4], i32::from_be_bytes(frame[4..8].try_into().unwrap()));
            let path = String::from_utf8_lossy(frame.get(12..frame.len() - 1).unwrap_or_default());
            let body = self.answer(kind, &path);
            if kind != 11 {
                watched.insert((kind == 8, path.into_owned()));
            }
            let error: i32 = if body.is_some() { 0 } else { -101 };
            let head = [number, &[0; 8], &error.to_be_bytes()].concat();
            write(&mut stream, &[head, body.unwrap_or_default()].concat()).await?;
        }
    }

    fn answer(&self, kind: i32, path: &str) -> Option<Vec<u8>> {
        let nodes = self.nodes.lock();
        match kind {
            11 => Some(Vec::new()),
            3 => nodes.get(path).map(|_| vec![0; 68]),
            4 => nodes.get(path).map(|data| [text(data), vec![0; 68]].concat()),
            8 => nodes.get(path).map(|_| {
                let children: Vec<_> =
                    nodes.keys().filter(|it| Server::parent(it) == path).collect();
                let mut out = (children.len() as i32).to_be_bytes().to_vec();
                for child in children {
                    out.extend(text(child.rsplit('/').next().unwrap()));
                }
                out
            }),
            other => panic!("nobody asks {other}"),
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as i32).to_be_bytes()[..], text.as_bytes()].concat()
}

async fn read(stream: &mut Box<dyn Stream>) -> std::io::Result<Vec<u8>> {
    let mut frame = vec![0; stream.read_i32().await? as usize];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

async fn write(stream: &mut Box<dyn Stream>, body: &[u8]) -> std::io::Result<()> {
    stream.write_all(&[&(body.len() as i32).to_be_bytes()[..], body].concat()).await
}

fn config(paths: &[&str]) -> crate::zookeeper::Config {
    crate::zookeeper::Config {
        servers: vec!["zk:2181".to_owned()],
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        timeout: Duration::from_secs(10),
    }
}

#[tokio::test]
async fn serverset_gives_members() {
    let world = World::new();
    let member = r#"{"serviceEndpoint":{"host":"h1","port":80},"additionalEndpoints":{"ad-min":{"host":"h1","port":81}},
      "status":"ALIVE","shard":3}"#;
    let nodes = [("/services", ""), ("/services/web", ""), ("/services/web/member_1", member)];
    Server::start(&world.simulation, &nodes).await;
    world.apply(&[("job", Config::Serverset(serverset::Config { ..config(&["/services"]) }))]);
    world.settle().await;
    let found = world.print_labels();
    world.manager.stop().await;
    compare("serverset", &found);
}

#[tokio::test]
async fn nerve_gives_endpoints() {
    let world = World::new();
    let member = r#"{"host":"h1","port":80,"name":"n1"}"#;
    Server::start(&world.simulation, &[("/web", ""), ("/web/1", member)]).await;
    world.apply(&[("job", Config::Nerve(nerve::Config { ..config(&["/web"]) }))]);
    world.settle().await;
    let found = world.print_labels();
    world.manager.stop().await;
    compare("nerve", &found);
}

#[tokio::test]
async fn zookeeper_is_watched() {
    let world = World::new();
    let member = |host: &str| format!(r#"{{"host":"{host}","port":80,"name":"n"}}"#);
    let server = Server::start(&world.simulation, &[("/web", ""), ("/web/1", &member("a"))]).await;
    world.apply(&[("job", Config::Nerve(config(&["/web", "/later"])))]);
    let expect = async |lines: &[&str]| {
        world.settle().await;
        let found = world.print();
        let found: Vec<&str> = found.lines().map(|it| it.split(' ').nth(1).unwrap()).collect();
        assert_eq!(found, lines);
    };
    expect(&["a:80"]).await;
    server.set("/web/2", &member("b"));
    expect(&["a:80", "b:80"]).await;
    server.set("/web/1", &member("c"));
    expect(&["c:80", "b:80"]).await;
    server.set("/web/1", "no JSON");
    expect(&["b:80"]).await;
    server.set("/web/1", &member("d"));
    server.set("/web/2/deep", &member("e"));
    expect(&["d:80", "b:80", "e:80"]).await;
    server.remove("/web/2/deep");
    server.remove("/web/2");
    expect(&["d:80"]).await;
    server.set("/later", &member("f"));
    expect(&["f:80", "d:80"]).await;
    // Who comes back sees what happened meanwhile; until then nothing is gone.
    server.hang_up.notify_waiters();
    server.nodes.lock().remove("/later");
    server.nodes.lock().insert("/web/3".to_owned(), member("g"));
    expect(&["d:80", "g:80"]).await;
    world.manager.stop().await;
}

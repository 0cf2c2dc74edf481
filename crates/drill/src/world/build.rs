//! Binds the sockets, writes the files: everything but the processes.

use std::{collections::BTreeSet, net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context as _;
use parking_lot::Mutex;
use runtime::{Runtime, network::Listener};
use tokio::task::JoinSet;

use super::{Seen, WATCH_PAUSE, World};
use crate::{
    failover::Write,
    ledger::Range,
    links::{Links, Party},
    options::{Remote, Topology},
    owner::Owners,
    parts::Parts,
    proxy::Proxy,
    reading::Reader,
    standin::Standin,
    targets::Target,
    topology::{self, Addresses, Member, Setup},
    truth::Truth,
};

const INTERVAL_MS: i64 = 1000;
const N_TARGETS: usize = 6;
const N_SERIES: usize = 10;

impl World {
    /// All but the processes, in an empty folder.
    pub(crate) async fn build(
        runtime: Runtime,
        setup: Setup,
        folder: &Path,
    ) -> anyhow::Result<World> {
        let epoch_ms = runtime.clock.now_millis() / INTERVAL_MS * INTERVAL_MS;
        let (interval_ms, n_targets, n_series) = (INTERVAL_MS, N_TARGETS, N_SERIES);
        let truth = Truth { epoch_ms, interval_ms, n_targets, n_series };
        let mut sockets = Sockets {
            runtime: runtime.clone(),
            links: Links::new(),
            owners: Owners::default(),
            writes: Arc::default(),
            tasks: JoinSet::new(),
        };
        let (addresses, targets) = sockets.open(&setup, truth).await?;
        write_files(&runtime, &setup, folder, &addresses)?;
        let parts = topology::parts(&setup, folder, &addresses)?;
        let Sockets { links, owners, writes, mut tasks, .. } = sockets;
        let reader = Arc::new(Reader::new(runtime.clone())?);
        let n_members = setup.n_members();
        let seen = Seen { ready: vec![false; n_members], led: Vec::new() };
        let seen = Arc::new(Mutex::new(seen));
        for member in 0..n_members {
            let base = format!("http://{}", addresses.members[member].web);
            tasks.spawn(watch(runtime.clone(), reader.clone(), seen.clone(), member, base));
        }
        let standin =
            (setup.topology == Topology::UpstreamKeepalived).then(|| Standin::new(links.clone()));
        Ok(World {
            runtime,
            setup,
            truth,
            folder: folder.to_owned(),
            addresses,
            links,
            targets,
            parts: Parts::new(parts, owners, folder.to_owned()),
            standin,
            reader,
            writes,
            seen,
            unasked: Vec::new(),
            tasks,
        })
    }
}

/// Asks a member again and again whether it works and whether it leads.
async fn watch(
    runtime: Runtime,
    reader: Arc<Reader>,
    seen: Arc<Mutex<Seen>>,
    member: usize,
    base: String,
) {
    let (ready, leader) = (format!("{base}/-/ready"), format!("{base}/-/leader"));
    loop {
        let is_ready = reader.says_yes(&ready).await;
        seen.lock().ready[member] = is_ready;
        if is_ready && reader.says_yes(&leader).await {
            note_leader(&mut seen.lock().led, member, runtime.clock.now_millis());
        }
        runtime.clock.sleep(WATCH_PAUSE).await;
    }
}

fn note_leader(led: &mut Vec<(usize, Range)>, member: usize, now_ms: i64) {
    let goes_on = |(who, range): &&mut (usize, Range)| {
        *who == member && now_ms - range.to_ms < 10 * WATCH_PAUSE.as_millis() as i64
    };
    match led.iter_mut().rev().find(goes_on) {
        Some((_, range)) => range.to_ms = now_ms,
        None => led.push((member, Range { from_ms: now_ms, to_ms: now_ms })),
    }
}

fn write_files(
    runtime: &Runtime,
    setup: &Setup,
    folder: &Path,
    addresses: &Addresses,
) -> anyhow::Result<()> {
    let disk = &*runtime.disk;
    let logs = folder.join("logs");
    disk.create_directories(&logs).with_context(|| format!("create {}", logs.display()))?;
    for (name, text) in topology::files(setup, addresses) {
        disk.write_atomically(&folder.join(name), text.as_bytes())
            .with_context(|| format!("write {name}"))?;
    }
    Ok(())
}

/// Opens what others connect to, and finds free ports for the rest.
struct Sockets {
    runtime: Runtime,
    links: Links,
    owners: Owners,
    writes: Arc<Mutex<Vec<Write>>>,
    tasks: JoinSet<()>,
}

impl Sockets {
    async fn open(
        &mut self,
        setup: &Setup,
        truth: Truth,
    ) -> anyhow::Result<(Addresses, Vec<Arc<Target>>)> {
        let mut addresses = Addresses { webhook: self.free().await?, ..Addresses::default() };
        let mut targets = Vec::new();
        for index in 0..truth.n_targets {
            let (listener, address) = self.listen("127.0.0.1:0").await?;
            let target = Target::new(index, truth, self.runtime.clone());
            self.tasks.spawn(target.clone().serve(listener));
            addresses.targets.push(address);
            targets.push(target);
        }
        for _ in 0..setup.n_alertmanagers {
            let (web, gossip) = (self.free().await?, self.free().await?);
            addresses.alertmanagers.push(topology::Alertmanager { web, gossip });
        }
        for index in 0..setup.n_members() {
            let member = self.member(setup, index).await?;
            addresses.members.push(member);
        }
        if setup.remote != Remote::None {
            addresses.remote = self.free().await?;
            let (listener, known) = self.listen("127.0.0.1:0").await?;
            let proxy = self.proxy(Party::Remote, &addresses.remote);
            self.tasks.spawn(proxy.serve(listener));
            addresses.remote_known = known;
        }
        Ok((addresses, targets))
    }

    /// A member lives at 127.77.0.N and is known at 127.77.1.N, each time under the same port.
    async fn member(&mut self, setup: &Setup, index: usize) -> anyhow::Result<Member> {
        let web = self.free().await?;
        if !setup.is_cluster() {
            return Ok(Member { web, ..Member::default() });
        }
        let (home, known) = (format!("127.77.0.{}", index + 1), format!("127.77.1.{}", index + 1));
        let (gossip_listener, gossip_known) = self.listen(&format!("{known}:0")).await?;
        let gossip = gossip_known.replacen(&known, &home, 1);
        let datagrams = self.runtime.network.bind(&gossip_known).await;
        let datagrams = datagrams.with_context(|| format!("take {gossip_known}/udp"))?;
        let proxy = self.proxy(Party::Member(index), &gossip);
        self.tasks.spawn(proxy.clone().serve(gossip_listener));
        self.tasks.spawn(proxy.serve_datagrams(Arc::from(datagrams), homes(setup.n_members())));
        let (store_listener, store_known) = self.listen(&format!("{known}:0")).await?;
        let store = store_known.replacen(&known, &home, 1);
        let proxy = self.proxy(Party::Member(index), &store);
        self.tasks.spawn(proxy.serve(store_listener));
        Ok(Member { web, gossip, gossip_known, store, store_known })
    }

    fn proxy(&self, to: Party, address: &str) -> Arc<Proxy> {
        Arc::new(Proxy {
            runtime: self.runtime.clone(),
            to,
            address: address.to_owned(),
            links: self.links.clone(),
            owners: self.owners.clone(),
            writes: match to {
                Party::Remote => self.writes.clone(),
                Party::Member(_) => Arc::default(),
            },
        })
    }

    async fn listen(&self, address: &str) -> anyhow::Result<(Box<dyn Listener>, String)> {
        let listener = self.runtime.network.listen(address).await;
        let listener = listener.with_context(|| format!("listen on {address}"))?;
        let address = listener.local_address()?.to_string();
        Ok((listener, address))
    }

    /// A port that is free now, and that nobody was promised yet. Below those that the system gives to
    /// connections, or one of these could take it before the process does that it is for.
    async fn free(&self) -> anyhow::Result<String> {
        loop {
            let port = 10_000 + (self.runtime.random.u64() % 22_000) as u16;
            let address = format!("127.0.0.1:{port}");
            let is_free = self.runtime.network.listen(&address).await.is_ok();
            if is_free && PROMISED.lock().insert(port) {
                return Ok(address);
            }
        }
    }
}

/// Ports of all worlds of this process: some of them may not be listened on yet.
static PROMISED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// By which datagrams of members are told apart.
fn homes(n_members: usize) -> Vec<SocketAddr> {
    (0..n_members).map(|index| SocketAddr::from(([127, 77, 0, index as u8 + 1], 0))).collect()
}

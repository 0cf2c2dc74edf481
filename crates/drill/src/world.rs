//! A running topology on loopback: targets, proxies, processes, and what is seen of them.

mod build;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::bail;
use parking_lot::Mutex;
use runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    failover::{Write, writer_before},
    ledger::Range,
    links::Links,
    options::Topology,
    parts::Parts,
    reading::Reader,
    standin::Standin,
    targets::Target,
    topology::{Addresses, Setup, member_name},
    truth::Truth,
    vrrp::Input,
};

/// How long the parts may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// A remote end that does not get everything by then is a matter of the table.
const REMOTE_LIMIT: Duration = Duration::from_secs(20);
/// How often members are asked how they are.
const WATCH_PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) setup: Setup,
    pub(crate) truth: Truth,
    pub(crate) folder: PathBuf,
    pub(crate) addresses: Addresses,
    pub(crate) links: Links,
    pub(crate) targets: Vec<Arc<Target>>,
    pub(crate) parts: Parts,
    pub(crate) standin: Option<Standin>,
    pub(crate) reader: Arc<Reader>,
    /// What the remote end has taken, by time.
    pub(crate) writes: Arc<Mutex<Vec<Write>>>,
    pub(crate) seen: Arc<Mutex<Seen>>,
    /// Parts that ended though nobody wanted them to.
    pub(crate) unasked: Vec<String>,
    /// Proxies, targets and watchers; they end with the world.
    tasks: JoinSet<()>,
}

/// How the members are, a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ready: Vec<bool>,
    /// When each said that it leads, by time: from the first to the last such answer.
    pub(crate) led: Vec<(usize, Range)>,
}

impl World {
    pub(crate) fn now_ms(&self) -> i64 {
        self.runtime.clock.now_millis()
    }

    pub(crate) fn web(&self, member: usize) -> String {
        format!("http://{}", self.addresses.members[member].web)
    }

    /// Whoever writes to the remote end, or says that it leads, or just the first.
    pub(crate) fn writer(&self) -> usize {
        let now_ms = self.now_ms();
        let leader = || {
            let seen = self.seen.lock();
            let leads = |(_, range): &&(usize, Range)| range.to_ms > now_ms - 1000;
            seen.led.iter().rev().find(leads).map(|(member, _)| *member)
        };
        let writer = || writer_before(now_ms, &self.writes.lock());
        let known = match self.setup.topology {
            // All of them write; one can be asked to let another one lead.
            Topology::Three => leader().or_else(writer),
            _ => writer().or_else(leader),
        };
        known.or_else(|| self.standin.as_ref()?.master()).unwrap_or(0)
    }

    /// Where answers are read: each member, or the one that has the virtual address.
    pub(crate) fn places(&self) -> Vec<(String, String)> {
        match &self.standin {
            Some(standin) => {
                let master = standin.master().unwrap_or(0);
                vec![("the virtual address".to_owned(), self.web(master))]
            }
            None => (0..self.setup.n_members())
                .map(|member| (member_name(member), self.web(member)))
                .collect(),
        }
    }

    pub(crate) fn all_members_work(&self) -> bool {
        match &self.standin {
            Some(standin) => {
                let both = (0..2).all(|member| !standin.is_away(member));
                let ready = &self.seen.lock().ready;
                both && standin.master().is_some_and(|master| ready[master])
            }
            None => self.seen.lock().ready.iter().all(|ready| *ready),
        }
    }

    /// What has to be done now and again: parts that ended, the stand-in's clock.
    pub(crate) fn tick(&mut self) -> anyhow::Result<()> {
        self.unasked.extend(self.parts.look()?);
        let (now_ms, ready) = (self.now_ms(), self.seen.lock().ready.clone());
        match &mut self.standin {
            Some(standin) => standin.tick(now_ms, &ready, &mut self.parts),
            None => Ok(()),
        }
    }

    pub(crate) fn tell_standin(&mut self, member: usize, input: Input) -> anyhow::Result<()> {
        let now_ms = self.now_ms();
        match &mut self.standin {
            Some(standin) => standin.tell(now_ms, member, input, &mut self.parts),
            None => Ok(()),
        }
    }

    /// Starts all parts and waits until each does its job and each member has every series.
    pub(crate) async fn start(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let names: Vec<String> = self.parts.iter().map(|part| part.name.clone()).collect();
        let is_member = |name: &str| name.starts_with("server-");
        for name in &names {
            match (is_member(name), &self.standin) {
                (true, Some(_)) => {}
                _ => self.parts.start(name)?,
            }
        }
        for member in 0..2 {
            self.tell_standin(member, Input::Join)?;
        }
        let give_up = self.now_ms() + START_LIMIT.as_millis() as i64;
        let go_on_without_remote = self.now_ms() + REMOTE_LIMIT.as_millis() as i64;
        loop {
            self.tick()?;
            if let Some(reason) = self.unasked.first() {
                bail!("{reason}: {}", self.last_words(reason));
            }
            if stop.is_cancelled() {
                bail!("stopped");
            }
            let missing = match self.not_ready(&names).await {
                Some(name) => name,
                None => {
                    let with_remote = self.now_ms() < go_on_without_remote;
                    if self.everything_arrives(with_remote).await {
                        return Ok(());
                    }
                    "the data".to_owned()
                }
            };
            if self.now_ms() > give_up {
                let logs = self.folder.join("logs");
                bail!("{missing} is not there after {START_LIMIT:?}: see {}", logs.display());
            }
            self.runtime.clock.sleep(Duration::from_millis(200)).await;
        }
    }

    /// The last line in the log of the part that `reason` begins with: the log may go with its folder.
    fn last_words(&self, reason: &str) -> String {
        let name = reason.split(' ').next().unwrap_or_default();
        let log = self.folder.join("logs").join(format!("{name}.log"));
        let text = self.runtime.disk.read(&log).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().last().unwrap_or_default().to_owned()
    }

    async fn not_ready(&self, names: &[String]) -> Option<String> {
        for part in self.parts.iter().filter(|part| self.parts.is_running(&part.name)) {
            let url = format!("http://{}{}", part.address, part.ready_path);
            if !self.reader.says_yes(&url).await {
                return Some(part.name.clone());
            }
        }
        let runs = |name: &&String| self.parts.is_running(name) || self.standin.is_some();
        names.iter().find(|name| !runs(name)).cloned()
    }

    /// Each place where answers are read has the last seconds of every series.
    async fn everything_arrives(&self, with_remote: bool) -> bool {
        let to_ms = self.now_ms();
        let range = Range { from_ms: to_ms - 3000, to_ms };
        let mut bases: Vec<String> = self.places().into_iter().map(|(_, base)| base).collect();
        bases.extend(self.remote_base().filter(|_| with_remote));
        for base in bases {
            let Ok((reading, _)) = self.reader.read(&base, range).await else { return false };
            let wanted = [self.truth.raw_keys(), self.truth.recorded_keys()].concat();
            if !wanted.iter().all(|key| reading.contains_key(key)) {
                return false;
            }
        }
        self.all_members_work()
    }

    pub(crate) fn remote_base(&self) -> Option<String> {
        self.parts
            .iter()
            .any(|part| part.name == "remote")
            .then(|| format!("http://{}", self.addresses.remote))
    }

    pub(crate) async fn stop(mut self) {
        self.parts.stop().await;
        self.tasks.shutdown().await;
    }
}

//! Which processes make up a topology, with which arguments and files? Pure.

mod addresses;
mod files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub(crate) use addresses::{Addresses, Alertmanager, Member};
pub(crate) use files::files;

use crate::{
    links::Party,
    options::{Remote, Topology},
    parts::Part,
};

/// What is to be built.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) topology: Topology,
    pub(crate) remote: Remote,
    pub(crate) n_alertmanagers: usize,
    /// The program itself.
    pub(crate) vesta: PathBuf,
    pub(crate) prometheus: Option<PathBuf>,
    pub(crate) victoria_metrics: Option<PathBuf>,
    /// Names of the flags that this program's server honours.
    pub(crate) server_flags: Vec<String>,
    /// Each upstream server believes to be on a machine of its own.
    pub(crate) can_name_hosts: bool,
}

impl Setup {
    pub(crate) fn n_members(&self) -> usize {
        match self.topology {
            Topology::Pair | Topology::PlainPair | Topology::UpstreamKeepalived => 2,
            Topology::Three => 3,
        }
    }

    /// The members form a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self.topology, Topology::Pair | Topology::Three)
            && self.has_flag("cluster.listen-address")
    }

    fn has_flag(&self, name: &str) -> bool {
        self.server_flags.iter().any(|flag| flag == name)
    }
}

pub(crate) fn member_name(member: usize) -> String {
    format!("server-{}", char::from(b'a' + member as u8))
}

/// The processes, in the order in which they start.
pub(crate) fn parts(
    setup: &Setup,
    folder: &Path,
    addresses: &Addresses,
) -> anyhow::Result<Vec<Part>> {
    let builder = Builder { setup, folder, addresses };
    let mut parts = vec![builder.webhook()];
    parts.extend((0..setup.n_alertmanagers).map(|index| builder.alertmanager(index)));
    parts.extend(builder.remote()?);
    for member in 0..setup.n_members() {
        parts.push(match setup.topology {
            Topology::UpstreamKeepalived => builder.upstream_member(member)?,
            _ => builder.member(member),
        });
    }
    Ok(parts)
}

struct Builder<'a> {
    setup: &'a Setup,
    folder: &'a Path,
    addresses: &'a Addresses,
}

impl Builder<'_> {
    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn vesta(&self, name: &str, command: &str, address: &str, args: Vec<String>) -> Part {
        Part {
            name: name.to_owned(),
            party: None,
            program: self.setup.vesta.clone(),
            args: [vec![command.to_owned(), format!("--web.listen-address={address}")], args]
                .concat(),
            environment: Vec::new(),
            address: address.to_owned(),
            ready_path: "/-/ready",
        }
    }

    fn webhook(&self) -> Part {
        self.vesta("webhook", "webhook", &self.addresses.webhook, Vec::new())
    }

    fn alertmanager(&self, index: usize) -> Part {
        let name = format!("alertmanager-{}", index + 1);
        let own = &self.addresses.alertmanagers[index];
        let mut args = vec![
            format!("--config.file={}", self.file("alertmanager.yml")),
            format!("--storage.path={}", self.file(&name)),
            format!("--cluster.listen-address={}", own.gossip),
            format!("--cluster.peer-name={name}"),
            "--cluster.gossip-interval=100ms".to_owned(),
            "--cluster.peer-timeout=5s".to_owned(),
        ];
        let others = self.addresses.alertmanagers.iter().filter(|other| *other != own);
        args.extend(others.map(|other| format!("--cluster.peer={}", other.gossip)));
        self.vesta(&name, "alertmanager", &own.web, args)
    }

    fn remote(&self) -> anyhow::Result<Option<Part>> {
        let address = &self.addresses.remote;
        let prometheus_args = [
            format!("--config.file={}", self.file("remote.yml")),
            format!("--storage.tsdb.path={}", self.file("remote")),
            "--web.enable-remote-write-receiver".to_owned(),
        ];
        let upstream = |program: &Option<PathBuf>, name: &str, ready_path, args: Vec<String>| {
            let program = program.clone();
            let program = program.ok_or_else(|| {
                anyhow::anyhow!("there is no {name} on this machine; choose another --remote")
            })?;
            anyhow::Ok(Part {
                name: "remote".to_owned(),
                party: Some(Party::Remote),
                program,
                args,
                environment: Vec::new(),
                address: address.clone(),
                ready_path,
            })
        };
        Ok(match self.setup.remote {
            Remote::None => None,
            Remote::Vesta => Some(Part {
                party: Some(Party::Remote),
                ..self.vesta("remote", "server", address, prometheus_args.to_vec())
            }),
            Remote::Prometheus => {
                let mut args = prometheus_args.to_vec();
                args.push(format!("--web.listen-address={address}"));
                Some(upstream(&self.setup.prometheus, "prometheus", "/-/ready", args)?)
            }
            Remote::VictoriaMetrics => {
                let args = vec![
                    format!("-storageDataPath={}", self.file("remote")),
                    format!("-httpListenAddr={address}"),
                    // What is sent twice is told by its time, and dropped.
                    "-dedup.minScrapeInterval=1ms".to_owned(),
                    "-search.latencyOffset=0s".to_owned(),
                    "-search.disableCache".to_owned(),
                    "-memory.allowedBytes=256MB".to_owned(),
                ];
                let program = &self.setup.victoria_metrics;
                Some(upstream(program, "victoria-metrics", "/health", args)?)
            }
        })
    }

    fn member(&self, index: usize) -> Part {
        let (name, own) = (member_name(index), &self.addresses.members[index]);
        let mut args = vec![
            format!("--config.file={}", self.file("prometheus.yml")),
            format!("--storage.tsdb.path={}", self.file(&name)),
            "--web.enable-lifecycle".to_owned(),
        ];
        if self.setup.is_cluster() {
            args.extend(self.cluster_args(index, own));
        }
        Part { party: Some(Party::Member(index)), ..self.vesta(&name, "server", &own.web, args) }
    }

    fn cluster_args(&self, index: usize, own: &Member) -> Vec<String> {
        let mut args = vec![
            format!("--cluster.listen-address={}", own.gossip),
            format!("--cluster.advertise-address={}", own.gossip_known),
            format!("--cluster.store-address={}", own.store),
            format!("--cluster.member={}", member_name(index)),
        ];
        if self.setup.has_flag("cluster.store-advertise-address") {
            args.push(format!("--cluster.store-advertise-address={}", own.store_known));
        }
        if self.setup.topology == Topology::Three {
            args.push("--cluster.replication-factor=2".to_owned());
        }
        let others = self.addresses.members.iter().filter(|other| *other != own);
        args.extend(others.map(|other| format!("--cluster.peer={}", other.gossip_known)));
        args
    }

    /// Two servers with one file. Where possible each has a host name of its own, as on machines of
    /// their own: their scrapes then lie at other times within the interval.
    fn upstream_member(&self, index: usize) -> anyhow::Result<Part> {
        let (name, own) = (member_name(index), &self.addresses.members[index]);
        let program = self.setup.prometheus.clone();
        let program =
            program.ok_or_else(|| anyhow::anyhow!("there is no prometheus on this machine"))?;
        let args = vec![
            format!("--config.file={}", self.file("prometheus.yml")),
            format!("--storage.tsdb.path={}", self.file(&name)),
            format!("--web.listen-address={}", own.web),
        ];
        let (program, args) = match self.setup.can_name_hosts {
            false => (program, args),
            true => {
                let script = format!("hostname {name} && exec \"$0\" \"$@\"");
                let words = ["--uts", "sh", "-c", &script].map(str::to_owned);
                let program = program.display().to_string();
                (PathBuf::from("/usr/bin/unshare"), [words.to_vec(), vec![program], args].concat())
            }
        };
        Ok(Part {
            name,
            party: Some(Party::Member(index)),
            program,
            args,
            environment: Vec::new(),
            address: own.web.clone(),
            ready_path: "/-/ready",
        })
    }
}

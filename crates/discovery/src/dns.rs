//! `dns_sd_configs`: records of the domain name system.

mod message;
mod resolver;

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use futures_util::future::join_all;
use model::TargetGroup;
use runtime::Runtime;
use tracing::error;

use self::{message::Data, resolver::Resolver};
use crate::{
    found::{Found, group, host_port},
    refresh::{Lookup, Polled},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub names: Vec<String>,
    pub kind: Kind,
    /// For all records but SRV, which have their own.
    pub port: u16,
    pub refresh_interval: Duration,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    A,
    Aaaa,
    Srv,
    Mx,
    Ns,
}

pub(crate) struct Dns {
    config: Config,
    resolver: Resolver,
    /// What each name gave last: stays true while it cannot be asked.
    known: BTreeMap<String, TargetGroup>,
}

impl Polled for Config {
    type Lookup = Dns;

    fn lookup(&self, runtime: &Runtime) -> Result<Dns, String> {
        let resolver = Resolver::new(runtime.clone());
        Ok(Dns { config: self.clone(), resolver, known: BTreeMap::new() })
    }
}

impl Lookup for Dns {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let Config { names, kind, port, .. } = &self.config;
        let asking = names.iter().map(|name| self.resolver.look_up(name, *kind));
        let answers = join_all(asking).await;
        for (name, answer) in names.iter().zip(answers) {
            match answer {
                Ok(records) => {
                    let targets = records.iter().filter_map(|data| target(name, data, *port));
                    let group = group(name.clone(), targets.map(|found| found.labels()).collect());
                    self.known.insert(name.clone(), group);
                }
                Err(err) => error!(name, err, "Error refreshing DNS targets"),
            }
        }
        Ok(self.known.values().cloned().collect())
    }
}

fn target(name: &str, data: &Data, port: u16) -> Option<Found> {
    let plain = |host: &str| host.trim_end_matches('.').to_owned();
    let address = |address: IpAddr| host_port(&address.to_string(), port);
    let mut found = match data {
        Data::Address(ip) => Found::at(&address(*ip)),
        Data::Service { target, port } => {
            let mut found = Found::at(&host_port(&plain(target), port));
            found.set("__meta_dns_srv_record_target", target);
            found.set("__meta_dns_srv_record_port", port.to_string());
            found
        }
        Data::Mail(target) => {
            let mut found = Found::at(&host_port(&plain(target), port));
            found.set("__meta_dns_mx_record_target", target);
            found
        }
        Data::NameServer(target) => {
            let mut found = Found::at(&host_port(&plain(target), port));
            found.set("__meta_dns_ns_record_target", target);
            found
        }
    };
    found.set("__meta_dns_name", name);
    Some(found)
}

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{Error, MemberId, Result, lease::Backend};

/// How a server takes part in a cluster.
#[derive(Debug, Clone)]
pub struct Options {
    /// See [`crate::identity::load`].
    pub id: MemberId,
    /// What people are shown.
    pub name: String,
    /// The cluster's name; others are not heard.
    pub label: String,
    /// Where [`crate::Cluster::router`] is served, as others are told; without an address it is
    /// the one of gossip.
    pub store_address: SocketAddr,
    pub web_url: String,
    pub version: String,
    /// Of the configuration; members with another one share no scrapes.
    pub fingerprint: u64,
    /// How many members have each target; zero is all.
    pub replication_factor: usize,
    /// Who says which member writes.
    pub lease: Backend,
    pub lease_duration: Duration,
    /// Its name and label are overwritten.
    pub gossip: gossip::Options,
}

impl Options {
    pub(super) fn told_store_address(&self, own: IpAddr) -> Result<SocketAddr> {
        let address = self.store_address;
        let address = match address.ip().is_unspecified() {
            true => SocketAddr::new(own, address.port()),
            false => address,
        };
        if address.port() == 0 { Err(Error::StoreAddress(address)) } else { Ok(address) }
    }
}

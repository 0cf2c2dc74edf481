//! `nerve_sd_configs`: endpoints that Airbnb's Nerve keeps in ZooKeeper.

use model::Labels;
use runtime::{BoxFuture, Runtime};
use serde_json::Value;

pub use crate::zookeeper::Config;
use crate::{
    Discoverer, Updates,
    found::{Found, get, host_port, text},
    zookeeper::Watcher,
};

pub(crate) struct Nerve(Watcher);

impl Nerve {
    pub(crate) fn new(config: &Config, runtime: &Runtime) -> Result<Nerve, String> {
        Ok(Nerve(Watcher::new(config, runtime, target)))
    }
}

impl Discoverer for Nerve {
    fn run(self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        Box::pin(self.0.run(updates))
    }
}

fn target(path: &str, member: &Value) -> Labels {
    let address = host_port(get(member, "host"), text(&member["port"]));
    let mut found = Found::at(&address);
    found.set("__meta_nerve_path", path);
    found.copy(
        "__meta_nerve_endpoint_",
        member,
        &[("host", "/host"), ("name", "/name"), ("port", "/port")],
    );
    found.labels()
}

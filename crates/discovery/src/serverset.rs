//! `serverset_sd_configs`: members of Twitter's serversets in ZooKeeper.

use model::Labels;
use runtime::{BoxFuture, Runtime};
use serde_json::Value;

pub use crate::zookeeper::Config;
use crate::{
    Discoverer, Updates,
    found::{Found, get, host_port, sanitize, text},
    zookeeper::Watcher,
};

pub(crate) struct Serverset(Watcher);

impl Serverset {
    pub(crate) fn new(config: &Config, runtime: &Runtime) -> Result<Serverset, String> {
        Ok(Serverset(Watcher::new(config, runtime, target)))
    }
}

impl Discoverer for Serverset {
    fn run(self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        Box::pin(self.0.run(updates))
    }
}

fn target(path: &str, member: &Value) -> Labels {
    let endpoint = &member["serviceEndpoint"];
    let mut found = Found::at(&host_port(get(endpoint, "host"), text(&endpoint["port"])));
    let prefix = "__meta_serverset_";
    found.copy(&format!("{prefix}endpoint_"), endpoint, &[("host", "/host"), ("port", "/port")]);
    for (name, endpoint) in member["additionalEndpoints"].as_object().into_iter().flatten() {
        let name = sanitize(name);
        found.set(&format!("{prefix}endpoint_host_{name}"), get(endpoint, "host"));
        found.set(&format!("{prefix}endpoint_port_{name}"), text(&endpoint["port"]));
    }
    found.set(&format!("{prefix}path"), path);
    // Those without one are the first.
    let shard = member["shard"].as_i64().unwrap_or_default();
    found.set(&format!("{prefix}shard"), shard.to_string());
    found.copy(prefix, member, &[("status", "/status")]);
    found.labels()
}

//! `consul_sd_configs`: the services in Consul's catalog, watched by requests that it answers when
//! something has changed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Labels, TargetGroup};
use runtime::{BoxFuture, Runtime};
use serde_json::Value;
use tokio::task::JoinSet;
use tracing::error;
use transport::client;

use crate::{
    Discoverer, Updates,
    found::{Found, each, enclosed, get, host_port, text, texts},
    service::{Service, body, escape},
};

/// So long Consul may wait for a change before it answers.
const WAIT: Duration = Duration::from_secs(120);
/// After something went wrong.
const RETRY_INTERVAL: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Host and port, with `path_prefix` behind them.
    pub server: String,
    pub scheme: String,
    pub path_prefix: String,
    pub token: String,
    pub datacenter: String,
    pub namespace: String,
    pub partition: String,
    pub tag_separator: String,
    /// Whether any server may answer, not just the leader.
    pub allow_stale: bool,
    pub refresh_interval: Duration,
    /// Empty means all.
    pub services: Vec<String>,
    /// All of which a service must have.
    pub tags: Vec<String>,
    pub node_meta: BTreeMap<String, String>,
    pub filter: String,
    pub health_filter: String,
    pub http: client::Config,
}

/// Watches the catalog.
pub(crate) struct Consul {
    config: Config,
    service: Service,
    runtime: Runtime,
}

impl Consul {
    pub(crate) fn new(config: &Config, runtime: &Runtime) -> Result<Consul, String> {
        let mut service = Service::new(&config.http, runtime)?.with_timeout(WAIT + RETRY_INTERVAL);
        if !config.token.is_empty() {
            service = service.with_header("x-consul-token", &config.token)?;
        }
        Ok(Consul { config: config.clone(), service, runtime: runtime.clone() })
    }

    fn url(&self, path: &str, index: u64, more: &[(&str, &str)]) -> String {
        let Config { scheme, server, path_prefix, .. } = &self.config;
        let prefix = path_prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let mut url =
            format!("{scheme}://{server}{slash}{prefix}{path}?wait={}ms", WAIT.as_millis());
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                url.push_str(&format!("&{name}={}", escape(value)));
            }
        };
        if index > 0 {
            add("index", &index.to_string());
        }
        add("dc", &self.config.datacenter);
        add("ns", &self.config.namespace);
        add("partition", &self.config.partition);
        for (name, value) in more {
            add(name, value);
        }
        for (key, value) in &self.config.node_meta {
            add("node-meta", &format!("{key}:{value}"));
        }
        if self.config.allow_stale {
            url.push_str("&stale");
        }
        url
    }

    /// What is there once it is newer than `index`, and how new it is.
    async fn newer(
        &self,
        path: &str,
        index: u64,
        more: &[(&str, &str)],
    ) -> Result<(Value, u64), String> {
        let response = self.service.get(&self.url(path, index, more)).await?;
        let found = serde_json::from_slice(&body(&response)?);
        let found = found.map_err(|error| format!("parse the answer: {error}"))?;
        let newest = response.headers.get("x-consul-index").and_then(|value| value.to_str().ok());
        let newest: u64 = newest.and_then(|text| text.parse().ok()).unwrap_or_default();
        // An index that goes back is one of another history: begin from the start.
        Ok((found, if newest < index { 0 } else { newest }))
    }

    /// The datacenter of the agent that we ask.
    async fn datacenter(&self) -> Result<String, String> {
        if !self.config.datacenter.is_empty() {
            return Ok(self.config.datacenter.clone());
        }
        let Config { scheme, server, path_prefix, .. } = &self.config;
        let prefix = path_prefix.trim_matches('/');
        let slash = if prefix.is_empty() { "" } else { "/" };
        let url = format!("{scheme}://{server}{slash}{prefix}/v1/agent/self");
        let agent = self.service.get_json(&url).await?;
        Ok(get(&agent["Config"], "Datacenter").to_owned())
    }

    async fn pause(&self, duration: Duration) {
        self.runtime.clock.sleep(duration).await;
    }

    /// Whether a service of this name and these tags is wanted.
    fn wants(&self, name: &str, tags: &[String]) -> bool {
        let Config { services, tags: wanted, .. } = &self.config;
        let is_named = services.is_empty() || services.iter().any(|service| service == name);
        is_named && wanted.iter().all(|tag| tags.contains(tag))
    }
}

impl Discoverer for Consul {
    fn run(self: Box<Self>, updates: Updates) -> BoxFuture<'static, ()> {
        let consul = Arc::new(*self);
        Box::pin(async move {
            let datacenter = loop {
                match consul.datacenter().await {
                    Ok(datacenter) => break datacenter,
                    Err(err) => {
                        error!(discovery = "consul", err, "Error retrieving datacenter name");
                        consul.pause(RETRY_INTERVAL).await;
                    }
                }
            };
            let Config { services, tags, filter, .. } = &consul.config;
            let is_list_known = !services.is_empty() && tags.is_empty() && filter.is_empty();
            let mut watchers =
                Watchers { consul: consul.clone(), datacenter, updates, by_name: BTreeMap::new() };
            if is_list_known {
                watchers.set(services.clone());
                return std::future::pending().await;
            }
            let mut index = 0;
            loop {
                let more = [("filter", consul.config.filter.as_str())];
                match consul.newer("/v1/catalog/services", index, &more).await {
                    Ok((_, newest)) if newest == index && index > 0 => {}
                    Ok((services, newest)) => {
                        index = newest;
                        let services = services.as_object().cloned().unwrap_or_default();
                        let wanted = services
                            .iter()
                            .filter(|(name, tags)| consul.wants(name, &texts(tags)))
                            .map(|(name, _)| name.clone());
                        watchers.set(wanted.collect());
                        consul.pause(consul.config.refresh_interval).await;
                    }
                    Err(err) => {
                        error!(discovery = "consul", err, "Error refreshing service list");
                        index = 0;
                        consul.pause(RETRY_INTERVAL).await;
                    }
                }
            }
        })
    }
}

/// One task a service; they end when this is dropped.
struct Watchers {
    consul: Arc<Consul>,
    datacenter: String,
    updates: Updates,
    by_name: BTreeMap<String, JoinSet<()>>,
}

impl Watchers {
    /// Watches these services and no others.
    fn set(&mut self, names: Vec<String>) {
        let gone: Vec<String> =
            self.by_name.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in &gone {
            self.by_name.remove(name);
        }
        if !gone.is_empty() || (names.is_empty() && self.by_name.is_empty()) {
            let empty = |source: String| TargetGroup { source, ..TargetGroup::default() };
            self.updates.send(gone.into_iter().map(empty).collect());
        }
        for name in names {
            let (consul, updates) = (self.consul.clone(), self.updates.clone());
            let datacenter = self.datacenter.clone();
            self.by_name.entry(name.clone()).or_insert_with(|| {
                let mut task = JoinSet::new();
                task.spawn(async move { watch(&consul, &name, &datacenter, &updates).await });
                task
            });
        }
    }
}

/// Says where the service `name` is, for as long as somebody wants to know.
async fn watch(consul: &Consul, name: &str, datacenter: &str, updates: &Updates) {
    let path = format!("/v1/health/service/{}", escape(name));
    let mut more: Vec<(&str, &str)> =
        consul.config.tags.iter().map(|tag| ("tag", tag.as_str())).collect();
    more.push(("filter", &consul.config.health_filter));
    let mut index = 0;
    loop {
        match consul.newer(&path, index, &more).await {
            Ok((_, newest)) if newest == index && index > 0 => {}
            Ok((entries, newest)) => {
                index = newest;
                let targets = each(&entries).map(|entry| target(entry, &consul.config));
                let labels = [("__meta_consul_service", name), ("__meta_consul_dc", datacenter)];
                let group = TargetGroup {
                    targets: targets.collect(),
                    labels: Labels::from_pairs(labels),
                    source: name.to_owned(),
                };
                updates.send(vec![group]);
                consul.pause(consul.config.refresh_interval).await;
            }
            Err(err) => {
                error!(discovery = "consul", service = name, err, "Error refreshing service");
                index = 0;
                consul.pause(RETRY_INTERVAL).await;
            }
        }
    }
}

fn target(entry: &Value, config: &Config) -> Labels {
    let (node, service) = (&entry["Node"], &entry["Service"]);
    let own = get(service, "Address");
    let host = if own.is_empty() { get(node, "Address") } else { own };
    let mut found = Found::at(&host_port(host, text(&service["Port"])));
    let prefix = "__meta_consul_";
    found.copy(
        prefix,
        node,
        &[("address", "/Address"), ("node", "/Node"), ("partition", "/Partition")],
    );
    found.copy(
        prefix,
        service,
        &[
            ("service_address", "/Address"),
            ("service_port", "/Port"),
            ("service_id", "/ID"),
            ("namespace", "/Namespace"),
        ],
    );
    found.set("__meta_consul_tags", enclosed(&texts(&service["Tags"]), &config.tag_separator));
    found.set("__meta_consul_health", health(&entry["Checks"]));
    found.map("__meta_consul_metadata_", &node["Meta"]);
    found.map("__meta_consul_service_metadata_", &service["Meta"]);
    found.map("__meta_consul_tagged_address_", &node["TaggedAddresses"]);
    found.labels()
}

/// The worst of all checks.
fn health(checks: &Value) -> &'static str {
    let statuses: Vec<(&str, &str)> =
        each(checks).map(|check| (get(check, "CheckID"), get(check, "Status"))).collect();
    let is_maintained = |(id, _): &(&str, &str)| {
        *id == "_node_maintenance" || id.starts_with("_service_maintenance:")
    };
    if statuses.iter().any(is_maintained) {
        return "maintenance";
    }
    ["critical", "warning"]
        .into_iter()
        .find(|wanted| statuses.iter().any(|(_, status)| status == wanted))
        .unwrap_or("passing")
}

//! `docker_sd_configs`: the running containers of a Docker host.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client;

use crate::{
    found::{Found, each, get, group, host_port, text},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `unix:///path`, `tcp://host:port`, or a URL of HTTP.
    pub host: String,
    pub http: client::Config,
    /// Of containers that say none.
    pub port: u16,
    pub filters: Vec<Filter>,
    /// The address of containers that are in the host's own network.
    pub host_networking_host: String,
    /// Whether only the first network of a container counts.
    pub match_first_network: bool,
    pub refresh_interval: Duration,
}

/// Keeps only what has one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub name: String,
    pub values: Vec<String>,
}

/// A daemon of Docker.
pub(crate) struct Daemon {
    url: String,
    service: Service,
    filters: String,
}

impl Daemon {
    pub(crate) fn new(
        host: &str,
        http: &client::Config,
        filters: &[Filter],
        runtime: &Runtime,
    ) -> Result<Daemon, String> {
        let mut http = http.clone();
        let url = if let Some(path) = host.strip_prefix("unix://") {
            http.unix_socket = Some(path.into());
            "http://docker".to_owned()
        } else if let Some(rest) = host.strip_prefix("tcp://") {
            let scheme = if http.tls == client::Tls::default() { "http" } else { "https" };
            format!("{scheme}://{rest}")
        } else {
            host.to_owned()
        };
        let by_name: BTreeMap<&str, &[String]> =
            filters.iter().map(|filter| (filter.name.as_str(), &filter.values[..])).collect();
        Ok(Daemon {
            url: url.trim_end_matches('/').to_owned(),
            service: Service::new(&http, runtime)?,
            filters: escape(&json!(by_name).to_string()),
        })
    }

    pub(crate) async fn list(&self, path: &str) -> Result<Value, String> {
        self.service.get_json(&format!("{}{path}", self.url)).await
    }

    pub(crate) async fn list_filtered(&self, path: &str) -> Result<Value, String> {
        self.list(&format!("{path}?filters={}", self.filters)).await
    }

    /// The labels of each network, by its id.
    pub(crate) async fn networks(&self, prefix: &str) -> Result<BTreeMap<String, Value>, String> {
        let networks = self.list("/networks").await?;
        let by_id = each(&networks).map(|network| {
            let mut labels = serde_json::Map::new();
            let table = [("id", "Id"), ("name", "Name"), ("scope", "Scope")];
            let flags = [("internal", "Internal"), ("ingress", "Ingress")];
            for (name, key) in table.into_iter().chain(flags) {
                labels.insert(format!("{prefix}network_{name}"), network[key].clone());
            }
            for (key, value) in network["Labels"].as_object().into_iter().flatten() {
                let key = crate::found::sanitize(key);
                labels.insert(format!("{prefix}network_label_{key}"), value.clone());
            }
            (get(network, "Id").to_owned(), Value::Object(labels))
        });
        Ok(by_id.collect())
    }
}

pub(crate) struct Docker {
    config: Config,
    daemon: Daemon,
}

impl Polled for Config {
    type Lookup = Docker;

    fn lookup(&self, runtime: &Runtime) -> Result<Docker, String> {
        let daemon = Daemon::new(&self.host, &self.http, &self.filters, runtime)?;
        Ok(Docker { config: self.clone(), daemon })
    }
}

impl Lookup for Docker {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let containers = self.daemon.list_filtered("/containers/json").await?;
        let networks = self.daemon.networks("__meta_docker_").await?;
        let by_id: BTreeMap<&str, &Value> =
            each(&containers).map(|container| (get(container, "Id"), container)).collect();
        let mut targets = Vec::new();
        for container in
            each(&containers).filter(|it| !each(&it["Names"]).collect::<Vec<_>>().is_empty())
        {
            // A container can live in another one's network.
            let mode = get(&container["HostConfig"], "NetworkMode");
            let host = mode.strip_prefix("container:").and_then(|id| by_id.get(id).copied());
            let attached = &host.unwrap_or(container)["NetworkSettings"]["Networks"];
            let attached = attached.as_object().into_iter().flatten().map(|(_, network)| network);
            let n_networks = if self.config.match_first_network { 1 } else { usize::MAX };
            for network in attached.take(n_networks) {
                let labels = networks.get(get(network, "NetworkID"));
                targets.extend(self.targets(container, network, labels, mode));
            }
        }
        Ok(vec![group("Docker", targets)])
    }
}

impl Docker {
    fn targets(
        &self,
        container: &Value,
        network: &Value,
        network_labels: Option<&Value>,
        mode: &str,
    ) -> Vec<Labels> {
        let ip = get(network, "IPAddress");
        let finish = |mut found: Found| {
            found.set("__meta_docker_network_ip", ip);
            found.copy(
                "__meta_docker_container_",
                container,
                &[("id", "/Id"), ("name", "/Names/0"), ("network_mode", "/HostConfig/NetworkMode")],
            );
            found.map("__meta_docker_container_label_", &container["Labels"]);
            if let Some(labels) = network_labels {
                found.map("", labels);
            }
            found.labels()
        };
        let mut targets = Vec::new();
        for port in each(&container["Ports"]).filter(|port| get(port, "Type") == "tcp") {
            let mut found = Found::at(&host_port(ip, text(&port["PrivatePort"])));
            found.set("__meta_docker_port_private", text(&port["PrivatePort"]));
            if port["PublicPort"].as_u64().is_some_and(|port| port > 0) {
                found.set("__meta_docker_port_public", text(&port["PublicPort"]));
                found.set("__meta_docker_port_public_ip", get(port, "IP"));
            }
            targets.push(finish(found));
        }
        if targets.is_empty() {
            let address = match mode {
                "host" => self.config.host_networking_host.clone(),
                _ => host_port(ip, self.config.port),
            };
            targets.push(finish(Found::at(&address)));
        }
        targets
    }
}

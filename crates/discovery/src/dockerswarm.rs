//! `dockerswarm_sd_configs`: the nodes, services and tasks of a swarm.

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    docker::{Daemon, Filter},
    found::{Found, each, get, group, host_port, text},
    refresh::{Lookup, Polled},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// As in `docker_sd_configs`.
    pub host: String,
    pub http: client::Config,
    pub role: Role,
    /// Of what says none.
    pub port: u16,
    pub filters: Vec<Filter>,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Nodes,
    Services,
    Tasks,
}

const PREFIX: &str = "__meta_dockerswarm_";

pub(crate) struct Swarm {
    role: Role,
    port: u16,
    daemon: Daemon,
}

impl Polled for Config {
    type Lookup = Swarm;

    fn lookup(&self, runtime: &Runtime) -> Result<Swarm, String> {
        let daemon = Daemon::new(&self.host, &self.http, &self.filters, runtime)?;
        Ok(Swarm { role: self.role, port: self.port, daemon })
    }
}

impl Lookup for Swarm {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let targets = match self.role {
            Role::Nodes => self.nodes().await?,
            Role::Services => self.services().await?,
            Role::Tasks => self.tasks().await?,
        };
        Ok(vec![group("DockerSwarm", targets)])
    }
}

impl Swarm {
    async fn nodes(&self) -> Result<Vec<Labels>, String> {
        let nodes = self.daemon.list_filtered("/nodes").await?;
        let targets = each(&nodes).map(|node| {
            let mut found = Found::at(&host_port(get(&node["Status"], "Addr"), self.port));
            add_node(&mut found, node);
            found.labels()
        });
        Ok(targets.collect())
    }

    async fn services(&self) -> Result<Vec<Labels>, String> {
        let services = self.daemon.list_filtered("/services").await?;
        let networks = self.daemon.networks(PREFIX).await?;
        let mut targets = Vec::new();
        for service in each(&services) {
            for place in each(&service["Endpoint"]["VirtualIPs"]) {
                let ip = host_of(get(place, "Addr"));
                let finish = |mut found: Found| {
                    add_service(&mut found, service);
                    add_network(&mut found, &networks, get(place, "NetworkID"));
                    found.labels()
                };
                let before = targets.len();
                let ports = each(&service["Endpoint"]["Ports"]);
                for port in ports.filter(|port| get(port, "Protocol") == "tcp") {
                    let mut found = Found::at(&host_port(ip, text(&port["PublishedPort"])));
                    found.set(&format!("{PREFIX}service_endpoint_port_name"), get(port, "Name"));
                    let mode = get(port, "PublishMode");
                    found.set(&format!("{PREFIX}service_endpoint_port_publish_mode"), mode);
                    targets.push(finish(found));
                }
                if targets.len() == before {
                    targets.push(finish(Found::at(&host_port(ip, self.port))));
                }
            }
        }
        Ok(targets)
    }

    async fn tasks(&self) -> Result<Vec<Labels>, String> {
        let tasks = self.daemon.list_filtered("/tasks").await?;
        let services = by_id(self.daemon.list("/services").await?);
        let nodes = by_id(self.daemon.list("/nodes").await?);
        let networks = self.daemon.networks(PREFIX).await?;
        let mut targets = Vec::new();
        for task in each(&tasks) {
            let service = services.get(get(task, "ServiceID"));
            let node = nodes.get(get(task, "NodeID"));
            let finish = |mut found: Found| {
                add_task(&mut found, task);
                if let Some(service) = service {
                    // What only a service's own endpoint can say is left out.
                    add_service_identity(&mut found, service);
                }
                if let Some(node) = node {
                    add_node(&mut found, node);
                }
                found
            };
            let address = node.map_or("", |node| get(&node["Status"], "Addr"));
            let ports = each(&task["Status"]["PortStatus"]["Ports"]);
            for port in ports.filter(|port| get(port, "Protocol") == "tcp") {
                let mut found = Found::at(&host_port(address, text(&port["PublishedPort"])));
                found.set(&format!("{PREFIX}task_port_publish_mode"), get(port, "PublishMode"));
                targets.push(finish(found).labels());
            }
            for attachment in each(&task["NetworksAttachments"]) {
                let network = get(&attachment["Network"], "ID");
                for ip in each(&attachment["Addresses"]).filter_map(Value::as_str).map(host_of) {
                    let before = targets.len();
                    let endpoint = service.map_or(&Value::Null, |s| &s["Endpoint"]["Ports"]);
                    for port in each(endpoint).filter(|port| get(port, "Protocol") == "tcp") {
                        let mut found = Found::at(&host_port(ip, text(&port["PublishedPort"])));
                        let mode = get(port, "PublishMode");
                        found.set(&format!("{PREFIX}task_port_publish_mode"), mode);
                        let mut found = finish(found);
                        add_network(&mut found, &networks, network);
                        targets.push(found.labels());
                    }
                    if targets.len() == before {
                        let mut found = finish(Found::at(&host_port(ip, self.port)));
                        add_network(&mut found, &networks, network);
                        targets.push(found.labels());
                    }
                }
            }
        }
        Ok(targets)
    }
}

fn by_id(list: Value) -> BTreeMap<String, Value> {
    each(&list).map(|entry| (get(entry, "ID").to_owned(), entry.clone())).collect()
}

/// An address without the size of its network.
fn host_of(address: &str) -> &str {
    address.split_once('/').map_or(address, |(host, _)| host)
}

fn add_network(found: &mut Found, networks: &BTreeMap<String, Value>, id: &str) {
    if let Some(labels) = networks.get(id) {
        found.map("", labels);
    }
}

fn add_node(found: &mut Found, node: &Value) {
    found.copy(
        "__meta_dockerswarm_node_",
        node,
        &[
            ("address", "/Status/Addr"),
            ("availability", "/Spec/Availability"),
            ("engine_version", "/Description/Engine/EngineVersion"),
            ("hostname", "/Description/Hostname"),
            ("id", "/ID"),
            ("manager_address", "/ManagerStatus/Addr"),
            ("manager_leader", "/ManagerStatus/Leader"),
            ("manager_reachability", "/ManagerStatus/Reachability"),
            ("platform_architecture", "/Description/Platform/Architecture"),
            ("platform_os", "/Description/Platform/OS"),
            ("role", "/Spec/Role"),
            ("status", "/Status/State"),
        ],
    );
    // Zero values are not in the answer.
    if !node["ManagerStatus"].is_null() && node["ManagerStatus"]["Leader"].is_null() {
        found.set("__meta_dockerswarm_node_manager_leader", "false");
    }
    found.map("__meta_dockerswarm_node_label_", &node["Spec"]["Labels"]);
}

fn add_service_identity(found: &mut Found, service: &Value) {
    let prefix = "__meta_dockerswarm_service_";
    found.copy(prefix, service, &[("id", "/ID"), ("name", "/Spec/Name")]);
    let mode = &service["Spec"]["Mode"];
    let kind = if mode["Global"].is_null() { "replicated" } else { "global" };
    found.set(&format!("{prefix}mode"), kind);
    found.map(&format!("{prefix}label_"), &service["Spec"]["Labels"]);
}

fn add_service(found: &mut Found, service: &Value) {
    add_service_identity(found, service);
    found.copy(
        "__meta_dockerswarm_service_",
        service,
        &[
            ("updating_status", "/UpdateStatus/State"),
            ("task_container_hostname", "/Spec/TaskTemplate/ContainerSpec/Hostname"),
            ("task_container_image", "/Spec/TaskTemplate/ContainerSpec/Image"),
        ],
    );
}

fn add_task(found: &mut Found, task: &Value) {
    found.copy(
        "__meta_dockerswarm_task_",
        task,
        &[
            ("id", "/ID"),
            ("desired_state", "/DesiredState"),
            ("slot", "/Slot"),
            ("state", "/Status/State"),
            ("container_id", "/Status/ContainerStatus/ContainerID"),
        ],
    );
    let labels = &task["Spec"]["ContainerSpec"]["Labels"];
    found.map("__meta_dockerswarm_container_label_", labels);
}

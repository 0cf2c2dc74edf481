//! `openstack_sd_configs`: hypervisors, instances and load balancers of an OpenStack cloud.

mod identity;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use self::identity::Session;
pub use self::identity::{Credentials, Scope, Who};
use crate::{
    found::{Found, each, get, group, host_port, text, texts},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub credentials: Credentials,
    pub role: Role,
    pub region: String,
    /// Of instances: also those of other projects.
    pub all_tenants: bool,
    /// Which of a service's addresses: `public`, `internal` or `admin`.
    pub availability: String,
    pub tls: client::Tls,
    pub port: u16,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Hypervisor,
    Instance,
    LoadBalancer,
}

pub(crate) struct OpenStack {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = OpenStack;

    fn lookup(&self, runtime: &Runtime) -> Result<OpenStack, String> {
        let http = client::Config { tls: self.tls.clone(), ..client::Config::default() };
        Ok(OpenStack { config: self.clone(), service: Service::new(&http, runtime)? })
    }
}

impl Lookup for OpenStack {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let session = Session::open(&self.service, &self.config).await?;
        let targets = match self.config.role {
            Role::Hypervisor => self.hypervisors(&session).await?,
            Role::Instance => self.instances(&session).await?,
            Role::LoadBalancer => self.load_balancers(&session).await?,
        };
        Ok(vec![group(format!("OS_{}", self.config.region), targets)])
    }
}

impl OpenStack {
    /// All things of a list, which is at `path` of a service.
    async fn list(
        &self,
        session: &Session,
        service: &str,
        path: &str,
        key: &str,
    ) -> Result<Vec<Value>, String> {
        let url = format!("{}{path}", session.endpoint(service)?);
        let links = format!("{}_links", key.trim_start_matches("os-"));
        let next = |page: &Value| {
            let link = each(&page[&links]).find(|link| get(link, "rel") == "next");
            link.map_or("", |link| get(link, "href")).to_owned()
        };
        let pages = self.service.pages(url, &session.headers, next).await?;
        Ok(pages.iter().flat_map(|page| each(&page[key])).cloned().collect())
    }

    async fn hypervisors(&self, session: &Session) -> Result<Vec<Labels>, String> {
        let all = self.list(session, "compute", "/os-hypervisors/detail", "hypervisors").await?;
        let found = all.iter().map(|hypervisor| {
            let mut found = Found::at(&host_port(get(hypervisor, "host_ip"), self.config.port));
            found.copy(
                "__meta_openstack_hypervisor_",
                hypervisor,
                &[
                    ("host_ip", "/host_ip"),
                    ("hostname", "/hypervisor_hostname"),
                    ("id", "/id"),
                    ("state", "/state"),
                    ("status", "/status"),
                    ("type", "/hypervisor_type"),
                ],
            );
            found.labels()
        });
        Ok(found.collect())
    }

    async fn instances(&self, session: &Session) -> Result<Vec<Labels>, String> {
        let ports = self.list(session, "network", "/v2.0/ports", "ports").await?;
        let floating = self.list(session, "network", "/v2.0/floatingips", "floatingips").await?;
        let floating = Floating::new(&ports, &floating);
        let path = match self.config.all_tenants {
            true => "/servers/detail?all_tenants=true",
            false => "/servers/detail",
        };
        let servers = self.list(session, "compute", path, "servers").await?;
        Ok(servers.iter().flat_map(|server| self.addresses(server, &floating)).collect())
    }

    /// One target for each address of the server but for those that stand for others.
    fn addresses(&self, server: &Value, floating: &Floating) -> Vec<Labels> {
        let mut common = Found::default();
        common.copy(
            "__meta_openstack_",
            server,
            &[
                ("instance_flavor", "/flavor/id"),
                // Newer clouds say this instead.
                ("instance_flavor", "/flavor/original_name"),
                ("instance_id", "/id"),
                ("instance_image", "/image/id"),
                ("instance_name", "/name"),
                ("instance_status", "/status"),
                ("project_id", "/tenant_id"),
                ("user_id", "/user_id"),
            ],
        );
        common.map("__meta_openstack_tag_", &server["metadata"]);
        let mut targets = Vec::new();
        for (pool, addresses) in server["addresses"].as_object().into_iter().flatten() {
            for address in each(addresses).map(|it| get(it, "addr")) {
                if address.is_empty() || floating.all.contains(address) {
                    continue;
                }
                let mut found = common.clone();
                let (tenant, id) = (get(server, "tenant_id"), get(server, "id"));
                let key = [tenant, id, address].map(str::to_owned);
                let public = floating.by_fixed.get(&key).map_or("", String::as_str);
                found.set("__address__", host_port(address, self.config.port));
                found.set("__meta_openstack_address_pool", pool);
                found.set("__meta_openstack_private_ip", address);
                found.set("__meta_openstack_public_ip", public);
                targets.push(found.labels());
            }
        }
        targets
    }

    /// Those with a listener that speaks of metrics.
    async fn load_balancers(&self, session: &Session) -> Result<Vec<Labels>, String> {
        let path = "/v2.0/lbaas/loadbalancers";
        let all = self.list(session, "load-balancer", path, "loadbalancers").await?;
        let path = "/v2.0/lbaas/listeners";
        let listeners = self.list(session, "load-balancer", path, "listeners").await?;
        let floating = self.list(session, "network", "/v2.0/floatingips", "floatingips").await?;
        let floating: BTreeMap<&str, &str> = floating
            .iter()
            .map(|it| (get(it, "port_id"), get(it, "floating_ip_address")))
            .filter(|(port, _)| !port.is_empty())
            .collect();
        let found = all.iter().filter_map(|balancer| {
            let is_ours = |listener: &&Value| {
                let id = get(balancer, "id");
                get(listener, "protocol") == "PROMETHEUS"
                    && each(&listener["loadbalancers"]).any(|it| get(it, "id") == id)
            };
            let listener = listeners.iter().find(is_ours)?;
            Some(load_balancer(balancer, listener, &floating).labels())
        });
        Ok(found.collect())
    }
}

fn load_balancer(balancer: &Value, listener: &Value, floating: &BTreeMap<&str, &str>) -> Found {
    let vip = get(balancer, "vip_address");
    let mut found = Found::at(&host_port(vip, text(&listener["protocol_port"])));
    found.copy(
        "__meta_openstack_",
        balancer,
        &[
            ("loadbalancer_availability_zone", "/availability_zone"),
            ("loadbalancer_id", "/id"),
            ("loadbalancer_name", "/name"),
            ("loadbalancer_operating_status", "/operating_status"),
            ("loadbalancer_provider", "/provider"),
            ("loadbalancer_provisioning_status", "/provisioning_status"),
            ("loadbalancer_vip", "/vip_address"),
            ("project_id", "/project_id"),
        ],
    );
    let floating_ip = floating.get(get(balancer, "vip_port_id")).copied().unwrap_or_default();
    found.set("__meta_openstack_loadbalancer_floating_ip", floating_ip);
    found.set("__meta_openstack_loadbalancer_tags", texts(&balancer["tags"]).join(","));
    found
}

/// Public addresses that stand for others.
struct Floating {
    all: BTreeSet<String>,
    /// By project, server and the address that they stand for.
    by_fixed: BTreeMap<[String; 3], String>,
}

impl Floating {
    fn new(ports: &[Value], floating: &[Value]) -> Floating {
        let servers: BTreeMap<&str, &str> =
            ports.iter().map(|port| (get(port, "id"), get(port, "device_id"))).collect();
        let mut known = Floating { all: BTreeSet::new(), by_fixed: BTreeMap::new() };
        for ip in floating {
            let (port, fixed) = (get(ip, "port_id"), get(ip, "fixed_ip_address"));
            let Some(server) = servers.get(port).filter(|_| !fixed.is_empty()) else { continue };
            let address = get(ip, "floating_ip_address").to_owned();
            let key = [get(ip, "tenant_id"), server, fixed].map(str::to_owned);
            known.all.insert(address.clone());
            known.by_fixed.insert(key, address);
        }
        known
    }
}

//! `eureka_sd_configs`: the applications that have registered with Netflix' Eureka.

use std::{collections::BTreeMap, time::Duration};

use model::TargetGroup;
use runtime::Runtime;
use serde::Deserialize;
use transport::client;

use crate::{
    found::{Found, group, host_port, sanitize},
    refresh::{Lookup, Polled},
    service::{Service, body},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: String,
    pub http: client::Config,
    pub refresh_interval: Duration,
}

#[derive(Deserialize)]
struct Applications {
    #[serde(rename = "application", default)]
    all: Vec<Application>,
}

#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    name: String,
    #[serde(rename = "instance", default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Instance {
    host_name: String,
    home_page_url: String,
    status_page_url: String,
    health_check_url: String,
    ip_addr: String,
    vip_address: String,
    secure_vip_address: String,
    status: String,
    port: Option<Port>,
    secure_port: Option<Port>,
    data_center_info: DataCenter,
    metadata: BTreeMap<String, String>,
    country_id: String,
    instance_id: String,
}

#[derive(Deserialize)]
struct Port {
    #[serde(rename = "$text", default)]
    number: u16,
    #[serde(rename = "@enabled", default)]
    enabled: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DataCenter {
    name: String,
    metadata: BTreeMap<String, String>,
}

pub(crate) struct Eureka {
    url: String,
    service: Service,
}

impl Polled for Config {
    type Lookup = Eureka;

    fn lookup(&self, runtime: &Runtime) -> Result<Eureka, String> {
        let url = format!("{}/apps", self.server.trim_end_matches('/'));
        let service =
            Service::new(&self.http, runtime)?.with_header("accept", "application/xml")?;
        Ok(Eureka { url, service })
    }
}

impl Lookup for Eureka {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let body = body(&self.service.get(&self.url).await?)?;
        let text = String::from_utf8_lossy(&body);
        let applications: Applications =
            quick_xml::de::from_str(&text).map_err(|error| format!("parse the answer: {error}"))?;
        let targets = applications.all.iter().flat_map(|application| {
            application
                .instances
                .iter()
                .map(|instance| target(&application.name, instance).labels())
        });
        Ok(vec![group("eureka", targets.collect())])
    }
}

fn target(name: &str, instance: &Instance) -> Found {
    let port = instance.port.as_ref().map_or(80, |port| port.number);
    let mut found = Found::at(&host_port(&instance.host_name, port));
    found.set("instance", &instance.instance_id);
    found.set("__meta_eureka_app_name", name);
    let prefix = "__meta_eureka_app_instance_";
    let pairs = [
        ("id", &instance.instance_id),
        ("hostname", &instance.host_name),
        ("homepage_url", &instance.home_page_url),
        ("statuspage_url", &instance.status_page_url),
        ("healthcheck_url", &instance.health_check_url),
        ("ip_addr", &instance.ip_addr),
        ("vip_address", &instance.vip_address),
        ("secure_vip_address", &instance.secure_vip_address),
        ("status", &instance.status),
        ("country_id", &instance.country_id),
        ("datacenterinfo_name", &instance.data_center_info.name),
    ];
    for (name, value) in pairs {
        found.set(&format!("{prefix}{name}"), value);
    }
    for (name, port) in [("port", &instance.port), ("secure_port", &instance.secure_port)] {
        if let Some(port) = port {
            found.set(&format!("{prefix}{name}"), port.number.to_string());
            found.set(&format!("{prefix}{name}_enabled"), &port.enabled);
        }
    }
    for (key, value) in &instance.metadata {
        found.set(&format!("{prefix}metadata_{}", sanitize(key)), value);
    }
    for (key, value) in &instance.data_center_info.metadata {
        found.set(&format!("{prefix}datacenterinfo_metadata_{}", sanitize(key)), value);
    }
    found
}

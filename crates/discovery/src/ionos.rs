//! `ionos_sd_configs`: servers in a data centre of IONOS.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub http: client::Config,
    pub datacenter_id: String,
    pub port: u16,
    pub refresh_interval: Duration,
}

const API: &str = "https://api.ionos.com/cloudapi/v6/datacenters";

pub(crate) struct Ionos {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Ionos;

    fn lookup(&self, runtime: &Runtime) -> Result<Ionos, String> {
        Ok(Ionos { config: self.clone(), service: Service::new(&self.http, runtime)? })
    }
}

impl Lookup for Ionos {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let id = &self.config.datacenter_id;
        let url = format!("{API}/{}/servers?depth=3", escape(id));
        let servers = self.service.get_json(&url).await?;
        let found = each(&servers["items"]).filter_map(|server| self.target(server));
        let targets = found.map(|found| found.labels()).collect();
        Ok(vec![group(format!("ionos/{id}"), targets)])
    }
}

impl Ionos {
    /// Nothing for a server without an address.
    fn target(&self, server: &Value) -> Option<Found> {
        let cards: Vec<&Value> = each(&server["entities"]["nics"]["items"]).collect();
        let of_card = |card: &Value| texts(&card["properties"]["ips"]);
        let all: Vec<String> = cards.iter().flat_map(|card| of_card(card)).collect();
        let mut found = Found::at(&host_port(all.first()?, self.config.port));
        for card in &cards {
            let ips = of_card(card);
            let name = match get(&card["properties"], "name") {
                "" => "unnamed".to_owned(),
                name => sanitize(name),
            };
            found.set(&format!("__meta_ionos_server_nic_ip_{name}"), enclosed(&ips, ","));
        }
        found.copy(
            "__meta_ionos_server_",
            server,
            &[
                ("availability_zone", "/properties/availabilityZone"),
                ("cpu_family", "/properties/cpuFamily"),
                ("id", "/id"),
                ("lifecycle", "/metadata/state"),
                ("name", "/properties/name"),
                ("state", "/properties/vmState"),
                ("type", "/properties/type"),
                ("boot_cdrom_id", "/properties/bootCdrom/id"),
                ("boot_image_id", "/entities/volumes/items/0/properties/image"),
                ("boot_volume_id", "/properties/bootVolume/id"),
            ],
        );
        found.set("__meta_ionos_server_ip", enclosed(&all, ","));
        let boot = get(&server["properties"]["bootVolume"], "id");
        let volumes = &server["entities"]["volumes"]["items"];
        if let Some(volume) = each(volumes).find(|volume| get(volume, "id") == boot) {
            found.set("__meta_ionos_server_boot_image_id", get(&volume["properties"], "image"));
        }
        Some(found)
    }
}

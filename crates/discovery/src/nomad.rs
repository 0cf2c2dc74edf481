//! `nomad_sd_configs`: the services that Nomad keeps itself.

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, host_port, text, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: String,
    pub http: client::Config,
    pub namespace: String,
    pub region: String,
    pub allow_stale: bool,
    pub tag_separator: String,
    pub refresh_interval: Duration,
}

pub(crate) struct Nomad {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Nomad;

    fn lookup(&self, runtime: &Runtime) -> Result<Nomad, String> {
        Ok(Nomad { config: self.clone(), service: Service::new(&self.http, runtime)? })
    }
}

impl Lookup for Nomad {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let listed = self.service.get_json(&self.url("/v1/services")).await?;
        let mut groups = Vec::new();
        for namespace in each(&listed) {
            for stub in each(&namespace["Services"]) {
                let name = get(stub, "ServiceName");
                let path = format!("/v1/service/{}", escape(name));
                let instances = self.service.get_json(&self.url(&path)).await?;
                let targets = each(&instances).map(|instance| self.target(instance));
                groups.push(crate::found::group(format!("Nomad/{name}"), targets.collect()));
            }
        }
        Ok(groups)
    }
}

impl Nomad {
    fn url(&self, path: &str) -> String {
        let Config { server, namespace, region, allow_stale, .. } = &self.config;
        let (server, namespace, region) =
            (server.trim_end_matches('/'), escape(namespace), escape(region));
        let stale = if *allow_stale { "&stale=" } else { "" };
        format!("{server}{path}?namespace={namespace}&region={region}{stale}")
    }

    fn target(&self, instance: &serde_json::Value) -> Labels {
        let mut found = Found::at(&host_port(get(instance, "Address"), text(&instance["Port"])));
        found.copy(
            "__meta_nomad_",
            instance,
            &[
                ("address", "/Address"),
                ("dc", "/Datacenter"),
                ("namespace", "/Namespace"),
                ("node_id", "/NodeID"),
                ("service", "/ServiceName"),
                ("service_address", "/Address"),
                ("service_alloc_id", "/AllocID"),
                ("service_id", "/ID"),
                ("service_job_id", "/JobID"),
                ("service_port", "/Port"),
            ],
        );
        let tags = enclosed(&texts(&instance["Tags"]), &self.config.tag_separator);
        found.set("__meta_nomad_tags", tags);
        found.labels()
    }
}

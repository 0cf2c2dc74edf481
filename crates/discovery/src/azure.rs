//! `azure_sd_configs`: Microsoft's virtual machines, also those of scale sets.

mod access;

use std::time::Duration;

use http::HeaderMap;
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use tracing::debug;
use transport::client::{self, Secret};

use self::access::Access;
use crate::{
    found::{Found, each, get, group, host_port},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `AzurePublicCloud` or one of its siblings.
    pub environment: String,
    pub authentication: Authentication,
    pub subscription_id: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: Option<Secret>,
    /// Empty means all.
    pub resource_group: String,
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

/// Where tokens come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// The client's secret.
    OAuth,
    /// The machine that we run on.
    ManagedIdentity,
    /// A file that Kubernetes writes.
    WorkloadIdentity,
    /// Whichever of them the environment has settings for.
    Sdk,
}

const COMPUTE: &str = "api-version=2024-07-01";
const NETWORK: &str = "api-version=2024-05-01&$expand=ipConfigurations/publicIPAddress";
/// Interfaces of machines in scale sets are known to an older API only.
const SCALE_SET_NETWORK: &str = "api-version=2018-10-01&$expand=ipConfigurations/publicIPAddress";

pub(crate) struct Azure {
    config: Config,
    /// Where resources are managed.
    url: &'static str,
    access: Access,
    service: Service,
}

/// A virtual machine, and the scale set that it is of.
struct Machine<'a> {
    json: &'a Value,
    scale_set: &'a str,
}

impl Polled for Config {
    type Lookup = Azure;

    fn lookup(&self, runtime: &Runtime) -> Result<Azure, String> {
        let cloud = access::cloud(&self.environment)?;
        let service = Service::new(&self.http, runtime)?;
        let access = Access::new(self, cloud, runtime)?;
        Ok(Azure { config: self.clone(), url: cloud.resources, access, service })
    }
}

impl Lookup for Azure {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let headers = self.access.headers(&self.service).await?;
        let machines = self.list(&self.list_url("virtualMachines"), &headers).await?;
        let mut all: Vec<(Value, String)> =
            machines.into_iter().map(|machine| (machine, String::new())).collect();
        for set in self.list(&self.list_url("virtualMachineScaleSets"), &headers).await? {
            let url = format!("{}{}/virtualMachines?{COMPUTE}", self.url, get(&set, "id"));
            let machines = self.list(&url, &headers).await?;
            let name = get(&set, "name");
            all.extend(machines.into_iter().map(|machine| (machine, name.to_owned())));
        }
        let mut targets = Vec::new();
        for (json, scale_set) in &all {
            let found = self.target(&Machine { json, scale_set }, &headers).await?;
            targets.extend(found.map(|found| found.labels()));
        }
        Ok(vec![group("", targets)])
    }
}

impl Azure {
    fn list_url(&self, things: &str) -> String {
        let Config { subscription_id, resource_group, .. } = &self.config;
        let within = match resource_group.as_str() {
            "" => String::new(),
            name => format!("/resourceGroups/{name}"),
        };
        format!(
            "{}/subscriptions/{subscription_id}{within}/providers/Microsoft.Compute/{things}?{COMPUTE}",
            self.url
        )
    }

    async fn list(&self, url: &str, headers: &HeaderMap) -> Result<Vec<Value>, String> {
        let next = |page: &Value| get(page, "nextLink").to_owned();
        let pages = self.service.pages(url.to_owned(), headers, next).await?;
        Ok(pages.iter().flat_map(|page| each(&page["value"])).cloned().collect())
    }

    /// Nothing for a machine that is off: its interfaces do not say whether they are primary.
    async fn target(
        &self,
        machine: &Machine<'_>,
        headers: &HeaderMap,
    ) -> Result<Option<Found>, String> {
        let version = if machine.scale_set.is_empty() { NETWORK } else { SCALE_SET_NETWORK };
        let interfaces = &machine.json["properties"]["networkProfile"]["networkInterfaces"];
        for interface in each(interfaces) {
            let id = get(interface, "id");
            let url = format!("{}{id}?{version}", self.url);
            let response =
                self.service.send(http::Method::GET, &url, headers.clone(), bytes::Bytes::new());
            let response = response.await?;
            if response.status == http::StatusCode::NOT_FOUND {
                debug!(id, "Network interface does not exist");
                continue;
            }
            let interface = crate::service::json(&response)?;
            if interface["properties"]["primary"] != true {
                continue;
            }
            for ip in each(&interface["properties"]["ipConfigurations"]) {
                let private = get(&ip["properties"], "privateIPAddress");
                if !private.is_empty() {
                    return Ok(Some(self.labels(machine, &ip["properties"], private)));
                }
            }
            let name = get(machine.json, "name");
            return Err(format!("unable to find a private IP for VM {name}"));
        }
        Ok(None)
    }

    fn labels(&self, machine: &Machine<'_>, ip: &Value, private: &str) -> Found {
        let Machine { json, scale_set } = machine;
        let mut found = Found::at(&host_port(private, self.config.port));
        found.copy(
            "__meta_azure_machine_",
            json,
            &[
                ("computer_name", "/properties/osProfile/computerName"),
                ("id", "/id"),
                ("location", "/location"),
                ("name", "/name"),
                ("os_type", "/properties/storageProfile/osDisk/osType"),
                ("size", "/properties/hardwareProfile/vmSize"),
            ],
        );
        // /subscriptions/<id>/resourceGroups/<name>/…
        let resource_group = get(json, "id").split('/').nth(4).unwrap_or_default();
        for (name, value) in [
            ("machine_private_ip", private),
            ("machine_public_ip", get(&ip["publicIPAddress"]["properties"], "ipAddress")),
            ("machine_resource_group", resource_group),
            ("machine_scale_set", scale_set),
            ("subscription_id", &self.config.subscription_id),
            ("tenant_id", &self.config.tenant_id),
        ] {
            found.set(&format!("__meta_azure_{name}"), value);
        }
        found.map("__meta_azure_machine_tag_", &json["tags"]);
        found
    }
}

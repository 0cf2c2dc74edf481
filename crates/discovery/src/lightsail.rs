//! `lightsail_sd_configs`: Amazon's small virtual machines.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use serde_json::{Value, json};

use crate::{
    aws::{self, Account, Api},
    found::{Found, each, enclosed, get, group, host_port, texts},
    refresh::{Lookup, Polled},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    pub port: u16,
    pub refresh_interval: Duration,
}

pub(crate) struct Lightsail {
    api: Api,
    port: u16,
}

impl Polled for Config {
    type Lookup = Lightsail;

    fn lookup(&self, runtime: &Runtime) -> Result<Lightsail, String> {
        let api = self.account.api(runtime, "lightsail", "Lightsail")?;
        Ok(Lightsail { api, port: self.port })
    }
}

impl Lookup for Lightsail {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let api = &self.api;
        let pages = aws::pages("nextPageToken", |next| async move {
            let question = next.map_or(json!({}), |token| json!({ "pageToken": token }));
            api.call("Lightsail_20161128.GetInstances", &question).await
        });
        let pages = pages.await?;
        let instances = pages.iter().flat_map(|page| each(&page["instances"]));
        let found = instances.filter_map(|instance| self.target(instance));
        Ok(vec![group(self.api.region.clone(), found.map(|found| found.labels()).collect())])
    }
}

impl Lightsail {
    /// Nothing for an instance without an address.
    fn target(&self, instance: &Value) -> Option<Found> {
        let private = get(instance, "privateIpAddress");
        if private.is_empty() {
            return None;
        }
        let mut found = Found::at(&host_port(private, self.port));
        found.copy(
            "__meta_lightsail_",
            instance,
            &[
                ("availability_zone", "/location/availabilityZone"),
                ("blueprint_id", "/blueprintId"),
                ("bundle_id", "/bundleId"),
                ("instance_name", "/name"),
                ("instance_state", "/state/name"),
                ("instance_support_code", "/supportCode"),
                ("private_ip", "/privateIpAddress"),
                ("public_ip", "/publicIpAddress"),
            ],
        );
        found.set("__meta_lightsail_region", &self.api.region);
        let addresses = enclosed(&texts(&instance["ipv6Addresses"]), ",");
        found.set("__meta_lightsail_ipv6_addresses", addresses);
        found.tags("__meta_lightsail_tag_", each(&instance["tags"]), ["key", "value"]);
        Some(found)
    }
}

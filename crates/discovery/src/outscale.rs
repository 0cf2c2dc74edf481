//! `outscale_sd_configs`: virtual machines of Outscale.

use std::time::Duration;

use model::TargetGroup;
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client::{self, Authentication, SigV4};

use crate::{
    aws,
    found::{Found, each, get, group, host_port},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub endpoint: String,
    pub http: client::Config,
    /// Who we are, and the region.
    pub sigv4: SigV4,
    pub port: u16,
    pub refresh_interval: Duration,
}

pub(crate) struct Outscale {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = Outscale;

    fn lookup(&self, runtime: &Runtime) -> Result<Outscale, String> {
        // Outscale takes Amazon's signatures, under a service of its own.
        let sigv4 = SigV4 { service: "oapi".to_owned(), ..self.sigv4.clone() };
        let authentication = Authentication::SigV4(Box::new(sigv4));
        let http = client::Config { authentication, ..self.http.clone() };
        Ok(Outscale { config: self.clone(), service: Service::new(&http, runtime)? })
    }
}

impl Lookup for Outscale {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let url = format!("{}/ReadVms", self.config.endpoint.trim_end_matches('/'));
        let (service, url) = (&self.service, &url);
        let pages = aws::pages("NextPageToken", |next| async move {
            let question = next.map_or(json!({}), |token| json!({ "NextPageToken": token }));
            service.post_json(url, &question).await
        });
        let pages = pages.await?;
        let machines = pages.iter().flat_map(|page| each(&page["Vms"]));
        let found = machines.filter_map(|machine| Some(self.target(machine)?.labels()));
        Ok(vec![group(self.config.sigv4.region.clone(), found.collect())])
    }
}

impl Outscale {
    /// At the private address or else the public one; nothing without both.
    fn target(&self, machine: &Value) -> Option<Found> {
        let addresses = [get(machine, "PrivateIp"), get(machine, "PublicIp")];
        let address = addresses.into_iter().find(|address| !address.is_empty())?;
        let mut found = Found::at(&host_port(address, self.config.port));
        found.copy(
            "__meta_outscale_vm_",
            machine,
            &[
                ("instance_id", "/VmId"),
                ("private_ip", "/PrivateIp"),
                ("public_ip", "/PublicIp"),
                ("state", "/State"),
                ("subregion", "/Placement/SubregionName"),
            ],
        );
        found.set("__meta_outscale_vm_region", &self.config.sigv4.region);
        found.tags("__meta_outscale_vm_tag_", each(&machine["Tags"]), ["Key", "Value"]);
        Some(found)
    }
}

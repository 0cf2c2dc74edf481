//! `ovhcloud_sd_configs`: virtual private and dedicated servers of OVHcloud.

use std::time::Duration;

use aws_lc_rs::digest;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Secret};

use crate::{
    found::{Found, get, group, text, texts},
    refresh::{Lookup, Polled},
    service::{Service, escape, json},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// One of OVH's names, or a URL.
    pub endpoint: String,
    pub application_key: String,
    pub application_secret: Secret,
    pub consumer_key: Secret,
    pub service: Kind,
    pub refresh_interval: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Vps,
    DedicatedServer,
}

const ENDPOINTS: [(&str, &str); 7] = [
    ("ovh-eu", "https://eu.api.ovh.com/1.0"),
    ("ovh-ca", "https://ca.api.ovh.com/1.0"),
    ("ovh-us", "https://api.us.ovhcloud.com/1.0"),
    ("kimsufi-eu", "https://eu.api.kimsufi.com/1.0"),
    ("kimsufi-ca", "https://ca.api.kimsufi.com/1.0"),
    ("soyoustart-eu", "https://eu.api.soyoustart.com/1.0"),
    ("soyoustart-ca", "https://ca.api.soyoustart.com/1.0"),
];

pub(crate) struct OvhCloud {
    config: Config,
    url: String,
    service: Service,
    runtime: Runtime,
    /// How far OVH's clock is ahead of ours; signatures have its time in them.
    ahead_seconds: Option<i64>,
}

impl Polled for Config {
    type Lookup = OvhCloud;

    fn lookup(&self, runtime: &Runtime) -> Result<OvhCloud, String> {
        let known = ENDPOINTS.iter().find(|(name, _)| *name == self.endpoint);
        let url = match known {
            Some((_, url)) => *url,
            None if self.endpoint.contains('/') => self.endpoint.trim_end_matches('/'),
            None => return Err(format!("unknown endpoint '{}'", self.endpoint)),
        };
        Ok(OvhCloud {
            config: self.clone(),
            url: url.to_owned(),
            service: Service::new(&client::Config::default(), runtime)?,
            runtime: runtime.clone(),
            ahead_seconds: None,
        })
    }
}

impl Lookup for OvhCloud {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let (list, source) = match self.config.service {
            Kind::Vps => ("/vps", "ovhcloud_vps"),
            Kind::DedicatedServer => ("/dedicated/server", "ovhcloud_dedicated_server"),
        };
        let mut targets = Vec::new();
        for name in texts(&self.get(list).await?) {
            let path = format!("{list}/{}", escape(&name));
            let server = self.get(&path).await?;
            let ips = self.get(&format!("{path}/ips")).await?;
            let target = match self.config.service {
                Kind::Vps => vps(&server, &ips),
                Kind::DedicatedServer => dedicated_server(&server, &ips),
            };
            targets.push(target);
        }
        Ok(vec![group(source, targets)])
    }
}

impl OvhCloud {
    async fn get(&mut self, path: &str) -> Result<Value, String> {
        let now = i64::try_from(self.runtime.clock.now().as_secs()).unwrap_or_default();
        let ahead = match self.ahead_seconds {
            Some(ahead) => ahead,
            None => {
                let answer = self.service.get_json(&format!("{}/auth/time", self.url)).await?;
                let ahead = answer.as_i64().ok_or("the answer has no time")? - now;
                *self.ahead_seconds.insert(ahead)
            }
        };
        let url = format!("{}{path}", self.url);
        let headers = self.headers(&url, now + ahead)?;
        json(&self.service.send(Method::GET, &url, headers, Bytes::new()).await?)
    }

    /// Who asks, and a signature over what is asked.
    fn headers(&self, url: &str, time: i64) -> Result<HeaderMap, String> {
        let secret = inline(&self.config.application_secret);
        let consumer = inline(&self.config.consumer_key);
        // Nothing stands where the body of a GET would.
        let signed = format!("{secret}+{consumer}+GET+{url}++{time}");
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, signed.as_bytes());
        let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ovh-application", self.config.application_key.as_str()),
            ("x-ovh-consumer", consumer),
            ("x-ovh-signature", &format!("$1${hash}")),
            ("x-ovh-timestamp", &time.to_string()),
        ] {
            let value =
                HeaderValue::from_str(value).map_err(|error| format!("header {name}: {error}"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }
}

fn inline(secret: &Secret) -> &str {
    match secret {
        Secret::Inline(text) => text,
        Secret::File(_) => "",
    }
}

/// The first address of version 4 and of version 6; the better of them is where the target is.
fn addresses(found: &mut Found, prefix: &str, ips: &Value) {
    let ips = texts(ips);
    let ips: Vec<&str> = ips.iter().filter_map(|ip| ip.split('/').next()).collect();
    let v4 = ips.iter().rfind(|ip| ip.contains('.')).copied().unwrap_or_default();
    let v6 = ips.iter().rfind(|ip| ip.contains(':')).copied().unwrap_or_default();
    found.set("__address__", if v4.is_empty() { v6 } else { v4 });
    found.set(&format!("{prefix}ipv4"), v4);
    found.set(&format!("{prefix}ipv6"), v6);
}

/// As Go prints a list.
fn bracketed(list: &Value) -> String {
    format!("[{}]", texts(list).join(" "))
}

fn vps(server: &Value, ips: &Value) -> Labels {
    let prefix = "__meta_ovhcloud_vps_";
    let mut found = Found::default();
    addresses(&mut found, prefix, ips);
    found.copy(
        prefix,
        server,
        &[
            ("cluster", "/cluster"),
            ("disk", "/model/disk"),
            ("display_name", "/displayName"),
            ("keymap", "/keymap"),
            ("maximum_additional_ip", "/model/maximumAdditionnalIp"),
            ("memory", "/model/memory"),
            ("memory_limit", "/memoryLimit"),
            ("model_name", "/model/name"),
            ("model_vcore", "/model/vcore"),
            ("name", "/name"),
            ("netboot_mode", "/netbootMode"),
            ("offer", "/model/offer"),
            ("offer_type", "/offerType"),
            ("state", "/state"),
            ("vcore", "/vcore"),
            ("version", "/model/version"),
            ("zone", "/zone"),
        ],
    );
    found.set(&format!("{prefix}datacenter"), bracketed(&server["model"]["datacenter"]));
    let blocks = &server["monitoringIpBlocks"];
    found.set(&format!("{prefix}monitoring_ip_blocks"), bracketed(blocks));
    found.set("instance", get(server, "name"));
    found.labels()
}

fn dedicated_server(server: &Value, ips: &Value) -> Labels {
    let prefix = "__meta_ovhcloud_dedicated_server_";
    let mut found = Found::default();
    addresses(&mut found, prefix, ips);
    found.copy(
        prefix,
        server,
        &[
            ("commercial_range", "/commercialRange"),
            ("datacenter", "/datacenter"),
            ("link_speed", "/linkSpeed"),
            ("name", "/name"),
            ("no_intervention", "/noIntervention"),
            ("os", "/os"),
            ("rack", "/rack"),
            ("reverse", "/reverse"),
            ("server_id", "/serverId"),
            ("state", "/state"),
            ("support_level", "/supportLevel"),
        ],
    );
    found.set("instance", text(&server["name"]));
    found.labels()
}

//! `lightsail_sd_configs`: Amazon's small virtual machines.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, header};
use model::TargetGroup;
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client::{self, Authentication, SigV4};

use crate::{
    found::{Found, each, enclosed, get, group, host_port, sanitize, texts},
    refresh::{Lookup, Polled},
    service::{self, Service},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Empty means Amazon's own.
    pub endpoint: String,
    pub http: client::Config,
    /// Who we are, and the region.
    pub sigv4: SigV4,
    pub port: u16,
    pub refresh_interval: Duration,
}

pub(crate) struct Lightsail {
    url: String,
    region: String,
    port: u16,
    service: Service,
}

impl Polled for Config {
    type Lookup = Lightsail;

    fn lookup(&self, runtime: &Runtime) -> Result<Lightsail, String> {
        let mut sigv4 = self.sigv4.clone();
        if sigv4.region.is_empty() {
            let mut named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
            let named = named.find_map(|name| std::env::var(name).ok());
            sigv4.region = named.ok_or("Lightsail SD configuration requires a region")?;
        }
        sigv4.service = "lightsail".to_owned();
        let region = sigv4.region.clone();
        let mut http = self.http.clone();
        http.authentication = Authentication::SigV4(Box::new(sigv4));
        let url = match self.endpoint.as_str() {
            "" => format!("https://lightsail.{region}.amazonaws.com/"),
            endpoint => endpoint.to_owned(),
        };
        Ok(Lightsail { url, region, port: self.port, service: Service::new(&http, runtime)? })
    }

    fn refresh_interval(&self) -> Duration {
        self.refresh_interval
    }
}

impl Lookup for Lightsail {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let mut targets = Vec::new();
        let mut next = Value::Null;
        loop {
            let question = match &next {
                Value::Null => json!({}),
                token => json!({ "pageToken": token }),
            };
            let mut headers = HeaderMap::new();
            let kind = HeaderValue::from_static("application/x-amz-json-1.1");
            headers.insert(header::CONTENT_TYPE, kind);
            let action = HeaderValue::from_static("Lightsail_20161128.GetInstances");
            headers.insert("x-amz-target", action);
            let body = question.to_string().into();
            let response = self.service.send(Method::POST, &self.url, headers, body).await?;
            let mut answer = service::json(&response)?;
            let found = each(&answer["instances"]).filter_map(|instance| self.target(instance));
            targets.extend(found.map(|found| found.labels()));
            next = answer["nextPageToken"].take();
            if next.is_null() {
                return Ok(vec![group(self.region.clone(), targets)]);
            }
        }
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
        found.set("__meta_lightsail_region", &self.region);
        let addresses = enclosed(&texts(&instance["ipv6Addresses"]), ",");
        found.set("__meta_lightsail_ipv6_addresses", addresses);
        for tag in each(&instance["tags"]) {
            let label = format!("__meta_lightsail_tag_{}", sanitize(get(tag, "key")));
            found.set(&label, get(tag, "value"));
        }
        Some(found)
    }
}

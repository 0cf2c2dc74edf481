//! `ec2_sd_configs`: Amazon's virtual machines.

mod answer;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use model::TargetGroup;
use runtime::Runtime;
use tracing::debug;
use transport::client::{self, Authentication, SigV4};
use url::form_urlencoded::Serializer;

use self::answer::{Instance, Instances, Zones};
use crate::{
    docker::Filter,
    found::{Found, enclosed, group, host_port, sanitize},
    refresh::{Lookup, Polled},
    service::{Service, body},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Empty means Amazon's own.
    pub endpoint: String,
    pub http: client::Config,
    /// Who we are, and the region.
    pub sigv4: SigV4,
    pub filters: Vec<Filter>,
    pub port: u16,
    pub refresh_interval: Duration,
}

const VERSION: &str = "2016-11-15";

pub(crate) struct Ec2 {
    config: Config,
    region: String,
    service: Service,
    /// The ids of zones by name; asked for once, as not everybody may.
    zones: Option<BTreeMap<String, String>>,
}

impl Polled for Config {
    type Lookup = Ec2;

    fn lookup(&self, runtime: &Runtime) -> Result<Ec2, String> {
        let mut config = self.clone();
        if config.sigv4.region.is_empty() {
            let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter();
            let named = named.filter_map(|name| std::env::var(name).ok()).next();
            config.sigv4.region = named.ok_or("EC2 SD configuration requires a region")?;
        }
        config.sigv4.service = "ec2".to_owned();
        let mut http = config.http.clone();
        http.authentication = Authentication::SigV4(Box::new(config.sigv4.clone()));
        let region = config.sigv4.region.clone();
        Ok(Ec2 { region, service: Service::new(&http, runtime)?, config, zones: None })
    }

    fn refresh_interval(&self) -> Duration {
        self.refresh_interval
    }
}

impl Lookup for Ec2 {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        if self.zones.is_none() {
            match self.zones().await {
                Ok(zones) => self.zones = Some(zones),
                Err(err) => debug!(err, "Unable to describe availability zones"),
            }
        }
        let mut targets = Vec::new();
        let mut next = String::new();
        loop {
            let xml = self.ask("DescribeInstances", &next).await?;
            let answer: Instances = answer::read(&xml)?;
            for reservation in &answer.reservations.items {
                for instance in &reservation.instances.items {
                    let found = self.target(instance, &reservation.owner_id);
                    targets.extend(found.map(|found| found.labels()));
                }
            }
            next = answer.next_token;
            if next.is_empty() {
                return Ok(vec![group(self.region.clone(), targets)]);
            }
        }
    }
}

impl Ec2 {
    async fn zones(&self) -> Result<BTreeMap<String, String>, String> {
        let zones: Zones = answer::read(&self.ask("DescribeAvailabilityZones", "").await?)?;
        Ok(zones.zones.items.into_iter().map(|zone| (zone.name, zone.id)).collect())
    }

    async fn ask(&self, action: &str, next_token: &str) -> Result<Bytes, String> {
        let region = &self.region;
        let ending = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let url = match self.config.endpoint.as_str() {
            "" => format!("https://ec2.{region}.{ending}/"),
            endpoint => endpoint.to_owned(),
        };
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let form = self.form(action, next_token);
        body(&self.service.send(Method::POST, &url, headers, form.into()).await?)
    }

    fn form(&self, action: &str, next_token: &str) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", VERSION);
        if !next_token.is_empty() {
            form.append_pair("NextToken", next_token);
        }
        if action == "DescribeInstances" {
            for (n, filter) in (1..).zip(&self.config.filters) {
                form.append_pair(&format!("Filter.{n}.Name"), &filter.name);
                for (m, value) in (1..).zip(&filter.values) {
                    form.append_pair(&format!("Filter.{n}.Value.{m}"), value);
                }
            }
        }
        form.finish()
    }

    /// Nothing for a machine without an address.
    fn target(&self, instance: &Instance, owner: &str) -> Option<Found> {
        if instance.private_ip.is_empty() {
            return None;
        }
        let mut found = Found::at(&host_port(&instance.private_ip, self.config.port));
        let zone = &instance.placement.zone;
        let zone_id = self.zones.as_ref().and_then(|zones| zones.get(zone));
        let pairs = [
            ("ami", instance.image.as_str()),
            ("architecture", &instance.architecture),
            ("availability_zone", zone),
            ("availability_zone_id", zone_id.map_or("", String::as_str)),
            ("instance_id", &instance.id),
            ("instance_lifecycle", &instance.lifecycle),
            ("instance_state", &instance.state.name),
            ("instance_type", &instance.kind),
            ("owner_id", owner),
            ("platform", &instance.platform),
            ("primary_subnet_id", &instance.subnet),
            ("private_dns_name", &instance.private_dns),
            ("private_ip", &instance.private_ip),
            ("public_dns_name", &instance.public_dns),
            ("public_ip", &instance.public_ip),
            ("region", &self.region),
            ("vpc_id", &instance.vpc),
        ];
        for (name, value) in pairs {
            found.set(&format!("__meta_ec2_{name}"), value);
        }
        self.add_networks(&mut found, instance);
        for tag in instance.tags.items.iter().filter(|tag| !tag.key.is_empty()) {
            found.set(&format!("__meta_ec2_tag_{}", sanitize(&tag.key)), &tag.value);
        }
        Some(found)
    }

    fn add_networks(&self, found: &mut Found, instance: &Instance) {
        let interfaces = &instance.interfaces.items;
        let mut subnets: Vec<&str> = Vec::new();
        for interface in interfaces.iter().filter(|interface| !interface.subnet.is_empty()) {
            if !subnets.contains(&interface.subnet.as_str()) {
                subnets.push(&interface.subnet);
            }
        }
        let all = interfaces.iter().flat_map(|interface| &interface.ipv6.items);
        let addresses: Vec<&str> = all.clone().map(|it| it.address.as_str()).collect();
        let primary: Vec<&str> =
            all.filter(|it| it.is_primary).map(|it| it.address.as_str()).collect();
        if !instance.vpc.is_empty() {
            found.set("__meta_ec2_subnet_id", enclosed(&subnets, ","));
        }
        found.set("__meta_ec2_ipv6_addresses", enclosed(&addresses, ","));
        found.set("__meta_ec2_primary_ipv6_addresses", enclosed(&primary, ","));
    }
}

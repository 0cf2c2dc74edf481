//! `ec2_sd_configs`: Amazon's virtual machines.

use std::{collections::BTreeMap, time::Duration};

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use tracing::debug;

use crate::{
    aws::{self, Account, Api},
    docker::Filter,
    found::{Found, enclosed, get, group, host_port, list},
    refresh::{Lookup, Polled},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    pub filters: Vec<Filter>,
    pub port: u16,
    pub refresh_interval: Duration,
}

pub(crate) const VERSION: &str = "2016-11-15";

pub(crate) struct Ec2 {
    config: Config,
    api: Api,
    /// The ids of zones by name; asked for once, as not everybody may.
    zones: Option<BTreeMap<String, String>>,
}

impl Polled for Config {
    type Lookup = Ec2;

    fn lookup(&self, runtime: &Runtime) -> Result<Ec2, String> {
        let api = self.account.api(runtime, "ec2", "EC2")?;
        Ok(Ec2 { config: self.clone(), api, zones: None })
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
        let filters: Vec<_> = aws::filters(&self.config.filters, ["Filter", "Value"]).collect();
        let pages = describe_instances(&self.api, &filters).await?;
        let mut targets = Vec::new();
        for reservation in pages.iter().flat_map(|page| list(&page["reservationSet"])) {
            let instances = list(&reservation["instancesSet"]);
            let found = instances.filter_map(|it| self.target(it, get(reservation, "ownerId")));
            targets.extend(found.map(|found| found.labels()));
        }
        Ok(vec![group(self.api.region.clone(), targets)])
    }
}

/// The pages of instances that `parameters` choose.
pub(crate) async fn describe_instances(
    api: &Api,
    parameters: &[(String, String)],
) -> Result<Vec<Value>, String> {
    aws::pages("nextToken", |next| async move {
        let mut parameters = parameters.to_vec();
        parameters.extend(next.map(|token| ("NextToken".to_owned(), token)));
        api.query(VERSION, "DescribeInstances", &parameters).await
    })
    .await
}

impl Ec2 {
    async fn zones(&self) -> Result<BTreeMap<String, String>, String> {
        let answer = self.api.query(VERSION, "DescribeAvailabilityZones", &[]).await?;
        let zones = list(&answer["availabilityZoneInfo"]);
        Ok(zones
            .map(|zone| (get(zone, "zoneName").to_owned(), get(zone, "zoneId").to_owned()))
            .collect())
    }

    /// Nothing for a machine without an address.
    fn target(&self, instance: &Value, owner: &str) -> Option<Found> {
        let private = get(instance, "privateIpAddress");
        if private.is_empty() {
            return None;
        }
        let mut found = Found::at(&host_port(private, self.config.port));
        found.copy(
            "__meta_ec2_",
            instance,
            &[
                ("ami", "/imageId"),
                ("architecture", "/architecture"),
                ("availability_zone", "/placement/availabilityZone"),
                ("instance_id", "/instanceId"),
                ("instance_lifecycle", "/instanceLifecycle"),
                ("instance_state", "/instanceState/name"),
                ("instance_type", "/instanceType"),
                ("platform", "/platform"),
                ("primary_subnet_id", "/subnetId"),
                ("private_dns_name", "/privateDnsName"),
                ("private_ip", "/privateIpAddress"),
                ("public_dns_name", "/dnsName"),
                ("public_ip", "/ipAddress"),
                ("vpc_id", "/vpcId"),
            ],
        );
        let zone = get(&instance["placement"], "availabilityZone");
        let zone_id = self.zones.as_ref().and_then(|zones| zones.get(zone));
        found.set("__meta_ec2_availability_zone_id", zone_id.map_or("", String::as_str));
        found.set("__meta_ec2_owner_id", owner);
        found.set("__meta_ec2_region", &self.api.region);
        add_networks(&mut found, instance);
        found.tags("__meta_ec2_tag_", list(&instance["tagSet"]), ["key", "value"]);
        Some(found)
    }
}

fn add_networks(found: &mut Found, instance: &Value) {
    let interfaces = || list(&instance["networkInterfaceSet"]);
    let mut subnets: Vec<&str> = Vec::new();
    for subnet in interfaces().map(|interface| get(interface, "subnetId")) {
        if !subnet.is_empty() && !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    let all = interfaces().flat_map(|interface| list(&interface["ipv6AddressesSet"]));
    let all: Vec<&Value> = all.collect();
    let address = |it: &&Value| get(it, "ipv6Address").to_owned();
    let addresses: Vec<String> = all.iter().map(address).collect();
    let primary = all.iter().filter(|it| get(it, "isPrimaryIpv6") == "true");
    let primary: Vec<String> = primary.map(address).collect();
    if !get(instance, "vpcId").is_empty() {
        found.set("__meta_ec2_subnet_id", enclosed(&subnets, ","));
    }
    found.set("__meta_ec2_ipv6_addresses", enclosed(&addresses, ","));
    found.set("__meta_ec2_primary_ipv6_addresses", enclosed(&primary, ","));
}

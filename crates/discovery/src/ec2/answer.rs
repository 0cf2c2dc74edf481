//! What EC2 answers, in XML: the parts that labels are made of.

use serde::{Deserialize, de::DeserializeOwned};

pub(super) fn read<T: DeserializeOwned>(xml: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(xml).map_err(|error| error.to_string())?;
    quick_xml::de::from_str(text).map_err(|error| format!("parse the answer: {error}"))
}

/// A list as AWS writes it.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct List<T> {
    #[serde(rename = "item", default = "Vec::new")]
    pub(super) items: Vec<T>,
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List { items: Vec::new() }
    }
}

#[derive(Deserialize)]
pub(super) struct Instances {
    #[serde(rename = "reservationSet", default)]
    pub(super) reservations: List<Reservation>,
    #[serde(rename = "nextToken", default)]
    pub(super) next_token: String,
}

#[derive(Deserialize)]
pub(super) struct Reservation {
    #[serde(rename = "ownerId", default)]
    pub(super) owner_id: String,
    #[serde(rename = "instancesSet", default)]
    pub(super) instances: List<Instance>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Instance {
    #[serde(rename = "instanceId")]
    pub(super) id: String,
    #[serde(rename = "imageId")]
    pub(super) image: String,
    pub(super) architecture: String,
    pub(super) placement: Placement,
    #[serde(rename = "instanceLifecycle")]
    pub(super) lifecycle: String,
    #[serde(rename = "instanceState")]
    pub(super) state: State,
    #[serde(rename = "instanceType")]
    pub(super) kind: String,
    pub(super) platform: String,
    #[serde(rename = "subnetId")]
    pub(super) subnet: String,
    #[serde(rename = "vpcId")]
    pub(super) vpc: String,
    #[serde(rename = "privateDnsName")]
    pub(super) private_dns: String,
    #[serde(rename = "privateIpAddress")]
    pub(super) private_ip: String,
    #[serde(rename = "dnsName")]
    pub(super) public_dns: String,
    #[serde(rename = "ipAddress")]
    pub(super) public_ip: String,
    #[serde(rename = "networkInterfaceSet")]
    pub(super) interfaces: List<Interface>,
    #[serde(rename = "tagSet")]
    pub(super) tags: List<Tag>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Placement {
    #[serde(rename = "availabilityZone")]
    pub(super) zone: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct State {
    pub(super) name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Interface {
    #[serde(rename = "subnetId")]
    pub(super) subnet: String,
    #[serde(rename = "ipv6AddressesSet")]
    pub(super) ipv6: List<Ipv6>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Ipv6 {
    #[serde(rename = "ipv6Address")]
    pub(super) address: String,
    #[serde(rename = "isPrimaryIpv6")]
    pub(super) is_primary: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Deserialize)]
pub(super) struct Zones {
    #[serde(rename = "availabilityZoneInfo", default)]
    pub(super) zones: List<Zone>,
}

#[derive(Deserialize)]
pub(super) struct Zone {
    #[serde(rename = "zoneName", default)]
    pub(super) name: String,
    #[serde(rename = "zoneId", default)]
    pub(super) id: String,
}

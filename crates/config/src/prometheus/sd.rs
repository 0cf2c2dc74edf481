//! The sections of service discovery: `static_configs` and every `<mechanism>_sd_configs`.
//!
//! All 37 are read and checked as strictly as upstream does it. [`mechanisms`] makes of them what
//! `discovery` runs.

mod aws;
mod clouds;
mod containers;
mod hosts;
mod kubernetes;
mod mechanisms;
mod registries;

pub use self::{
    aws::*,
    clouds::*,
    containers::*,
    hosts::*,
    kubernetes::*,
    mechanisms::{mechanisms, static_groups},
    registries::*,
};
use crate::{
    decode::{Broken, List, Section},
    record,
};

macro_rules! mechanisms {
    ($($key:ident: $section:ty),* $(,)?) => {
        record! {
            /// Everything that a job or a group of Alertmanagers says about finding targets.
            pub struct Discovery: "discovery.Configs" {
                $($key: List<$section>),*
            }
        }

        impl Section for Discovery {
            fn check(&mut self) -> Result<(), Broken> {
                $(self.$key.refuse_null(concat!("empty or null section in ", stringify!($key)))?;)*
                Ok(())
            }
        }
    };
}

mechanisms! {
    aws_sd_configs: Aws,
    azure_sd_configs: Azure,
    consul_sd_configs: Consul,
    digitalocean_sd_configs: DigitalOcean,
    dns_sd_configs: Dns,
    docker_sd_configs: Docker,
    dockerswarm_sd_configs: DockerSwarm,
    ec2_sd_configs: Ec2,
    ecs_sd_configs: Ecs,
    elasticache_sd_configs: Elasticache,
    eureka_sd_configs: Eureka,
    file_sd_configs: File,
    gce_sd_configs: Gce,
    hetzner_sd_configs: Hetzner,
    http_sd_configs: Http,
    ionos_sd_configs: Ionos,
    kubernetes_sd_configs: Kubernetes,
    kuma_sd_configs: Kuma,
    lightsail_sd_configs: Lightsail,
    linode_sd_configs: Linode,
    marathon_sd_configs: Marathon,
    msk_sd_configs: Msk,
    nerve_sd_configs: Nerve,
    nomad_sd_configs: Nomad,
    oci_sd_configs: Oci,
    openstack_sd_configs: OpenStack,
    outscale_sd_configs: Outscale,
    ovhcloud_sd_configs: OvhCloud,
    puppetdb_sd_configs: PuppetDb,
    rds_sd_configs: Rds,
    scaleway_sd_configs: Scaleway,
    serverset_sd_configs: Serverset,
    stackit_sd_configs: Stackit,
    static_configs: Static,
    triton_sd_configs: Triton,
    uyuni_sd_configs: Uyuni,
    vultr_sd_configs: Vultr,
}

impl Discovery {
    /// Refuses static targets that are URLs: a mistake, unless relabelling takes them apart.
    pub(super) fn refuse_urls(&self) -> Result<(), Broken> {
        for group in self.static_configs.iter() {
            if let Some(target) = group.targets.iter().find(|target| target.contains('/')) {
                return Err(format!("{target:?} is not a valid hostname").into());
            }
        }
        Ok(())
    }
}

/// Refuses a setting that must be there, in the words given.
fn require(value: &str, message: &str) -> Result<(), Broken> {
    if value.is_empty() { Err(message.into()) } else { Ok(()) }
}

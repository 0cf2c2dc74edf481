//! What is there to scrape? One file a mechanism.
//!
//! Knows nothing of scraping: it hands out [`model::TargetGroup`]s by the name of whoever asked,
//! be it a job or a set of Alertmanagers. Start at [`Manager`], then [`Config`]; a new mechanism is
//! a file with a [`Discoverer`] and a line in `mechanism.rs`.

mod manager;
mod mechanism;
mod metrics;
mod publish;
mod refresh;
#[cfg(test)]
mod tests;

pub mod aws;
pub mod azure;
pub mod consul;
pub mod digitalocean;
pub mod dns;
pub mod docker;
pub mod dockerswarm;
pub mod ec2;
pub mod ecs;
pub mod elasticache;
pub mod eureka;
pub mod file;
pub mod gce;
pub mod hetzner;
pub mod http;
pub mod ionos;
pub mod kubernetes;
pub mod kuma;
pub mod lightsail;
pub mod linode;
pub mod marathon;
pub mod msk;
pub mod nerve;
pub mod nomad;
pub mod oci;
pub mod openstack;
pub mod outscale;
pub mod ovhcloud;
pub mod puppetdb;
pub mod rds;
pub mod scaleway;
pub mod serverset;
pub mod stackit;
pub mod triton;
pub mod uyuni;
pub mod vultr;

mod found;
mod service;
mod token;
mod xml;
mod zookeeper;

pub use manager::{Groups, Manager, Options};
pub use mechanism::{Config, Discoverer, Updates};
pub use metrics::Metrics;

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

pub mod consul;
pub mod digitalocean;
pub mod dns;
pub mod docker;
pub mod dockerswarm;
pub mod ec2;
pub mod eureka;
pub mod file;
pub mod gce;
pub mod hetzner;
pub mod http;
pub mod ionos;
pub mod kubernetes;
pub mod lightsail;
pub mod linode;
pub mod nomad;
pub mod puppetdb;
pub mod scaleway;
pub mod vultr;

mod found;
mod service;

pub use manager::{Groups, Manager, Options};
pub use mechanism::{Config, Discoverer, Updates};
pub use metrics::Metrics;

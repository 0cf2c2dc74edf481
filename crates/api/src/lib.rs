//! What does HTTP return? Prometheus v1, federation, lifecycle; Alertmanager v2.
//!
//! The only crate that knows our JSON shapes. Knows a Prometheus by the small traits that it asks
//! it through, and an Alertmanager by its handle. Start at [`prometheus::router`] and
//! [`alertmanager::router`].

pub mod alertmanager;
pub mod expose;
mod json;
mod methods;
mod page;
pub mod prometheus;

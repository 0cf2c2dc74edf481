//! What `prometheus.yml`, `alertmanager.yml` and `web.yml` mean.
//!
//! Text in; a checked value, or an error with file, line and key out. Knows nothing of what the
//! components do with their settings. Start at [`prometheus::load`] and [`alertmanager::load`]; how
//! sections are declared is in [`decode`].

pub mod alertmanager;
pub mod glob;
pub mod gossip;
pub mod prometheus;
pub mod web;

pub use settings::{decode, http, record, values, word, yaml};

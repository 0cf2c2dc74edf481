//! Who should hear of an alert, when, and once? Routes, groups, inhibition, silences, the
//! notification log, and the pipeline through them.
//!
//! Knows neither HTTP nor YAML nor a network: alerts come in through [`Alertmanager::put_alerts`],
//! notifications go out through [`Integration`]s, and the other nodes are a [`Cluster`]. Start at
//! [`Alertmanager`], [`Route`] and [`Integration`].

pub mod alert;
pub mod cluster;
mod config;
mod dispatch;
mod error;
pub mod event;
mod handle;
pub mod history;
mod index;
pub mod inhibit;
pub mod integration;
pub mod interval;
pub mod matcher;
mod metrics;
pub mod nflog;
mod pipeline;
pub mod route;
mod shared;
pub mod silence;
pub mod snapshot;
mod state;
pub mod template;
#[cfg(test)]
mod testing;
pub mod time;
pub mod view;

pub use alert::{Alert, Fingerprint};
pub use cluster::Cluster;
pub use config::{Config, Options};
pub use error::{Error, Result};
pub use handle::Alertmanager;
pub use inhibit::InhibitRule;
pub use integration::{Integration, Notification, NotifyError, Receiver};
pub use interval::{TimeInterval, TimeIntervals};
pub use matcher::{Matcher, Mode};
pub use route::{GroupBy, Route, RouteConfig};
pub use silence::Silence;
pub use template::Template;
pub use time::Time;

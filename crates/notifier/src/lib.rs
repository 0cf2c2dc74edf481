//! How do firing alerts reach every Alertmanager? A bounded queue and a sender for each of them.
//!
//! Knows neither rules nor discovery: alerts come in through [`Notifier::send`], addresses through
//! [`Notifier::set_targets`]. Start at [`Notifier`] and [`Config`].

mod alertmanager;
mod config;
mod encode;
mod metrics;
mod notifier;
mod queue;
mod sender;
#[cfg(test)]
mod tests;

pub use alertmanager::TargetGroup;
pub use config::{Config, Options, SetConfig};
pub use notifier::{Error, Notifier};

//! How does each service want to be told? One file an integration.
//!
//! Each file holds the integration's settings as they stand in `alertmanager.yml`, their defaults
//! and their checks, and how a notification becomes requests. Knows nothing of routes and groups.
//! Start at [`Receiver`]; the table of all integrations is in its file.

mod build;
mod client;
pub mod discord;
pub mod email;
mod global;
mod hook;
pub mod http_config;
pub mod incidentio;
mod integration;
pub mod jira;
pub mod mattermost;
pub mod msteams;
pub mod msteamsv2;
pub mod opsgenie;
pub mod pagerduty;
mod payload;
pub mod pushover;
mod receiver;
pub mod rocketchat;
mod sender;
pub mod slack;
pub mod sns;
pub mod telegram;
pub mod values;
pub mod victorops;
pub mod webex;
pub mod webhook;
pub mod wechat;

pub use build::{Context, Error, NewNotifier, Notifier, build};
pub use global::Global;
pub use integration::Settings;
pub use payload::to_go_json;
pub use receiver::Receiver;

#[cfg(test)]
mod tests;

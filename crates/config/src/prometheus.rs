//! What `prometheus.yml` means.
//!
//! [`File`] is the file as written, checked and with its defaults filled in; [`Config`] adds what
//! other files contribute and what should be said aloud. Start at [`load`].

mod agent;
mod alerting;
mod auth;
mod expand;
mod file;
mod global;
mod load;
mod protocol;
mod relabel;
mod remote;
mod scrape;
pub mod sd;
mod storage;

pub use self::relabel::{Action, Rule, SourceLabels, relabel_rules};
pub use alerting::{Alerting, Alertmanagers, ApiVersion};
pub use auth::{AzureAd, GoogleIam, SigV4};
pub use file::File;
pub use global::{Global, Runtime, SchemeName};
pub use load::{Config, Error, Options, load, parse};
pub(crate) use load::{describe, directory_of, utf8};
pub use protocol::ScrapeProtocol;
pub use remote::{Queue, RemoteRead, RemoteWrite, SendMetadata};
pub use scrape::{Scrape, ScrapeFile};
pub use storage::{
    ChunkEncoding, ClientType, Exemplars, Otlp, Retention, RetentionClass, Storage, Tracing, Tsdb,
};

#[cfg(test)]
mod tests;

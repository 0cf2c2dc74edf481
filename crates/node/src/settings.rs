//! From sections of configuration files to the settings of components. Pure.
//!
//! `config` checks, components mean; here one becomes the other.

pub(crate) mod alerting;
pub(crate) mod remote;
pub(crate) mod rules;
pub(crate) mod scrape;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What a file may say and no component can do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Relabel(#[from] relabel::Error),
    #[error(transparent)]
    Http(#[from] transport::client::Error),
}

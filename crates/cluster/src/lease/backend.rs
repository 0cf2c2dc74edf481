//! Which service keeps the lease, as the user has written it.

use std::{str::FromStr, sync::Arc};

use runtime::Runtime;

use super::store::Store;
use crate::{Error, Result};

/// From `gossip`, `etcd://host:port/key`, `kubernetes://namespace/name`, `s3://bucket/key` or
/// `file:///folder/key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// The members among themselves.
    Gossip,
}

impl Backend {
    pub fn name(&self) -> &'static str {
        match self {
            Backend::Gossip => "gossip",
        }
    }

    /// Nothing if no other service is needed.
    pub(crate) fn open(&self, _runtime: &Runtime) -> Result<Option<Arc<dyn Store>>> {
        match self {
            Backend::Gossip => Ok(None),
        }
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(text: &str) -> Result<Backend> {
        match text {
            "gossip" => Ok(Backend::Gossip),
            _ => Err(Error::Lease { text: text.to_owned(), reason: "no such service".to_owned() }),
        }
    }
}

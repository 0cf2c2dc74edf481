use std::net::SocketAddr;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a member cannot take part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error(transparent)]
    Gossip(#[from] gossip::Error),
    #[error("lease {text:?}: {reason}")]
    Lease { text: String, reason: String },
    #[error("store address {0}: others cannot reach it")]
    StoreAddress(SocketAddr),
}

//! Remote read: queries of others answered from here, and ours answered by others.

mod columns;
mod frames;
mod remote;
mod request;
mod response;
mod server;
#[cfg(test)]
mod tests;

pub use self::{
    remote::{Config, LocalStart, Metrics, Remote},
    server::{Answer, Options, Place, ReadError, Server, Stream},
};

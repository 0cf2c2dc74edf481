//! How do we speak HTTP? A client with TLS, credentials, redirects and limits; a server that stops
//! gracefully.
//!
//! Knows neither what is said nor to whom: requests and responses are bytes. Start at
//! [`client::Client`] and [`server::serve`].

pub mod client;
pub mod server;
mod tasks;
mod timer;

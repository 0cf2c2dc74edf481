//! The file of `--cluster.tls-config`: certificates of both ends of gossip.

use std::path::Path;

use settings::{
    decode::{Section, Setting as _, from_str},
    http::Tls,
    record,
};
use transport::{client, server::guard::Settings};

use crate::web::{self, TlsServer};

record! {
    /// The file as it is written.
    pub struct File: "cluster.TLSTransportConfig" {
        tls_server_config: Option<TlsServer>,
        tls_client_config: Option<Tls>,
    }
}

impl Section for File {}

/// How to answer other nodes. Paths are relative to `folder`.
pub fn parse_server(text: &str, folder: &Path) -> Result<Settings, String> {
    let file = parse(text, folder)?;
    let server = file.tls_server_config.as_ref();
    let server = server.ok_or("missing 'tls_server_config' entry in the TLS configuration")?;
    Ok(Settings { tls: Some(web::to_tls(server)?), http2: false, ..Settings::default() })
}

/// How to greet other nodes.
pub fn parse_client(text: &str, folder: &Path) -> Result<client::Tls, String> {
    let file = parse(text, folder)?;
    let client = file.tls_client_config.as_ref();
    let client = client.ok_or("missing 'tls_client_config' entry in the TLS configuration")?;
    receivers::http_config::tls(client).map_err(|error| error.to_string())
}

fn parse(text: &str, folder: &Path) -> Result<File, String> {
    let mut file: File = from_str(text).map_err(|error| error.to_string())?;
    let folder = folder.display().to_string();
    file.set_directory(if folder.is_empty() { "." } else { &folder });
    Ok(file)
}

#[cfg(test)]
mod tests;

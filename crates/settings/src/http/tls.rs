//! `tls_config` of a client.

use super::given;
use crate::{
    decode::{Broken, Section},
    record,
    values::{FilePath, Secret},
    word,
};

record! {
    /// Certificates, and which versions of TLS to speak.
    pub struct Tls: "config.plain" {
        ca: String,
        cert: String,
        key: Secret,
        ca_file: FilePath,
        cert_file: FilePath,
        key_file: FilePath,
        ca_ref: String,
        cert_ref: String,
        key_ref: String,
        server_name: String,
        insecure_skip_verify: bool = always,
        min_version: TlsVersion,
        max_version: TlsVersion,
    }
}

word! {
    /// `TLS10` to `TLS13`.
    pub struct TlsVersion: "config.TLSVersion" { "TLS10", "TLS11", "TLS12", "TLS13" }
    else |text| format!("unknown TLS version: {text}")
}

impl Section for Tls {
    fn check(&mut self) -> Result<(), Broken> {
        let ca = [!self.ca.is_empty(), !self.ca_file.is_empty(), !self.ca_ref.is_empty()];
        let cert = [!self.cert.is_empty(), !self.cert_file.is_empty(), !self.cert_ref.is_empty()];
        let key = [!self.key.is_empty(), !self.key_file.is_empty(), !self.key_ref.is_empty()];
        if given(ca) > 1 {
            return Err("at most one of ca, ca_file & ca_ref must be configured".into());
        }
        if given(cert) > 1 {
            return Err("at most one of cert, cert_file & cert_ref must be configured".into());
        }
        if given(key) > 1 {
            return Err("at most one of key and key_file must be configured".into());
        }
        match (given(cert), given(key)) {
            (1, 0) => Err("exactly one of key or key_file must be configured when a client certificate is configured".into()),
            (0, 1) => Err("exactly one of cert or cert_file must be configured when a client key is configured".into()),
            _ => self.check_versions(),
        }
    }
}

impl Tls {
    fn check_versions(&self) -> Result<(), Broken> {
        let both = !self.min_version.is_empty() && !self.max_version.is_empty();
        // The names sort like the versions.
        if both && self.max_version.as_str() < self.min_version.as_str() {
            return Err("tls_config.max_version must be greater than or equal to tls_config.min_version if both are specified".into());
        }
        Ok(())
    }
}

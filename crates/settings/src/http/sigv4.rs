//! `sigv4`: signing requests for Amazon's services.

use std::collections::BTreeMap;

use crate::{
    decode::{Broken, Section},
    record,
    values::Secret,
};

record! {
    /// AWS signature version 4.
    pub struct SigV4: "sigv4.plain" {
        region: String,
        access_key: String,
        secret_key: Secret,
        profile: String,
        role_arn: String,
        external_id: String,
        session_name: String,
        tags: BTreeMap<String, String>,
        use_fips_sts_endpoint: bool,
        service_name: String,
    }
}

impl Section for SigV4 {
    fn check(&mut self) -> Result<(), Broken> {
        if self.access_key.is_empty() != self.secret_key.is_empty() {
            return Err("must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config".into());
        }
        let needs_role = [
            ("external_id", !self.external_id.is_empty()),
            ("session_name", !self.session_name.is_empty()),
            ("tags", !self.tags.is_empty()),
        ];
        for (key, given) in needs_role {
            if given && self.role_arn.is_empty() {
                return Err(format!("{key} can only be used with role_arn").into());
            }
        }
        for (key, value) in &self.tags {
            if key.is_empty() {
                return Err("tag key must not be empty".into());
            }
            if key.len() > 128 {
                return Err(format!("tag key {key:?} exceeds maximum length of 128").into());
            }
            if value.len() > 256 {
                return Err(
                    format!("tag value for key {key:?} exceeds maximum length of 256").into()
                );
            }
        }
        Ok(())
    }
}

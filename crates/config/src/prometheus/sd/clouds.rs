//! Clouds with a model of their own: Azure, DigitalOcean, Google, OCI, OpenStack, Triton.

use super::require;
use crate::{
    decode::{Broken, Section},
    http::{HttpClient, Tls},
    record,
    values::{Duration, FilePath, Secret},
    word,
};

record! {
    pub struct Azure: "azure.plain" {
        environment: String,
        port: i64 = always,
        subscription_id: String = always,
        tenant_id: String,
        client_id: String,
        client_secret: Secret,
        refresh_interval: Duration,
        authentication_method: String,
        resource_group: String,
        http: HttpClient = inline,
    }
}

impl Section for Azure {
    fn defaults() -> Azure {
        Azure {
            environment: "AzurePublicCloud".to_owned(),
            port: 80,
            refresh_interval: Duration::from_secs(300),
            authentication_method: "OAuth".to_owned(),
            http: HttpClient::defaults(),
            ..Azure::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let needed = |value: &str, name: &str| {
            require(value, &format!("azure SD configuration requires a {name}"))
        };
        needed(&self.subscription_id, "subscription_id")?;
        let method = self.authentication_method.as_str();
        if method == "OAuth" {
            needed(&self.tenant_id, "tenant_id")?;
            needed(&self.client_id, "client_id")?;
            needed(&self.client_secret.0, "client_secret")?;
        }
        if !["OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"].contains(&method) {
            return Err(format!(r#"unknown authentication_type {method:?}. Supported types are "OAuth", "ManagedIdentity", "SDK" or "WorkloadIdentity""#).into());
        }
        self.http.check()
    }
}

record! {
    pub struct DigitalOcean: "digitalocean.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
        role: DigitalOceanRole = always,
    }
}

word! {
    pub struct DigitalOceanRole: "digitalocean.Role" { "droplets", "databases" }
    else |text| format!("unknown DigitalOcean SD role {text:?}")
}

impl Section for DigitalOcean {
    fn defaults() -> DigitalOcean {
        DigitalOcean {
            http: HttpClient::defaults(),
            refresh_interval: Duration::from_secs(60),
            port: 80,
            role: "droplets".into(),
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(self.role.as_str(), "role missing (one of: droplets, databases)")?;
        self.http.check()
    }
}

record! {
    pub struct Gce: "gce.plain" {
        project: String = always,
        zone: String = always,
        filter: String,
        refresh_interval: Duration,
        port: i64 = always,
        tag_separator: String,
    }
}

impl Section for Gce {
    fn defaults() -> Gce {
        Gce {
            port: 80,
            tag_separator: ",".to_owned(),
            refresh_interval: Duration::from_secs(60),
            ..Gce::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.project, "GCE SD configuration requires a project")?;
        require(&self.zone, "GCE SD configuration requires a zone")
    }
}

record! {
    pub struct Oci: "oci.plain" {
        auth: String,
        tenancy: String,
        user: String,
        fingerprint: String,
        key_file: FilePath,
        key_passphrase: Secret,
        key_passphrase_file: FilePath,
        region: String = always,
        compartments: Vec<String>,
        http: HttpClient = inline,
        port: i64 = always,
        refresh_interval: Duration = always,
    }
}

impl Section for Oci {
    fn defaults() -> Oci {
        Oci {
            auth: "api_key".to_owned(),
            port: 80,
            refresh_interval: Duration::from_secs(60),
            http: HttpClient::defaults(),
            ..Oci::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.region, "oci_sd: region is required")?;
        self.check_auth()?;
        if let Some(idx) = self.compartments.iter().position(String::is_empty) {
            return Err(format!("oci_sd: compartments[{idx}] must not be empty").into());
        }
        if self.refresh_interval == Duration::ZERO {
            return Err("oci_sd: refresh_interval must be positive, got 0s".into());
        }
        self.http.check()
    }
}

impl Oci {
    fn check_auth(&self) -> Result<(), Broken> {
        let key_settings = [
            ("tenancy", self.tenancy.as_str()),
            ("user", &self.user),
            ("fingerprint", &self.fingerprint),
            ("key_file", &self.key_file.0),
        ];
        match self.auth.as_str() {
            "api_key" => {
                for (key, value) in key_settings {
                    require(value, &format!("oci_sd: api_key auth requires {key}"))?;
                }
                if !self.key_passphrase.is_empty() && !self.key_passphrase_file.is_empty() {
                    return Err("oci_sd: at most one of key_passphrase and key_passphrase_file must be configured".into());
                }
                Ok(())
            }
            "instance_principal" => {
                let has_key = key_settings.iter().any(|(_, value)| !value.is_empty());
                if has_key || !self.key_passphrase.is_empty() || !self.key_passphrase_file.is_empty() {
                    return Err("oci_sd: instance_principal auth must not have tenancy, user, fingerprint, key_file, key_passphrase, or key_passphrase_file set".into());
                }
                Ok(())
            }
            auth => Err(format!(r#"oci_sd: unknown auth method {auth:?}, expected "api_key" or "instance_principal""#).into()),
        }
    }
}

record! {
    pub struct OpenStack: "openstack.plain" {
        identity_endpoint: String = always,
        username: String = always,
        userid: String = always,
        password: Secret = always,
        project_name: String = always,
        project_id: String = always,
        domain_name: String = always,
        domain_id: String = always,
        application_credential_name: String = always,
        application_credential_id: String = always,
        application_credential_secret: Secret = always,
        role: OpenStackRole = always,
        region: String = always,
        refresh_interval: Duration = always,
        port: i64 = always,
        all_tenants: bool,
        tls_config: Tls,
        availability: String,
    }
}

word! {
    pub struct OpenStackRole: "openstack.Role" { "hypervisor", "instance", "loadbalancer" }
    else |text| format!("unknown OpenStack SD role {text:?}")
}

impl Section for OpenStack {
    fn defaults() -> OpenStack {
        OpenStack {
            port: 80,
            refresh_interval: Duration::from_secs(60),
            availability: "public".to_owned(),
            ..OpenStack::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let availability = self.availability.as_str();
        if !["public", "internal", "admin"].contains(&availability) {
            return Err(format!(
                "unknown availability {availability}, must be one of admin, internal or public"
            )
            .into());
        }
        require(self.role.as_str(), "role missing (one of: instance, hypervisor, loadbalancer)")?;
        require(&self.region, "openstack SD configuration requires a region")
    }
}

record! {
    pub struct Triton: "triton.plain" {
        account: String = always,
        role: String = always,
        dns_suffix: String = always,
        endpoint: String = always,
        groups: Vec<String>,
        port: i64 = always,
        refresh_interval: Duration,
        tls_config: Tls,
        version: i64 = always,
    }
}

impl Section for Triton {
    fn defaults() -> Triton {
        Triton {
            role: "container".to_owned(),
            port: 9163,
            refresh_interval: Duration::from_secs(60),
            version: 1,
            ..Triton::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if !["container", "cn"].contains(&self.role.as_str()) {
            return Err("triton SD configuration requires role to be 'container' or 'cn'".into());
        }
        require(&self.account, "triton SD configuration requires an account")?;
        require(&self.dns_suffix, "triton SD configuration requires a dns_suffix")?;
        require(&self.endpoint, "triton SD configuration requires an endpoint")?;
        if self.refresh_interval == Duration::ZERO {
            return Err(
                "triton SD configuration requires RefreshInterval to be a positive integer".into(),
            );
        }
        Ok(())
    }
}

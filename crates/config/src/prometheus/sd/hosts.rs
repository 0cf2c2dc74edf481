//! Hosters of servers: Hetzner, Ionos, Linode, Outscale, OVHcloud, Scaleway, Stackit, Uyuni, Vultr.

use super::require;
use crate::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::{Duration, FilePath, Secret, parse_url},
    word,
};

const REFRESH: Duration = Duration::from_secs(60);

record! {
    pub struct Hetzner: "hetzner.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
        role: HetznerRole = always,
        label_selector: String,
    }
}

word! {
    pub struct HetznerRole: "hetzner.Role" { "robot", "hcloud" }
    else |text| format!("unknown role {text:?}")
}

impl Section for Hetzner {
    fn defaults() -> Hetzner {
        Hetzner {
            http: HttpClient::defaults(),
            refresh_interval: REFRESH,
            port: 80,
            ..Hetzner::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(self.role.as_str(), "role missing (one of: robot, hcloud)")?;
        self.http.check()
    }
}

record! {
    pub struct Ionos: "ionos.plain" {
        datacenter_id: String = always,
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
    }
}

impl Section for Ionos {
    fn defaults() -> Ionos {
        Ionos {
            http: HttpClient::defaults(),
            refresh_interval: REFRESH,
            port: 80,
            ..Ionos::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.datacenter_id, "datacenter id can't be empty")?;
        self.http.check()
    }
}

record! {
    pub struct Linode: "linode.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
        tag_separator: String,
        region: String,
    }
}

impl Section for Linode {
    fn defaults() -> Linode {
        Linode {
            http: HttpClient::defaults(),
            refresh_interval: REFRESH,
            port: 80,
            tag_separator: ",".to_owned(),
            region: String::new(),
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.http.check()
    }
}

record! {
    pub struct Outscale: "outscale.plain" {
        endpoint: String,
        region: String = always,
        access_key: String = always,
        secret_key: Secret = always,
        secret_key_file: FilePath = always,
        refresh_interval: Duration,
        port: i64 = always,
        http: HttpClient = inline,
    }
}

fn check_secret_key(key: &Secret, file: &FilePath) -> Result<(), Broken> {
    match (key.is_empty(), file.is_empty()) {
        (true, true) => Err("one of secret_key & secret_key_file must be configured".into()),
        (false, false) => {
            Err("at most one of secret_key & secret_key_file must be configured".into())
        }
        _ => Ok(()),
    }
}

impl Section for Outscale {
    fn defaults() -> Outscale {
        Outscale {
            region: "eu-west-2".to_owned(),
            refresh_interval: REFRESH,
            port: 80,
            http: HttpClient::defaults(),
            ..Outscale::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.region, "outscale SD configuration requires a region")?;
        require(&self.access_key, "outscale SD configuration requires access_key")?;
        check_secret_key(&self.secret_key, &self.secret_key_file)?;
        if self.endpoint.is_empty() {
            self.endpoint = format!("https://api.{}.outscale.com/api/v1", self.region);
        }
        self.http.check()
    }
}

record! {
    pub struct OvhCloud: "ovhcloud.plain" {
        endpoint: String = always,
        application_key: String = always,
        application_secret: Secret = always,
        consumer_key: Secret = always,
        refresh_interval: Duration = always,
        service: String = always,
    }
}

impl Section for OvhCloud {
    fn defaults() -> OvhCloud {
        OvhCloud { endpoint: "ovh-eu".to_owned(), refresh_interval: REFRESH, ..OvhCloud::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.endpoint, "endpoint can not be empty")?;
        require(&self.application_key, "application key can not be empty")?;
        require(&self.application_secret.0, "application secret can not be empty")?;
        require(&self.consumer_key.0, "consumer key can not be empty")?;
        match self.service.as_str() {
            "dedicated_server" | "vps" => Ok(()),
            service => Err(format!("unknown service: {service}").into()),
        }
    }
}

record! {
    pub struct Scaleway: "scaleway.plain" {
        project_id: String = always,
        api_url: String,
        zone: String = always,
        access_key: String = always,
        secret_key: Secret = always,
        secret_key_file: FilePath = always,
        name_filter: String,
        tags_filter: Vec<String>,
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
        role: ScalewayRole = always,
    }
}

word! {
    pub struct ScalewayRole: "scaleway.role" { "instance", "baremetal" }
    else |text| format!("unknown role {text:?}")
}

impl Section for Scaleway {
    fn defaults() -> Scaleway {
        Scaleway {
            api_url: "https://api.scaleway.com".to_owned(),
            zone: "fr-par-1".to_owned(),
            http: HttpClient::defaults(),
            refresh_interval: REFRESH,
            port: 80,
            ..Scaleway::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(self.role.as_str(), "role missing (one of: instance, baremetal)")?;
        require(&self.project_id, "project_id is mandatory")?;
        check_secret_key(&self.secret_key, &self.secret_key_file)?;
        require(&self.access_key, "access_key is mandatory")?;
        self.http.check()
    }
}

record! {
    pub struct Stackit: "stackit.plain" {
        http: HttpClient = inline,
        project: String = always,
        refresh_interval: Duration,
        port: i64,
        region: String,
        endpoint: String,
        service_account_key: Secret,
        private_key: Secret,
        service_account_key_path: String,
        private_key_path: String,
        credentials_file_path: String,
    }
}

impl Section for Stackit {
    fn defaults() -> Stackit {
        Stackit {
            http: HttpClient::defaults(),
            refresh_interval: REFRESH,
            port: 80,
            region: "eu01".to_owned(),
            ..Stackit::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.endpoint.is_empty() && self.region.is_empty() {
            return Err("stackit_sd: endpoint and region missing".into());
        }
        parse_url(&self.endpoint).map_err(|broken| {
            format!("stackit_sd: invalid endpoint {:?}: {}", self.endpoint, broken.message)
        })?;
        self.http.check()
    }
}

record! {
    pub struct Uyuni: "uyuni.plain" {
        server: String = always,
        username: String = always,
        password: Secret = always,
        http: HttpClient = inline,
        entitlement: String,
        separator: String,
        refresh_interval: Duration,
    }
}

impl Section for Uyuni {
    fn defaults() -> Uyuni {
        Uyuni {
            entitlement: "monitoring_entitled".to_owned(),
            separator: ",".to_owned(),
            refresh_interval: REFRESH,
            http: HttpClient::defaults(),
            ..Uyuni::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.server, "Uyuni SD configuration requires server host")?;
        parse_url(&self.server)
            .map_err(|broken| format!("Uyuni Server URL is not valid: {}", broken.message))?;
        require(&self.username, "Uyuni SD configuration requires a username")?;
        require(&self.password.0, "Uyuni SD configuration requires a password")?;
        self.http.check()
    }
}

record! {
    pub struct Vultr: "vultr.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration = always,
        port: i64 = always,
    }
}

impl Section for Vultr {
    fn defaults() -> Vultr {
        Vultr { http: HttpClient::defaults(), refresh_interval: REFRESH, port: 80 }
    }

    fn check(&mut self) -> Result<(), Broken> {
        self.http.check()
    }
}

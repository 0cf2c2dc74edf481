//! Lists of targets that somebody keeps: static, files, HTTP, DNS, Consul, Eureka, PuppetDB,
//! ZooKeeper.

use std::collections::BTreeMap;

use super::require;
use crate::{
    decode::{Broken, Section},
    http::HttpClient,
    record,
    values::{Duration, FilePath, LabelSet, Secret, parse_url},
};

record! {
    /// A group of targets with labels of their own.
    pub struct Static: "struct { Targets []string; Labels model.LabelSet }" {
        targets: Vec<String> = always,
        labels: LabelSet,
    }
}

record! {
    pub struct File: "file.plain" {
        files: Vec<FilePath> = always,
        refresh_interval: Duration,
    }
}

record! {
    pub struct Http: "http.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration,
        url: String = always,
    }
}

record! {
    pub struct Dns: "dns.plain" {
        names: Vec<String> = always,
        refresh_interval: Duration,
        kind as "type": String = always,
        port: i64 = always,
    }
}

record! {
    pub struct Consul: "consul.plain" {
        server: String,
        path_prefix: String,
        token: Secret,
        datacenter: String,
        namespace: String,
        partition: String,
        tag_separator: String,
        scheme: String,
        username: String,
        password: Secret,
        allow_stale: bool = always,
        refresh_interval: Duration,
        services: Vec<String>,
        tags: Vec<String>,
        node_meta: BTreeMap<String, String>,
        filter: String,
        health_filter: String,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Eureka: "eureka.plain" {
        server: String,
        http: HttpClient = inline,
        refresh_interval: Duration,
    }
}

record! {
    pub struct PuppetDb: "puppetdb.plain" {
        http: HttpClient = inline,
        refresh_interval: Duration,
        url: String = always,
        query: String = always,
        include_parameters: bool = always,
        port: i64 = always,
    }
}

record! {
    pub struct Nerve: "zookeeper.plain" {
        servers: Vec<String> = always,
        paths: Vec<String> = always,
        timeout: Duration,
    }
}

record! {
    pub struct Serverset: "zookeeper.plain" {
        servers: Vec<String> = always,
        paths: Vec<String> = always,
        timeout: Duration,
    }
}

impl Section for Static {}

impl Section for File {
    fn defaults() -> File {
        File { refresh_interval: Duration::from_secs(300), ..File::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.files.is_empty() {
            return Err("file service discovery config must contain at least one path name".into());
        }
        match self.files.iter().find(|path| !is_file_pattern(&path.0)) {
            Some(path) => {
                Err(format!("path name {:?} is not valid for file discovery", path.0).into())
            }
            None => Ok(()),
        }
    }
}

/// `^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`: a star only in the last part.
fn is_file_pattern(path: &str) -> bool {
    let Some((before, extension)) = path.rsplit_once('.') else { return false };
    let star_is_last = before.split_once('*').is_none_or(|(_, after)| !after.contains('/'));
    star_is_last && ["json", "yml", "yaml", "JSON", "YML", "YAML"].contains(&extension)
}

/// An address that must be an `http` or `https` URL with a host.
fn check_url(url: &str) -> Result<(), Broken> {
    require(url, "URL is missing")?;
    let parts = parse_url(url)?;
    if !["http", "https"].contains(&parts.scheme.as_str()) {
        return Err("URL scheme must be 'http' or 'https'".into());
    }
    require(&parts.host, "host is missing in URL")
}

impl Section for Http {
    fn defaults() -> Http {
        Http {
            http: HttpClient::defaults(),
            refresh_interval: Duration::from_secs(60),
            url: String::new(),
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        check_url(&self.url)?;
        self.http.check()
    }
}

impl Section for Dns {
    fn defaults() -> Dns {
        Dns { refresh_interval: Duration::from_secs(30), kind: "SRV".to_owned(), ..Dns::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.names.is_empty() {
            return Err("DNS-SD config must contain at least one SRV record name".into());
        }
        match self.kind.to_uppercase().as_str() {
            "SRV" => Ok(()),
            "A" | "AAAA" | "MX" | "NS" if self.port != 0 => Ok(()),
            "A" | "AAAA" | "MX" | "NS" => {
                Err("a port is required in DNS-SD configs for all record types except SRV".into())
            }
            _ => Err(format!("invalid DNS-SD records type {}", self.kind).into()),
        }
    }
}

impl Section for Consul {
    fn defaults() -> Consul {
        Consul {
            server: "localhost:8500".to_owned(),
            tag_separator: ",".to_owned(),
            scheme: "http".to_owned(),
            allow_stale: true,
            refresh_interval: Duration::from_secs(30),
            http: HttpClient::defaults(),
            ..Consul::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(self.server.trim(), "consul SD configuration requires a server address")?;
        if !self.username.is_empty() || !self.password.is_empty() {
            if self.http.basic_auth.is_some() {
                return Err("at most one of consul SD configuration username and password and basic auth can be configured".into());
            }
            self.http.basic_auth = Some(crate::http::BasicAuth {
                username: self.username.clone(),
                password: self.password.clone(),
                ..Default::default()
            });
        }
        if !self.token.is_empty()
            && (self.http.authorization.is_some() || self.http.oauth2.is_some())
        {
            return Err(
                "at most one of consul SD token, authorization, or oauth2 can be configured".into(),
            );
        }
        self.http.check()
    }
}

impl Section for Eureka {
    fn defaults() -> Eureka {
        Eureka {
            http: HttpClient::defaults(),
            refresh_interval: Duration::from_secs(30),
            ..Eureka::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.server, "eureka_sd: empty or null eureka server")?;
        let url = parse_url(&self.server)?;
        if url.scheme.is_empty() || url.host.is_empty() {
            return Err("eureka_sd: invalid eureka server URL".into());
        }
        self.http.check()
    }
}

impl Section for PuppetDb {
    fn defaults() -> PuppetDb {
        PuppetDb {
            http: HttpClient::defaults(),
            refresh_interval: Duration::from_secs(60),
            port: 80,
            ..PuppetDb::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        check_url(&self.url)?;
        require(&self.query, "query missing")?;
        self.http.check()
    }
}

const ZOOKEEPER_TIMEOUT: Duration = Duration::from_secs(10);

fn check_zookeeper(name: &str, servers: &[String], paths: &[String]) -> Result<(), Broken> {
    if servers.is_empty() {
        return Err(format!("{name} SD config must contain at least one Zookeeper server").into());
    }
    if paths.is_empty() {
        return Err(format!("{name} SD config must contain at least one path").into());
    }
    match paths.iter().find(|path| !path.starts_with('/')) {
        Some(path) => Err(format!("{name} SD config paths must begin with '/': {path}").into()),
        None => Ok(()),
    }
}

impl Section for Nerve {
    fn defaults() -> Nerve {
        Nerve { timeout: ZOOKEEPER_TIMEOUT, ..Nerve::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        check_zookeeper("nerve", &self.servers, &self.paths)
    }
}

impl Section for Serverset {
    fn defaults() -> Serverset {
        Serverset { timeout: ZOOKEEPER_TIMEOUT, ..Serverset::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        check_zookeeper("serverset", &self.servers, &self.paths)
    }
}

//! Schedulers of containers: Docker, Swarm, Nomad, Marathon, Kuma.

use super::require;
use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{Duration, FilePath, Secret, parse_url},
};

record! {
    pub struct DockerFilter: "moby.Filter" {
        name: String = always,
        values: Vec<String> = always,
    }
}

record! {
    pub struct Docker: "moby.plain" {
        http: HttpClient = inline,
        host: String = always,
        port: i64 = always,
        filters: List<DockerFilter> = always,
        host_networking_host: String = always,
        refresh_interval: Duration = always,
        match_first_network: bool = always,
    }
}

record! {
    pub struct DockerSwarm: "moby.plain" {
        http: HttpClient = inline,
        host: String = always,
        role: String = always,
        port: i64 = always,
        filters: List<DockerFilter> = always,
        refresh_interval: Duration = always,
    }
}

record! {
    pub struct Nomad: "nomad.plain" {
        allow_stale: bool = always,
        http: HttpClient = inline,
        namespace: String = always,
        refresh_interval: Duration = always,
        region: String = always,
        server: String = always,
        tag_separator: String,
    }
}

record! {
    pub struct Marathon: "marathon.plain" {
        servers: Vec<String>,
        refresh_interval: Duration,
        auth_token: Secret,
        auth_token_file: FilePath,
        http: HttpClient = inline,
    }
}

record! {
    pub struct Kuma: "xds.plainKumaConf" {
        http: HttpClient = inline,
        refresh_interval: Duration,
        fetch_timeout: Duration,
        server: String,
        client_id: String,
    }
}

impl Section for DockerFilter {}

impl Section for Docker {
    fn defaults() -> Docker {
        Docker {
            port: 80,
            host_networking_host: "localhost".to_owned(),
            refresh_interval: Duration::from_secs(60),
            match_first_network: true,
            http: HttpClient::defaults(),
            ..Docker::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.host, "host missing")?;
        parse_url(&self.host)?;
        self.http.check()
    }
}

impl Section for DockerSwarm {
    fn defaults() -> DockerSwarm {
        DockerSwarm {
            port: 80,
            refresh_interval: Duration::from_secs(60),
            http: HttpClient::defaults(),
            ..DockerSwarm::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(&self.host, "host missing")?;
        parse_url(&self.host)?;
        match self.role.as_str() {
            "services" | "nodes" | "tasks" => self.http.check(),
            "" => Err("role missing (one of: tasks, services, nodes)".into()),
            role => Err(format!("invalid role {role}, expected tasks, services, or nodes").into()),
        }
    }
}

impl Section for Nomad {
    fn defaults() -> Nomad {
        Nomad {
            allow_stale: true,
            http: HttpClient::defaults(),
            namespace: "default".to_owned(),
            refresh_interval: Duration::from_secs(60),
            region: "global".to_owned(),
            server: "http://localhost:4646".to_owned(),
            tag_separator: ",".to_owned(),
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        require(self.server.trim(), "nomad SD configuration requires a server address")?;
        self.http.check()
    }
}

impl Section for Marathon {
    fn defaults() -> Marathon {
        Marathon {
            refresh_interval: Duration::from_secs(30),
            http: HttpClient::defaults(),
            ..Marathon::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.servers.is_empty() {
            return Err("marathon_sd: must contain at least one Marathon server".into());
        }
        let (token, file) = (!self.auth_token.is_empty(), !self.auth_token_file.is_empty());
        if token && file {
            return Err(
                "marathon_sd: at most one of auth_token & auth_token_file must be configured"
                    .into(),
            );
        }
        let http = &self.http;
        if token || file {
            if http.basic_auth.is_some() {
                return Err("marathon_sd: at most one of basic_auth, auth_token & auth_token_file must be configured".into());
            }
            if !http.bearer_token.is_empty() || !http.bearer_token_file.is_empty() {
                return Err("marathon_sd: at most one of bearer_token, bearer_token_file, auth_token & auth_token_file must be configured".into());
            }
            if http.authorization.is_some() {
                return Err("marathon_sd: at most one of auth_token, auth_token_file & authorization must be configured".into());
            }
        }
        self.http.check()
    }
}

impl Section for Kuma {
    fn defaults() -> Kuma {
        Kuma {
            http: HttpClient::defaults(),
            refresh_interval: Duration::from_secs(15),
            fetch_timeout: Duration::from_secs(120),
            ..Kuma::default()
        }
    }

    fn check(&mut self) -> Result<(), Broken> {
        let server = &self.server;
        if server.is_empty() {
            return Err(format!("kuma SD server must not be empty: {server}").into());
        }
        let url = parse_url(server)?;
        if url.scheme.is_empty() || url.host.is_empty() {
            return Err(
                format!("kuma SD server must not be empty and have a scheme: {server}").into()
            );
        }
        self.http.check()
    }
}

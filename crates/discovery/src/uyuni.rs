//! `uyuni_sd_configs`: the exporters on systems that Uyuni (SUSE Manager) looks after, by XML-RPC.

mod rpc;

use std::{collections::BTreeMap, time::Duration};

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client::{self, Secret};

use crate::{
    found::{Found, each, get, group, text},
    refresh::{Lookup, Polled},
    service::Service,
    token::{Token, Tokens},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: String,
    pub username: String,
    pub password: Secret,
    /// What systems must be entitled to.
    pub entitlement: String,
    /// Between the names of groups.
    pub separator: String,
    pub http: client::Config,
    pub refresh_interval: Duration,
}

/// As long as a login holds. We log in again at half of it.
const LOGIN: Duration = Duration::from_secs(10 * 60);

pub(crate) struct Uyuni {
    config: Config,
    url: String,
    service: Service,
    runtime: Runtime,
    tokens: Tokens,
}

impl Polled for Config {
    type Lookup = Uyuni;

    fn lookup(&self, runtime: &Runtime) -> Result<Uyuni, String> {
        Ok(Uyuni {
            config: self.clone(),
            url: format!("{}/rpc/api", self.server.trim_end_matches('/')),
            service: Service::new(&self.http, runtime)?,
            runtime: runtime.clone(),
            tokens: Tokens::default(),
        })
    }
}

impl Lookup for Uyuni {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let login = login(&self.config, &self.url, &self.service, &self.runtime);
        let token = self.tokens.get(&self.runtime, login).await?;
        match self.targets(&token).await {
            Ok(targets) => Ok(vec![group(self.url.clone(), targets)]),
            Err(error) => {
                self.tokens.forget();
                Err(error)
            }
        }
    }
}

async fn login(
    config: &Config,
    url: &str,
    service: &Service,
    runtime: &Runtime,
) -> Result<Token, String> {
    let until = runtime.clock.monotonic() + LOGIN / 2;
    let password = match &config.password {
        Secret::Inline(password) => password,
        Secret::File(_) => "",
    };
    let parameters = [json!(config.username), json!(password), json!(LOGIN.as_secs())];
    let answer = rpc::call(service, url, "auth.login", &parameters).await;
    let answer = answer.map_err(|error| format!("unable to login to Uyuni API: {error}"))?;
    Ok(Token { value: text(&answer), until })
}

impl Uyuni {
    async fn call(&self, method: &str, parameters: &[Value]) -> Result<Value, String> {
        rpc::call(&self.service, &self.url, method, parameters).await
    }

    async fn targets(&self, token: &str) -> Result<Vec<Labels>, String> {
        let method = "system.listSystemGroupsForSystemsWithEntitlement";
        let systems = self.call(method, &[json!(token), json!(self.config.entitlement)]).await?;
        let ids: Vec<&Value> = each(&systems).map(|system| &system["id"]).collect();
        let parameters = [json!(token), json!(ids)];
        let endpoints = self.call("system.monitoring.listEndpoints", &parameters).await?;
        let networks = self.call("system.getNetworkForSystems", &parameters).await?;
        let by_id = |list, key: &str| -> BTreeMap<String, Value> {
            each(list).map(|entry| (text(&entry[key]), entry.clone())).collect()
        };
        let (systems, networks) = (by_id(&systems, "id"), by_id(&networks, "system_id"));
        let found = each(&endpoints).map(|endpoint| {
            let id = text(&endpoint["system_id"]);
            let system = systems.get(&id).unwrap_or(&Value::Null);
            let network = networks.get(&id).unwrap_or(&Value::Null);
            self.target(endpoint, system, network).labels()
        });
        Ok(found.collect())
    }

    fn target(&self, endpoint: &Value, system: &Value, network: &Value) -> Found {
        let host = get(network, "hostname");
        let mut found = Found::at(&format!("{host}:{}", text(&endpoint["port"])));
        found.copy(
            "__meta_uyuni_",
            endpoint,
            &[
                ("endpoint_name", "/endpoint_name"),
                ("exporter", "/exporter_name"),
                ("metrics_path", "/path"),
                ("proxy_module", "/module"),
                ("system_id", "/system_id"),
            ],
        );
        let groups: Vec<&str> =
            each(&system["system_groups"]).map(|group| get(group, "name")).collect();
        let scheme = if endpoint["tls_enabled"] == true { "https" } else { "http" };
        for (name, value) in [
            ("groups", groups.join(&self.config.separator).as_str()),
            ("minion_hostname", host),
            ("primary_fqdn", get(network, "primary_fqdn")),
            ("scheme", scheme),
        ] {
            found.set(&format!("__meta_uyuni_{name}"), value);
        }
        found
    }
}

//! `puppetdb_sd_configs`: the resources that a query of PuppetDB finds.

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client;

use crate::{
    found::{Found, each, enclosed, get, host_port, sanitize, text, texts},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub url: String,
    pub http: client::Config,
    pub query: String,
    pub include_parameters: bool,
    pub port: u16,
    pub refresh_interval: Duration,
}

pub(crate) struct PuppetDb {
    config: Config,
    service: Service,
}

impl Polled for Config {
    type Lookup = PuppetDb;

    fn lookup(&self, runtime: &Runtime) -> Result<PuppetDb, String> {
        Ok(PuppetDb { config: self.clone(), service: Service::new(&self.http, runtime)? })
    }
}

impl Lookup for PuppetDb {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let url = format!("{}/pdb/query/v4", self.config.url.trim_end_matches('/'));
        let answer = self.service.post_json(&url, &json!({ "query": self.config.query })).await?;
        let targets = each(&answer).map(|resource| self.target(resource));
        let labels = Labels::from_pairs([("__meta_puppetdb_query", &self.config.query)]);
        Ok(vec![TargetGroup { targets: targets.collect(), labels, source: url }])
    }
}

impl PuppetDb {
    fn target(&self, resource: &Value) -> Labels {
        let mut found = Found::at(&host_port(get(resource, "certname"), self.config.port));
        found.copy(
            "__meta_puppetdb_",
            resource,
            &[
                ("certname", "/certname"),
                ("resource", "/resource"),
                ("type", "/type"),
                ("title", "/title"),
                ("exported", "/exported"),
                ("file", "/file"),
                ("environment", "/environment"),
            ],
        );
        found.set("__meta_puppetdb_tags", enclosed(&texts(&resource["tags"]), ","));
        if self.config.include_parameters {
            add_parameters(&mut found, "__meta_puppetdb_parameter_", &resource["parameters"]);
        }
        found.labels()
    }
}

/// Texts, numbers and lists of them are labels; what is in a map gets the map's name in front.
fn add_parameters(found: &mut Found, prefix: &str, parameters: &Value) {
    for (name, value) in parameters.as_object().into_iter().flatten() {
        let label = format!("{prefix}{}", sanitize(name));
        match value {
            Value::Null => {}
            Value::Object(_) => add_parameters(found, &format!("{label}_"), value),
            Value::Array(list) if list.iter().all(|it| !it.is_array() && !it.is_object()) => {
                found.set(&label, enclosed(&texts(value), ","));
            }
            Value::Array(_) => {}
            plain => {
                found.set(&label, text(plain));
            }
        }
    }
}

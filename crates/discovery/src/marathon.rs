//! `marathon_sd_configs`: the tasks of Marathon's apps.

use std::time::Duration;

use http::{HeaderMap, header};
use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Secret};

use crate::{
    found::{Found, each, get, host_port, sanitize, text},
    refresh::{Lookup, Polled},
    service::Service,
    token::secret_header,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// One of them is asked.
    pub servers: Vec<String>,
    /// Instead of what `http` says.
    pub auth_token: Option<Secret>,
    pub http: client::Config,
    pub refresh_interval: Duration,
}

pub(crate) struct Marathon {
    config: Config,
    service: Service,
    runtime: Runtime,
}

impl Polled for Config {
    type Lookup = Marathon;

    fn lookup(&self, runtime: &Runtime) -> Result<Marathon, String> {
        let service = Service::new(&self.http, runtime)?;
        Ok(Marathon { config: self.clone(), service, runtime: runtime.clone() })
    }
}

impl Lookup for Marathon {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let servers = &self.config.servers;
        let n_servers = u64::try_from(servers.len().max(1)).unwrap_or(1);
        let chosen = usize::try_from(self.runtime.random.u64() % n_servers).unwrap_or_default();
        let server = servers.get(chosen).map_or("", String::as_str);
        let url = format!("{}/v2/apps/?embed=apps.tasks", server.trim_end_matches('/'));
        let answer = self.service.ask(&url, self.headers()?).await?;
        Ok(each(&answer["apps"]).map(app).collect())
    }
}

impl Marathon {
    /// A token that Marathon gave; files are read again each time.
    fn headers(&self) -> Result<HeaderMap, String> {
        let token = match &self.config.auth_token {
            None => return Ok(HeaderMap::new()),
            Some(Secret::Inline(token)) => token.clone(),
            Some(Secret::File(path)) => {
                let read = runtime::blocking(|| self.runtime.disk.read_to_string(path));
                read.map_err(|error| {
                    format!("unable to read auth token file {}: {error}", path.display())
                })?
            }
        };
        secret_header(header::AUTHORIZATION, &format!("token={}", token.trim()))
    }
}

/// An app's ports, and where they are to be found.
struct Ports<'a> {
    numbers: Vec<u64>,
    /// The labels of each port, if ports have labels.
    labels: Vec<&'a Value>,
    prefix: &'static str,
    is_container_network: bool,
}

fn app(app: &Value) -> TargetGroup {
    let mut common = Found::default();
    let table = [("app", "/id"), ("image", "/container/docker/image")];
    common.copy("__meta_marathon_", app, &table);
    common.map("__meta_marathon_app_label_", &app["labels"]);
    let mut ports = ports(app);
    let mut targets = Vec::new();
    for task in each(&app["tasks"]) {
        let of_task: Vec<u64> = each(&task["ports"]).filter_map(Value::as_u64).collect();
        // Without any word of the app its tasks say it, all of them the same.
        if ports.numbers.is_empty() {
            ports.numbers = of_task.clone();
        }
        targets.extend(of_one_task(task, &ports, &of_task));
    }
    TargetGroup { targets, labels: common.labels(), source: get(app, "id").to_owned() }
}

fn ports(app: &Value) -> Ports<'_> {
    let first_network = each(&app["networks"]).next().unwrap_or(&Value::Null);
    let is_container_network = get(first_network, "mode") == "container";
    let number = |port: &Value, key: &str| port[key].as_u64().unwrap_or_default();
    let container = &app["container"];
    // Where port mappings are depends on Marathon's version.
    for mappings in [&container["portMappings"], &container["docker"]["portMappings"]] {
        let key = if is_container_network { "containerPort" } else { "hostPort" };
        let numbers: Vec<u64> = each(mappings).map(|port| number(port, key)).collect();
        if !numbers.is_empty() {
            let labels = each(mappings).map(|port| &port["labels"]).collect();
            let prefix = "__meta_marathon_port_mapping_label_";
            return Ports { numbers, labels, prefix, is_container_network };
        }
    }
    let definitions = &app["portDefinitions"];
    let is_required = app["requirePorts"] == true;
    // A port that is not required is only a service's; a task says where it really listens.
    let numbers =
        each(definitions).map(|port| if is_required { number(port, "port") } else { 0 }).collect();
    let labels = each(definitions).map(|port| &port["labels"]).collect();
    let prefix = "__meta_marathon_port_definition_label_";
    Ports { numbers, labels, prefix, is_container_network }
}

/// One target for each port.
fn of_one_task(task: &Value, ports: &Ports<'_>, of_task: &[u64]) -> Vec<Labels> {
    let own = each(&task["ipAddresses"]).next().filter(|_| ports.is_container_network);
    let host = own.map_or(get(task, "host"), |own| get(own, "ipAddress"));
    let is_told_by_task = of_task.len() == ports.numbers.len();
    let found = ports.numbers.iter().enumerate().map(|(idx, number)| {
        let told = of_task.get(idx).filter(|_| *number == 0 && is_told_by_task);
        let mut found = Found::at(&host_port(host, told.unwrap_or(number)));
        found.set("__meta_marathon_task", get(task, "id"));
        found.set("__meta_marathon_port_index", idx.to_string());
        let labels = ports.labels.get(idx).and_then(|labels| labels.as_object());
        for (name, value) in labels.into_iter().flatten() {
            found.set(&format!("{}{}", ports.prefix, sanitize(name)), text(value));
        }
        found.labels()
    });
    found.collect()
}

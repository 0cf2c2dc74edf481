//! `kuma_sd_configs`: what a Kuma control plane assigns to monitoring, by xDS over REST.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use model::TargetGroup;
use runtime::Runtime;
use serde_json::{Value, json};
use transport::client;

use crate::{
    found::{Found, each, get, group},
    refresh::{Lookup, Polled},
    service::{self, Service},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub server: String,
    /// Empty means the name of this host.
    pub client_id: String,
    pub fetch_timeout: Duration,
    pub http: client::Config,
    pub refresh_interval: Duration,
}

const RESOURCE: &str = "kuma.observability.v1.MonitoringAssignment";

pub(crate) struct Kuma {
    url: String,
    client_id: String,
    service: Service,
    /// What the control plane said last; it holds for as long as it says that nothing is new.
    last: Option<Last>,
}

struct Last {
    version: String,
    nonce: String,
    groups: Vec<TargetGroup>,
}

impl Polled for Config {
    type Lookup = Kuma;

    fn lookup(&self, runtime: &Runtime) -> Result<Kuma, String> {
        let server = self.server.trim_end_matches('/');
        let timeout = model::duration::format(self.fetch_timeout);
        let url = format!(
            "{server}/v3/discovery:monitoringassignments?fetch-timeout={}",
            service::escape(&timeout)
        );
        let host = || {
            let name = runtime.disk.read_to_string("/etc/hostname".as_ref());
            name.map_or("prometheus".to_owned(), |name| name.trim().to_owned())
        };
        let client_id = if self.client_id.is_empty() { host() } else { self.client_id.clone() };
        // The control plane may keep us waiting for as long as that.
        let service = Service::new(&self.http, runtime)?
            .with_timeout(self.fetch_timeout + Duration::from_secs(15))
            .with_header("accept", "application/json")?;
        Ok(Kuma { url, client_id, service, last: None })
    }
}

impl Lookup for Kuma {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let (version, nonce) =
            self.last.as_ref().map_or(("", ""), |last| (&last.version, &last.nonce));
        let question = json!({
            "version_info": version,
            "response_nonce": nonce,
            "type_url": format!("type.googleapis.com/{RESOURCE}"),
            "resource_names": [],
            "node": { "id": self.client_id },
        });
        let kind = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]);
        let question = Bytes::from(question.to_string());
        let response = self.service.send(Method::POST, &self.url, headers, question).await?;
        if let (StatusCode::NOT_MODIFIED, Some(last)) = (response.status, &self.last) {
            return Ok(last.groups.clone());
        }
        let answer = service::json(&response)?;
        let found = each(&answer["resources"]).flat_map(targets);
        let groups = vec![group("kuma", found.map(|found| found.labels()).collect())];
        self.last = Some(Last {
            version: get(&answer, "version_info").to_owned(),
            nonce: get(&answer, "nonce").to_owned(),
            groups: groups.clone(),
        });
        Ok(groups)
    }
}

/// One for each target of an assignment.
fn targets(assignment: &Value) -> impl Iterator<Item = Found> {
    let mut common = Found::default();
    common.copy("__meta_kuma_", assignment, &[("mesh", "/mesh"), ("service", "/service")]);
    common.map("__meta_kuma_label_", &assignment["labels"]);
    each(&assignment["targets"]).map(move |target| {
        let mut found = common.clone();
        found.map("__meta_kuma_label_", &target["labels"]);
        // Both spellings are right for a message in JSON.
        for (label, key) in [
            ("__address__", "address"),
            ("__meta_kuma_dataplane", "name"),
            ("__metrics_path__", "metrics_path"),
            ("__metrics_path__", "metricsPath"),
            ("__scheme__", "scheme"),
            ("instance", "name"),
        ] {
            if target.get(key).is_some() {
                found.set(label, get(target, key));
            }
        }
        found
    })
}

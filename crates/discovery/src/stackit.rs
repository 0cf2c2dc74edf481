//! `stackit_sd_configs`: servers of STACKIT.

use std::{path::Path, time::Duration};

use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use transport::client::{self, Authentication, OAuth2, Secret};

use crate::{
    found::{Found, each, get, group, host_port, sanitize},
    refresh::{Lookup, Polled},
    service::Service,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Empty means STACKIT's own in the region.
    pub endpoint: String,
    pub region: String,
    pub project: String,
    /// The key of a service account, in JSON; without one, `http` says who we are.
    pub service_account_key: Option<Secret>,
    /// Its private part, if it is not in there.
    pub private_key: Option<Secret>,
    /// Names the two, or has a token.
    pub credentials_file: String,
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

const TOKEN_URL: &str = "https://service-account.api.stackit.cloud/token";

pub(crate) struct Stackit {
    config: Config,
    url: String,
    service: Service,
}

impl Polled for Config {
    type Lookup = Stackit;

    fn lookup(&self, runtime: &Runtime) -> Result<Stackit, String> {
        let mut http = self.http.clone();
        if let Some(authentication) = self.authentication(&*runtime.disk)? {
            http.authentication = authentication;
        }
        let endpoint = match self.endpoint.trim_end_matches('/') {
            "" => format!("https://iaas.api.{}.stackit.cloud", self.region),
            endpoint => endpoint.to_owned(),
        };
        let url = format!("{endpoint}/v1/projects/{}/servers?details=true", self.project);
        Ok(Stackit { config: self.clone(), url, service: Service::new(&http, runtime)? })
    }
}

impl Config {
    /// Nothing if there is no service account.
    fn authentication(&self, disk: &dyn runtime::Disk) -> Result<Option<Authentication>, String> {
        let read = |secret: &Secret| match secret {
            Secret::Inline(text) => Ok(text.clone()),
            Secret::File(path) => disk
                .read_to_string(path)
                .map_err(|error| format!("read {}: {error}", path.display())),
        };
        let credentials = match self.credentials_file.as_str() {
            "" => Value::Null,
            path => parse(&read(&Secret::File(Path::new(path).into()))?)?,
        };
        let named = |key: &str| {
            let path = get(&credentials, key);
            (!path.is_empty()).then(|| Secret::File(path.into()))
        };
        let key = self.service_account_key.clone();
        let Some(key) = key.or_else(|| named("STACKIT_SERVICE_ACCOUNT_KEY_PATH")) else {
            let token = get(&credentials, "STACKIT_SERVICE_ACCOUNT_TOKEN");
            return Ok((!token.is_empty()).then(|| Authentication::Authorization {
                scheme: "Bearer".to_owned(),
                credentials: Some(Secret::Inline(token.to_owned())),
            }));
        };
        let key = parse(&read(&key)?)?;
        let fields = field(&key, "credentials");
        let private = self.private_key.clone().or_else(|| named("STACKIT_PRIVATE_KEY_PATH"));
        let private = match private {
            Some(private) => read(&private)?,
            None => field(fields, "privateKey").as_str().unwrap_or_default().to_owned(),
        };
        let text = |name| field(fields, name).as_str().unwrap_or_default().to_owned();
        Ok(Some(Authentication::OAuth2(Box::new(OAuth2 {
            client_id: text("sub"),
            client_certificate_key: Some(Secret::Inline(private)),
            client_certificate_key_id: text("kid"),
            signature_algorithm: "RS512".to_owned(),
            grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
            issuer: text("iss"),
            audience: text("aud"),
            token_url: TOKEN_URL.to_owned(),
            tls: self.http.tls.clone(),
            proxy: self.http.proxy.clone(),
            ..OAuth2::default()
        }))))
    }
}

fn parse(json: &str) -> Result<Value, String> {
    serde_json::from_str(json).map_err(|error| format!("parse the service account: {error}"))
}

/// The value of a key in any case, as Go finds it.
fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let mut fields = value.as_object().into_iter().flatten();
    let found = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map_or(&Value::Null, |(_, value)| value)
}

impl Lookup for Stackit {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let answer = self.service.get_json(&self.url).await?;
        let found = each(&answer["items"]).filter_map(|server| self.target(server));
        Ok(vec![group("stackit", found.map(|found| found.labels()).collect())])
    }
}

impl Stackit {
    /// Nothing for a server without a network.
    fn target(&self, server: &Value) -> Option<Found> {
        let interfaces = || each(&server["nics"]);
        interfaces().next()?;
        let public = interfaces().map(|it| get(it, "publicIp")).find(|ip| !ip.is_empty());
        let private = interfaces().map(|it| get(it, "ipv4")).find(|ip| !ip.is_empty());
        let address = public.or(private)?;
        let mut found = Found::at(&host_port(address, self.config.port));
        found.copy(
            "__meta_stackit_",
            server,
            &[
                ("availability_zone", "/availabilityZone"),
                ("id", "/id"),
                ("name", "/name"),
                ("power_status", "/powerStatus"),
                ("status", "/status"),
                ("type", "/machineType"),
            ],
        );
        found.set("__meta_stackit_project", &self.config.project);
        found.set("__meta_stackit_public_ipv4", public.unwrap_or_default());
        for interface in interfaces() {
            let network = sanitize(get(interface, "networkName"));
            let label = format!("__meta_stackit_private_ipv4_{network}");
            found.set(&label, get(interface, "ipv4"));
        }
        let (prefix, present) = ("__meta_stackit_label_", "__meta_stackit_labelpresent_");
        found.map_present(prefix, present, &server["labels"]);
        Some(found)
    }
}

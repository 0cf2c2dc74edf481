//! `oci_sd_configs`: instances of Oracle's cloud.

mod principal;
mod signature;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Method;
use model::TargetGroup;
use runtime::Runtime;
use serde_json::Value;
use tracing::warn;
use transport::client;

use self::{principal::Principal, signature::Signer};
use crate::{
    found::{Found, each, get, group, host_port, sanitize, text},
    refresh::{Lookup, Polled},
    service::{PAGES_MAX, Service, escape, json},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub authentication: Authentication,
    pub region: String,
    /// None means the tenancy and all that is in it.
    pub compartments: Vec<String>,
    pub http: client::Config,
    pub port: u16,
    pub refresh_interval: Duration,
}

/// Who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// A user with a key.
    ApiKey(ApiKey),
    /// The instance that we run on.
    InstancePrincipal,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub tenancy: String,
    pub user: String,
    pub fingerprint: String,
    pub key_file: PathBuf,
    /// Whether the key is encrypted.
    pub has_passphrase: bool,
}

const VERSION: &str = "20160918";

pub(crate) struct Oci {
    config: Config,
    identity: Identity,
    service: Service,
    runtime: Runtime,
}

enum Identity {
    User(Arc<Signer>),
    Instance(Principal),
}

/// One look at the cloud, as somebody.
struct Session<'a> {
    oci: &'a Oci,
    signer: Arc<Signer>,
}

impl Polled for Config {
    type Lookup = Oci;

    fn lookup(&self, runtime: &Runtime) -> Result<Oci, String> {
        let service = Service::new(&self.http, runtime)?;
        let identity = match &self.authentication {
            Authentication::ApiKey(key) => {
                Identity::User(Arc::new(Signer::new(key, &*runtime.disk)?))
            }
            Authentication::InstancePrincipal => Identity::Instance(Principal::default()),
        };
        Ok(Oci { config: self.clone(), identity, service, runtime: runtime.clone() })
    }
}

impl Lookup for Oci {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let region = &self.config.region;
        let signer = match &mut self.identity {
            Identity::User(signer) => signer.clone(),
            Identity::Instance(principal) => {
                principal.signer(region, &self.service, &self.runtime).await?
            }
        };
        Session { oci: self, signer }.groups().await
    }
}

impl Session<'_> {
    /// One for each compartment.
    async fn groups(&self) -> Result<Vec<TargetGroup>, String> {
        let compartments = match self.oci.config.compartments.as_slice() {
            [] => self.all_compartments().await?,
            compartments => compartments.to_vec(),
        };
        let mut groups = Vec::new();
        for compartment in &compartments {
            let url = format!("{}/instances?compartmentId={}", self.core(), escape(compartment));
            let mut targets = Vec::new();
            for instance in self.list(&url).await? {
                let found = self.target(compartment, &instance).await;
                targets.extend(found.map(|found| found.labels()));
            }
            groups.push(group(format!("OCI_{compartment}"), targets));
        }
        Ok(groups)
    }

    /// Where instances and networks are.
    fn core(&self) -> String {
        format!("https://iaas.{}.oraclecloud.com/{VERSION}", self.oci.config.region)
    }

    async fn get(&self, url: &str) -> Result<client::Response, String> {
        let headers = self.signer.get(url, self.oci.runtime.clock.now())?;
        self.oci.service.send(Method::GET, url, headers, Bytes::new()).await
    }

    /// A list, whose next page a header names.
    async fn list(&self, url: &str) -> Result<Vec<Value>, String> {
        let (mut all, mut page) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let response = match page.as_str() {
                "" => self.get(url).await?,
                page => self.get(&format!("{url}&page={}", escape(page))).await?,
            };
            all.extend(each(&json(&response)?).cloned());
            let next = response.headers.get("opc-next-page").and_then(|it| it.to_str().ok());
            match next {
                None | Some("") => return Ok(all),
                Some(next) => next.clone_into(&mut page),
            }
        }
        Err(format!("more than {PAGES_MAX} pages"))
    }

    /// The tenancy and everything below. Who may not look into a compartment gets it without what
    /// is in it.
    async fn all_compartments(&self) -> Result<Vec<String>, String> {
        let tenancy = self.signer.tenancy().to_owned();
        let base = format!(
            "https://identity.{}.oraclecloud.com/{VERSION}/compartments",
            self.oci.config.region
        );
        let mut seen = BTreeSet::from([tenancy.clone()]);
        let mut all = vec![tenancy];
        let mut next = 0;
        while let Some(parent) = all.get(next).cloned() {
            next += 1;
            let url = format!("{base}?compartmentId={}", escape(&parent));
            let children = match self.list(&url).await {
                Ok(children) => children,
                Err(err) => {
                    warn!(compartment = parent, err, "Unable to list compartments");
                    continue;
                }
            };
            let active = children.iter().filter(|it| get(it, "lifecycleState") == "ACTIVE");
            for id in active.map(|it| get(it, "id").to_owned()) {
                if seen.insert(id.clone()) {
                    all.push(id);
                }
            }
        }
        Ok(all)
    }

    /// Nothing for an instance whose primary interface has no address, or cannot be seen.
    async fn target(&self, compartment: &str, instance: &Value) -> Option<Found> {
        let id = get(instance, "id");
        if id.is_empty() {
            return None;
        }
        let interface = match self.interface(compartment, id).await {
            Ok(interface) => interface?,
            Err(err) => {
                warn!(instance = id, err, "Unable to look at the network of an instance");
                return None;
            }
        };
        let addresses = [get(&interface, "privateIp"), get(&interface, "publicIp")];
        let address = addresses.into_iter().find(|address| !address.is_empty())?;
        let mut found = Found::at(&host_port(address, self.oci.config.port));
        found.copy(
            "__meta_oci_",
            instance,
            &[
                ("availability_domain", "/availabilityDomain"),
                ("compartment_id", "/compartmentId"),
                ("fault_domain", "/faultDomain"),
                ("image_id", "/imageId"),
                ("instance_id", "/id"),
                ("instance_name", "/displayName"),
                ("instance_shape", "/shape"),
                ("instance_state", "/lifecycleState"),
                ("region", "/region"),
            ],
        );
        let table = [("private_ip", "/privateIp"), ("public_ip", "/publicIp"), ("vnic_id", "/id")];
        found.copy("__meta_oci_", &interface, &table);
        found.set("__meta_oci_tenancy_id", self.signer.tenancy());
        add_tags(&mut found, instance);
        Some(found)
    }

    /// The primary one.
    async fn interface(&self, compartment: &str, instance: &str) -> Result<Option<Value>, String> {
        let (compartment, instance) = (escape(compartment), escape(instance));
        let core = self.core();
        let url =
            format!("{core}/vnicAttachments?compartmentId={compartment}&instanceId={instance}");
        for attachment in self.list(&url).await? {
            let id = get(&attachment, "vnicId");
            if get(&attachment, "lifecycleState") != "ATTACHED" || id.is_empty() {
                continue;
            }
            let interface = json(&self.get(&format!("{core}/vnics/{}", escape(id))).await?)?;
            if interface["isPrimary"] == true {
                return Ok(Some(interface));
            }
        }
        Ok(None)
    }
}

fn add_tags(found: &mut Found, instance: &Value) {
    found.map("__meta_oci_freeform_tag_", &instance["freeformTags"]);
    for (namespace, tags) in instance["definedTags"].as_object().into_iter().flatten() {
        for (key, value) in tags.as_object().into_iter().flatten() {
            // Only what is one value can be a label.
            if !value.is_array() && !value.is_object() {
                let (namespace, key) = (sanitize(namespace), sanitize(key));
                found.set(&format!("__meta_oci_defined_tag_{namespace}_{key}"), text(value));
            }
        }
    }
}

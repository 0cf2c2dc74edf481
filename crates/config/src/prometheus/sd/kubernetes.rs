//! Kubernetes.

use std::collections::HashSet;

use crate::{
    decode::{Broken, List, Section},
    http::HttpClient,
    record,
    values::{FilePath, Url},
    word,
};

record! {
    pub struct Kubernetes: "kubernetes.plain" {
        api_server: Url,
        role: KubernetesRole = always,
        kubeconfig_file: FilePath = always,
        http: HttpClient = inline,
        namespaces: Namespaces,
        selectors: List<Selector>,
        attach_metadata: AttachMetadata,
    }
}

word! {
    /// What kind of object becomes a target.
    pub struct KubernetesRole: "kubernetes.Role" {
        "node", "pod", "service", "endpoints", "endpointslice", "ingress",
    }
    else |text| format!("unknown Kubernetes SD role {text:?}")
}

record! {
    pub struct Namespaces: "kubernetes.plain" {
        own_namespace: bool = always,
        names: Vec<String> = always,
    }
}

record! {
    pub struct Selector: "kubernetes.SelectorConfig" {
        role: KubernetesRole,
        label: String,
        field: String,
    }
}

record! {
    pub struct AttachMetadata: "kubernetes.AttachMetadataConfig" {
        node: bool = always,
        namespace: bool = always,
        deployment: bool = always,
        job: bool = always,
        cronjob: bool = always,
    }
}

impl Section for Namespaces {}
impl Section for Selector {}
impl Section for AttachMetadata {}

impl Section for Kubernetes {
    fn defaults() -> Kubernetes {
        Kubernetes { http: HttpClient::defaults(), ..Kubernetes::default() }
    }

    fn check(&mut self) -> Result<(), Broken> {
        if self.role.is_empty() {
            return Err(
                "role missing (one of: pod, service, endpoints, endpointslice, node, ingress)"
                    .into(),
            );
        }
        self.http.check()?;
        self.check_access()?;
        self.check_selectors()
    }
}

impl Kubernetes {
    /// The API server is named here, or in a kubeconfig, or is the one around us: one of them.
    fn check_access(&self) -> Result<(), Broken> {
        let has_server = !self.api_server.is_empty();
        let has_kubeconfig = !self.kubeconfig_file.is_empty();
        let custom_http = self.http != HttpClient::defaults();
        if has_server && has_kubeconfig {
            return Err("cannot use 'kubeconfig_file' and 'api_server' simultaneously".into());
        }
        if has_kubeconfig && custom_http {
            return Err(
                "cannot use a custom HTTP client configuration together with 'kubeconfig_file'"
                    .into(),
            );
        }
        if !has_server && custom_http {
            return Err("to use custom HTTP client configuration please provide the 'api_server' URL explicitly".into());
        }
        if has_server && self.namespaces.own_namespace {
            return Err(
                "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously".into()
            );
        }
        if has_kubeconfig && self.namespaces.own_namespace {
            return Err(
                "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously".into(),
            );
        }
        Ok(())
    }

    fn check_selectors(&self) -> Result<(), Broken> {
        let role = self.role.as_str();
        let allowed: &[&str] = match role {
            "pod" => &["pod", "node"],
            "endpoints" => &["pod", "service", "endpoints"],
            "endpointslice" => &["pod", "service", "endpointslice"],
            "service" => &["service"],
            "node" => &["node"],
            _ => &["ingress"],
        };
        let mut seen = HashSet::new();
        for selector in self.selectors.iter() {
            let selected = selector.role.as_str();
            if !seen.insert(selected) {
                return Err(format!("duplicated selector role: {selected}").into());
            }
            if !allowed.contains(&selected) {
                return Err(
                    format!("{role} role supports only {} selectors", allowed.join(", ")).into()
                );
            }
            check_field_selector(&selector.field)?;
        }
        Ok(())
    }
}

/// Terms `name=value`, `name==value` or `name!=value`, with commas between.
fn check_field_selector(field: &str) -> Result<(), Broken> {
    match field.split(',').find(|term| !term.is_empty() && !term.contains('=')) {
        Some(term) => Err(format!("invalid selector: '{field}'; can't understand '{term}'").into()),
        None => Ok(()),
    }
}

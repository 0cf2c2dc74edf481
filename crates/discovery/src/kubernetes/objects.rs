//! The targets of nodes, pods, services and ingresses. Pure.

use model::{Labels, TargetGroup};
use serde_json::Value;

use super::{Cluster, Kind};
use crate::found::{Found, each, get, host_port, text};

const PREFIX: &str = "__meta_kubernetes_";

/// The best address of a node is of the first of these types that it has.
const NODE_ADDRESSES: [&str; 6] =
    ["InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"];

/// Name, labels and annotations of an object.
pub(super) fn add_metadata(found: &mut Found, role: &str, object: &Value) {
    let metadata = &object["metadata"];
    found.set(&format!("{PREFIX}{role}_name"), get(metadata, "name"));
    add_labels(found, role, metadata);
}

fn add_labels(found: &mut Found, role: &str, metadata: &Value) {
    for (kind, key) in [("label", "labels"), ("annotation", "annotations")] {
        let prefix = format!("{PREFIX}{role}_{kind}");
        found.map_present(&format!("{prefix}_"), &format!("{prefix}present_"), &metadata[key]);
    }
}

/// The namespace that an object is in, and what is known of it.
pub(super) fn add_namespace(found: &mut Found, object: &Value, cluster: &Cluster) {
    let namespace = get(&object["metadata"], "namespace");
    found.set(&format!("{PREFIX}namespace"), namespace);
    if cluster.attach.namespace
        && let Some(namespace) = cluster.find(Kind::Namespaces, "", namespace)
    {
        add_labels(found, "namespace", &namespace["metadata"]);
    }
}

/// The node of this name, if targets are to have its labels.
pub(super) fn add_node(found: &mut Found, name: &str, cluster: &Cluster) {
    if cluster.attach.node
        && let Some(node) = cluster.find(Kind::Nodes, "", name)
    {
        add_metadata(found, "node", node);
    }
}

pub(super) fn source(role: &str, object: &Value) -> String {
    let metadata = &object["metadata"];
    format!("{role}/{}/{}", get(metadata, "namespace"), get(metadata, "name"))
}

pub(super) fn node(node: &Value) -> TargetGroup {
    let name = get(&node["metadata"], "name");
    let mut labels = Found::default();
    add_metadata(&mut labels, "node", node);
    labels.set("__meta_kubernetes_node_provider_id", get(&node["spec"], "providerID"));
    let addresses = &node["status"]["addresses"];
    let of_type = |wanted: &str| {
        let address = each(addresses).find(|address| get(address, "type") == wanted);
        address.map(|address| get(address, "address"))
    };
    let port = &node["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"];
    let targets = NODE_ADDRESSES.iter().find_map(|wanted| of_type(wanted)).map(|address| {
        let mut found = Found::at(&host_port(address, text(port)));
        found.set("instance", name);
        for address in each(addresses) {
            let kind = get(address, "type");
            if let Some(first) = of_type(kind) {
                found.set(&format!("__meta_kubernetes_node_address_{kind}"), first);
            }
        }
        found.labels()
    });
    TargetGroup {
        targets: targets.into_iter().collect(),
        labels: labels.labels(),
        source: format!("node/{name}"),
    }
}

pub(super) fn pod(pod: &Value, cluster: &Cluster) -> TargetGroup {
    let source = source("pod", pod);
    let ip = get(&pod["status"], "podIP");
    // It gets one when it is started.
    if ip.is_empty() {
        return TargetGroup { source, ..TargetGroup::default() };
    }
    let mut labels = Found::default();
    add_namespace(&mut labels, pod, cluster);
    add_pod(&mut labels, pod, cluster);
    add_node(&mut labels, get(&pod["spec"], "nodeName"), cluster);
    let mut targets: Vec<Labels> = Vec::new();
    for (container, is_init) in containers(pod) {
        let ports: Vec<&Value> = each(&container["ports"]).collect();
        for port in &ports {
            let mut found = Found::at(&host_port(ip, text(&port["containerPort"])));
            add_container(&mut found, pod, container, is_init);
            add_port(&mut found, port);
            targets.push(found.labels());
        }
        if ports.is_empty() {
            let mut found = Found::at(ip);
            add_container(&mut found, pod, container, is_init);
            targets.push(found.labels());
        }
    }
    TargetGroup { targets, labels: labels.labels(), source }
}

/// All containers of a pod, and whether each is one of the first.
pub(super) fn containers(pod: &Value) -> impl Iterator<Item = (&Value, bool)> {
    let usual = each(&pod["spec"]["containers"]).map(|container| (container, false));
    usual.chain(each(&pod["spec"]["initContainers"]).map(|container| (container, true)))
}

pub(super) fn add_pod(found: &mut Found, pod: &Value, cluster: &Cluster) {
    add_metadata(found, "pod", pod);
    let ready = each(&pod["status"]["conditions"]).find(|it| get(it, "type") == "Ready");
    let ready = ready.map_or("unknown".to_owned(), |it| get(it, "status").to_lowercase());
    found.set("__meta_kubernetes_pod_ready", ready);
    found.copy(
        "__meta_kubernetes_pod_",
        pod,
        &[
            ("ip", "/status/podIP"),
            ("phase", "/status/phase"),
            ("node_name", "/spec/nodeName"),
            ("host_ip", "/status/hostIP"),
            ("uid", "/metadata/uid"),
        ],
    );
    if let Some(owner) = owner(pod) {
        found.set("__meta_kubernetes_pod_controller_kind", get(owner, "kind"));
        found.set("__meta_kubernetes_pod_controller_name", get(owner, "name"));
        add_owners(found, get(&pod["metadata"], "namespace"), owner, cluster);
    }
}

/// Who made an object and looks after it.
fn owner(object: &Value) -> Option<&Value> {
    let mut owners = each(&object["metadata"]["ownerReferences"]);
    owners.find(|owner| owner["controller"] == true)
}

/// What stands behind the owner of a pod: deployments and schedules do not own pods themselves.
fn add_owners(found: &mut Found, namespace: &str, of_pod: &Value, cluster: &Cluster) {
    let (kind, name) = (get(of_pod, "kind"), get(of_pod, "name"));
    let behind = |between: Kind, wanted: &str| {
        let owner = owner(cluster.find(between, namespace, name)?)?;
        (get(owner, "kind") == wanted).then(|| get(owner, "name"))
    };
    if kind == "ReplicaSet" && cluster.attach.deployment {
        let deployment = behind(Kind::ReplicaSets, "Deployment").unwrap_or_default();
        found.set("__meta_kubernetes_pod_deployment_name", deployment);
    }
    if kind == "Job" && cluster.attach.job {
        found.set("__meta_kubernetes_pod_job_name", name);
    }
    if kind == "Job" && cluster.attach.cronjob {
        let schedule = behind(Kind::Jobs, "CronJob").unwrap_or_default();
        found.set("__meta_kubernetes_pod_cronjob_name", schedule);
    }
}

pub(super) fn add_container(found: &mut Found, pod: &Value, container: &Value, is_init: bool) {
    let name = get(container, "name");
    let list = if is_init { "initContainerStatuses" } else { "containerStatuses" };
    let status = each(&pod["status"][list]).find(|status| get(status, "name") == name);
    let id = status.map_or("", |status| get(status, "containerID"));
    found.set("__meta_kubernetes_pod_container_name", name);
    found.set("__meta_kubernetes_pod_container_id", id);
    found.set("__meta_kubernetes_pod_container_image", get(container, "image"));
    found.set("__meta_kubernetes_pod_container_init", is_init.to_string());
}

pub(super) fn add_port(found: &mut Found, port: &Value) {
    found.set("__meta_kubernetes_pod_container_port_name", get(port, "name"));
    found.set("__meta_kubernetes_pod_container_port_number", text(&port["containerPort"]));
    found.set("__meta_kubernetes_pod_container_port_protocol", protocol(port));
}

/// TCP, unless it says something else.
pub(super) fn protocol(port: &Value) -> &str {
    match get(port, "protocol") {
        "" => "TCP",
        protocol => protocol,
    }
}

pub(super) fn service(service: &Value, cluster: &Cluster) -> TargetGroup {
    let (metadata, spec) = (&service["metadata"], &service["spec"]);
    let mut labels = Found::default();
    add_namespace(&mut labels, service, cluster);
    add_metadata(&mut labels, "service", service);
    let (name, namespace) = (get(metadata, "name"), get(metadata, "namespace"));
    let kind = get(spec, "type");
    let targets = each(&spec["ports"]).map(|port| {
        let mut found = Found::at(&format!("{name}.{namespace}.svc:{}", text(&port["port"])));
        found.set("__meta_kubernetes_service_port_name", get(port, "name"));
        found.set("__meta_kubernetes_service_port_number", text(&port["port"]));
        found.set("__meta_kubernetes_service_port_protocol", protocol(port));
        found.set("__meta_kubernetes_service_type", kind);
        match kind {
            "ExternalName" => {
                found.set("__meta_kubernetes_service_external_name", get(spec, "externalName"));
            }
            _ => {
                found.set("__meta_kubernetes_service_cluster_ip", get(spec, "clusterIP"));
            }
        }
        if kind == "LoadBalancer" {
            found.set("__meta_kubernetes_service_loadbalancer_ip", get(spec, "loadBalancerIP"));
        }
        found.labels()
    });
    let targets = targets.collect();
    TargetGroup { targets, labels: labels.labels(), source: self::source("svc", service) }
}

pub(super) fn ingress(ingress: &Value, cluster: &Cluster) -> TargetGroup {
    let spec = &ingress["spec"];
    let mut labels = Found::default();
    add_namespace(&mut labels, ingress, cluster);
    add_metadata(&mut labels, "ingress", ingress);
    labels.set("__meta_kubernetes_ingress_class_name", get(spec, "ingressClassName"));
    let secure: Vec<&str> =
        each(&spec["tls"]).flat_map(|tls| each(&tls["hosts"])).filter_map(Value::as_str).collect();
    let mut targets = Vec::new();
    for rule in each(&spec["rules"]) {
        let host = match get(rule, "host") {
            "" => "*",
            host => host,
        };
        let is_secure = secure.iter().any(|pattern| is_covered(host, pattern));
        let scheme = if is_secure { "https" } else { "http" };
        let mut paths: Vec<&str> =
            each(&rule["http"]["paths"]).map(|path| get(path, "path")).collect();
        if paths.is_empty() {
            paths.push("/");
        }
        for path in paths {
            let mut found = Found::at(host);
            found.set("__meta_kubernetes_ingress_scheme", scheme);
            found.set("__meta_kubernetes_ingress_host", host);
            found.set("__meta_kubernetes_ingress_path", if path.is_empty() { "/" } else { path });
            targets.push(found.labels());
        }
    }
    TargetGroup { targets, labels: labels.labels(), source: source("ingress", ingress) }
}

/// Whether a host is one of a pattern, whose first part may be a star.
fn is_covered(host: &str, pattern: &str) -> bool {
    if host == pattern {
        return true;
    }
    match (host.split_once('.'), pattern.split_once('.')) {
        (Some((_, host)), Some(("*", pattern))) => host == pattern,
        _ => false,
    }
}

//! The targets behind services: endpoints and endpoint slices. Pure.

use model::{Labels, TargetGroup};
use serde_json::Value;

use super::{
    Cluster, Kind,
    objects::{
        add_container, add_metadata, add_namespace, add_node, add_pod, add_port, containers,
        protocol, source,
    },
};
use crate::found::{Found, each, get, host_port, sanitize, text};

/// The pods behind a service, and those of their ports that it leads to.
#[derive(Default)]
struct Seen<'a> {
    pods: Vec<(&'a Value, Vec<u64>)>,
}

pub(super) fn endpoints(endpoints: &Value, cluster: &Cluster) -> TargetGroup {
    let metadata = &endpoints["metadata"];
    let mut labels = Found::default();
    add_namespace(&mut labels, endpoints, cluster);
    add_metadata(&mut labels, "endpoints", endpoints);
    add_service(&mut labels, get(metadata, "namespace"), get(metadata, "name"), cluster);
    let mut targets = Vec::new();
    let mut seen = Seen::default();
    for subset in each(&endpoints["subsets"]) {
        for port in each(&subset["ports"]) {
            for (list, ready) in [("addresses", "true"), ("notReadyAddresses", "false")] {
                for address in each(&subset[list]) {
                    let ip = get(address, "ip");
                    let mut found = Found::at(&host_port(ip, text(&port["port"])));
                    found.set("__meta_kubernetes_endpoint_port_name", get(port, "name"));
                    found.set("__meta_kubernetes_endpoint_port_protocol", protocol(port));
                    found.set("__meta_kubernetes_endpoint_ready", ready);
                    found.set("__meta_kubernetes_endpoint_node_name", get(address, "nodeName"));
                    found.set("__meta_kubernetes_endpoint_hostname", get(address, "hostname"));
                    let prefix = "__meta_kubernetes_endpoint_address_target_";
                    add_goal(&mut found, prefix, &address["targetRef"]);
                    let node = get(address, "nodeName");
                    seen.add(&mut found, &address["targetRef"], port, node, cluster);
                    targets.push(found.labels());
                }
            }
        }
    }
    targets.extend(seen.other_ports(cluster));
    TargetGroup { targets, labels: labels.labels(), source: source("endpoints", endpoints) }
}

pub(super) fn slice(slice: &Value, cluster: &Cluster) -> TargetGroup {
    let metadata = &slice["metadata"];
    let mut labels = Found::default();
    add_namespace(&mut labels, slice, cluster);
    add_metadata(&mut labels, "endpointslice", slice);
    labels.set("__meta_kubernetes_endpointslice_address_type", get(slice, "addressType"));
    let service = get(&metadata["labels"], "kubernetes.io/service-name");
    add_service(&mut labels, get(metadata, "namespace"), service, cluster);
    let mut targets = Vec::new();
    let mut seen = Seen::default();
    for port in each(&slice["ports"]) {
        for endpoint in each(&slice["endpoints"]) {
            for address in each(&endpoint["addresses"]).filter_map(Value::as_str) {
                let mut found = Found::at(&host_port(address, text(&port["port"])));
                add_endpoint(&mut found, endpoint, port);
                let node = get(endpoint, "nodeName");
                seen.add(&mut found, &endpoint["targetRef"], port, node, cluster);
                targets.push(found.labels());
            }
        }
    }
    targets.extend(seen.other_ports(cluster));
    TargetGroup { targets, labels: labels.labels(), source: source("endpointslice", slice) }
}

fn add_endpoint(found: &mut Found, endpoint: &Value, port: &Value) {
    let prefix = "__meta_kubernetes_endpointslice_";
    found.set(&format!("{prefix}port_protocol"), protocol(port));
    found.copy(
        prefix,
        port,
        &[("port_name", "/name"), ("port", "/port"), ("port_app_protocol", "/appProtocol")],
    );
    found.copy(
        &format!("{prefix}endpoint_"),
        endpoint,
        &[
            ("conditions_ready", "/conditions/ready"),
            ("conditions_serving", "/conditions/serving"),
            ("conditions_terminating", "/conditions/terminating"),
            ("hostname", "/hostname"),
            ("node_name", "/nodeName"),
            ("zone", "/zone"),
        ],
    );
    add_goal(found, &format!("{prefix}address_target_"), &endpoint["targetRef"]);
    for (key, value) in endpoint["deprecatedTopology"].as_object().into_iter().flatten() {
        let key = sanitize(key);
        found.set(&format!("{prefix}endpoint_topology_{key}"), text(value));
        found.set(&format!("{prefix}endpoint_topology_present_{key}"), "true");
    }
}

fn add_goal(found: &mut Found, prefix: &str, goal: &Value) {
    found.copy(prefix, goal, &[("kind", "/kind"), ("name", "/name")]);
}

fn add_service(found: &mut Found, namespace: &str, name: &str, cluster: &Cluster) {
    if let Some(service) = cluster.find(Kind::Services, namespace, name) {
        add_metadata(found, "service", service);
    }
}

impl<'a> Seen<'a> {
    /// Adds the labels of the pod that an address leads to, and of the node that it is on.
    fn add(
        &mut self,
        found: &mut Found,
        goal: &Value,
        port: &Value,
        node: &str,
        cluster: &'a Cluster,
    ) {
        let is_pod = get(goal, "kind") == "Pod";
        let pod =
            cluster.find(Kind::Pods, get(goal, "namespace"), get(goal, "name")).filter(|_| is_pod);
        let node = pod.map_or(node, |pod| get(&pod["spec"], "nodeName"));
        add_node(found, node, cluster);
        let Some(pod) = pod else { return };
        add_pod(found, pod, cluster);
        let number = port["port"].as_u64();
        for (container, is_init) in containers(pod) {
            let ports = each(&container["ports"]);
            if let Some(same) = ports.into_iter().find(|p| p["containerPort"].as_u64() == number) {
                add_container(found, pod, container, is_init);
                add_port(found, same);
                break;
            }
        }
        let known = self.pods.iter_mut().find(|(known, _)| std::ptr::eq(*known, pod));
        match known {
            Some((_, ports)) => ports.extend(number),
            None => self.pods.push((pod, number.into_iter().collect())),
        }
    }

    /// The ports of the pods to which the service does not lead: they are targets, too.
    fn other_ports(&self, cluster: &Cluster) -> Vec<Labels> {
        let mut targets = Vec::new();
        for (pod, known) in &self.pods {
            let has_ended = ["Failed", "Succeeded"].contains(&get(&pod["status"], "phase"));
            if has_ended {
                continue;
            }
            for (container, is_init) in containers(pod) {
                for port in each(&container["ports"]) {
                    let number = port["containerPort"].as_u64();
                    if number.is_some_and(|number| known.contains(&number)) {
                        continue;
                    }
                    let ip = get(&pod["status"], "podIP");
                    let mut found = Found::at(&host_port(ip, text(&port["containerPort"])));
                    add_pod(&mut found, pod, cluster);
                    add_container(&mut found, pod, container, is_init);
                    add_port(&mut found, port);
                    add_node(&mut found, get(&pod["spec"], "nodeName"), cluster);
                    targets.push(found.labels());
                }
            }
        }
        targets
    }
}

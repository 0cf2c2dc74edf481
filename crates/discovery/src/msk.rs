//! `msk_sd_configs`: the brokers and controllers of Amazon's Kafka clusters.

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use tracing::warn;

use crate::{
    aws::{self, Account, Api},
    found::{Found, each, get, group, host_port, texts},
    refresh::{Lookup, Polled},
    service::{escape, for_each},
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    /// Their ARNs; none means all of the region.
    pub clusters: Vec<String>,
    pub port: u16,
    pub request_concurrency: usize,
    pub refresh_interval: Duration,
}

/// The only kind whose nodes can be seen.
const PROVISIONED: &str = "PROVISIONED";

pub(crate) struct Msk {
    config: Config,
    api: Api,
}

impl Polled for Config {
    type Lookup = Msk;

    fn lookup(&self, runtime: &Runtime) -> Result<Msk, String> {
        Ok(Msk { config: self.clone(), api: self.account.api(runtime, "kafka", "MSK")? })
    }
}

impl Lookup for Msk {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let clusters = self.clusters().await?;
        let this = &*self;
        let nodes = for_each(&clusters, self.config.request_concurrency, |cluster| async move {
            let path = format!("/v1/clusters/{}/nodes", escape(get(cluster, "clusterArn")));
            this.pages(&format!("{path}?maxResults=100")).await
        });
        let mut targets = Vec::new();
        for (cluster, pages) in clusters.iter().zip(nodes.await?) {
            for node in pages.iter().flat_map(|page| each(&page["nodeInfoList"])) {
                targets.extend(self.targets(cluster, node));
            }
        }
        Ok(vec![group(self.api.region.clone(), targets)])
    }
}

impl Msk {
    async fn clusters(&self) -> Result<Vec<Value>, String> {
        if self.config.clusters.is_empty() {
            let path = format!("/api/v2/clusters?clusterTypeFilter={PROVISIONED}&maxResults=100");
            let pages = self.pages(&path).await?;
            return Ok(pages
                .iter()
                .flat_map(|page| each(&page["clusterInfoList"]))
                .cloned()
                .collect());
        }
        let n_at_once = self.config.request_concurrency;
        let mut clusters = for_each(&self.config.clusters, n_at_once, |arn| async move {
            let mut answer = self.api.get(&format!("/api/v2/clusters/{}", escape(arn))).await?;
            Ok(answer["clusterInfo"].take())
        })
        .await?;
        clusters.retain(|cluster| {
            let kind = get(cluster, "clusterType");
            if kind != PROVISIONED {
                let cluster = get(cluster, "clusterArn");
                warn!(cluster, kind, "Skipping an MSK cluster, only provisioned ones have nodes");
            }
            kind == PROVISIONED
        });
        Ok(clusters)
    }

    async fn pages(&self, path: &str) -> Result<Vec<Value>, String> {
        aws::pages("nextToken", |next| async move {
            match next {
                None => self.api.get(path).await,
                Some(token) => self.api.get(&format!("{path}&nextToken={}", escape(&token))).await,
            }
        })
        .await
    }

    /// One for each endpoint of the node.
    fn targets(&self, cluster: &Value, node: &Value) -> Vec<Labels> {
        let (broker, controller) = (&node["brokerNodeInfo"], &node["controllerNodeInfo"]);
        let (kind, role, info) = match (broker.is_object(), controller.is_object()) {
            (true, _) => ("BROKER", "broker", broker),
            (false, true) => ("CONTROLLER", "controller", controller),
            (false, false) => return Vec::new(),
        };
        let mut common = Found::default();
        add_cluster(&mut common, cluster);
        common.copy(
            "__meta_msk_node_",
            node,
            &[
                ("added_time", "/addedToClusterTime"),
                ("arn", "/nodeARN"),
                ("instance_type", "/instanceType"),
            ],
        );
        common.set("__meta_msk_node_type", kind);
        if kind == "BROKER" {
            add_broker(&mut common, cluster, broker);
        }
        let endpoints = texts(&info["endpoints"]);
        let found = endpoints.iter().enumerate().map(|(idx, endpoint)| {
            let mut found = common.clone();
            found.set(&format!("__meta_msk_{role}_endpoint_index"), idx.to_string());
            found.set("__address__", host_port(endpoint, self.config.port));
            found.labels()
        });
        found.collect()
    }
}

fn add_cluster(found: &mut Found, cluster: &Value) {
    let software = "/provisioned/currentBrokerSoftwareInfo";
    found.copy(
        "__meta_msk_cluster_",
        cluster,
        &[
            ("name", "/clusterName"),
            ("arn", "/clusterArn"),
            ("state", "/state"),
            ("type", "/clusterType"),
            ("version", "/currentVersion"),
            ("kafka_version", &format!("{software}/kafkaVersion")),
            ("configuration_arn", &format!("{software}/configurationArn")),
            ("configuration_revision", &format!("{software}/configurationRevision")),
            (
                "jmx_exporter_enabled",
                "/provisioned/openMonitoring/prometheus/jmxExporter/enabledInBroker",
            ),
        ],
    );
    found.map("__meta_msk_cluster_tag_", &cluster["tags"]);
}

fn add_broker(found: &mut Found, cluster: &Value, broker: &Value) {
    found.copy(
        "__meta_msk_broker_",
        broker,
        &[("client_subnet", "/clientSubnet"), ("client_vpc_ip", "/clientVpcIpAddress")],
    );
    found.copy("__meta_msk_node_", broker, &[("attached_eni", "/attachedENIId")]);
    // A whole number that is sent as any number.
    let id = broker["brokerId"].as_f64().unwrap_or_default();
    found.set("__meta_msk_broker_id", format!("{id:.0}"));
    let exporter = "/provisioned/openMonitoring/prometheus/nodeExporter/enabledInBroker";
    found.copy("__meta_msk_broker_", cluster, &[("node_exporter_enabled", exporter)]);
}

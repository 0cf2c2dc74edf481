//! `elasticache_sd_configs`: the nodes of Amazon's caches, and caches without nodes.

mod labels;

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;
use tracing::warn;

use crate::{
    aws::{self, Account, Api},
    found::{Found, get, group, host_port, list, text},
    refresh::{Lookup, Polled},
    service::for_each,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    /// Their ARNs; none means all of the region.
    pub clusters: Vec<String>,
    pub request_concurrency: usize,
    pub refresh_interval: Duration,
}

const VERSION: &str = "2015-02-02";
const SERVERLESS: &str = "__meta_elasticache_serverless_cache_";
const CLUSTER: &str = "__meta_elasticache_cache_cluster_";

pub(crate) struct Elasticache {
    config: Config,
    api: Api,
}

impl Polled for Config {
    type Lookup = Elasticache;

    fn lookup(&self, runtime: &Runtime) -> Result<Elasticache, String> {
        let api = self.account.api(runtime, "elasticache", "ElastiCache")?;
        Ok(Elasticache { config: self.clone(), api })
    }
}

impl Lookup for Elasticache {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let caches = self.serverless().await?;
        let clusters = self.clusters().await?;
        let mut targets = Vec::new();
        for (cache, tags) in caches.iter().zip(self.tags(&caches).await?) {
            targets.push(serverless_target(cache, &tags));
        }
        for (cluster, tags) in clusters.iter().zip(self.tags(&clusters).await?) {
            targets.extend(node_targets(cluster, &tags));
        }
        Ok(vec![group(self.api.region.clone(), targets)])
    }
}

impl Elasticache {
    /// The last parts of the ARNs of a kind that are configured, or one empty choice for all.
    fn chosen(&self, kind: &str) -> Vec<String> {
        if self.config.clusters.is_empty() {
            return vec![String::new()];
        }
        let mut chosen = Vec::new();
        for arn in &self.config.clusters {
            match arn.split(':').collect::<Vec<_>>().as_slice() {
                [_, _, _, _, _, of, id, ..] if *of == kind => chosen.push((*id).to_owned()),
                [_, _, _, _, _, _, _, ..] => {}
                _ => warn!(arn, "Skipping invalid ElastiCache ARN"),
            }
        }
        // Upstream asks for all of a kind of which none is named.
        if chosen.is_empty() { vec![String::new()] } else { chosen }
    }

    async fn serverless(&self) -> Result<Vec<Value>, String> {
        let names = self.chosen("serverlesscache");
        let found = for_each(&names, self.config.request_concurrency, |name| async move {
            let mut parameters = vec![("MaxResults".to_owned(), "50".to_owned())];
            if !name.is_empty() {
                parameters.push(("ServerlessCacheName".to_owned(), name.clone()));
            }
            self.describe("ServerlessCaches", "NextToken", &parameters).await
        });
        Ok(found.await?.concat())
    }

    /// Clusters of replication groups and those that stand alone, for which one asks apart.
    async fn clusters(&self) -> Result<Vec<Value>, String> {
        let ids = self.chosen("replicationgroup");
        let asked = ids.iter().flat_map(|id| [(id, "false"), (id, "true")]);
        let found = for_each(asked, self.config.request_concurrency, |(id, is_alone)| async move {
            let mut parameters = vec![
                ("MaxRecords".to_owned(), "100".to_owned()),
                ("ShowCacheNodeInfo".to_owned(), "true".to_owned()),
                ("ShowCacheClustersNotInReplicationGroups".to_owned(), is_alone.to_owned()),
            ];
            if !id.is_empty() {
                parameters.push(("CacheClusterId".to_owned(), id.clone()));
            }
            self.describe("CacheClusters", "Marker", &parameters).await
        });
        let mut clusters = found.await?.concat();
        // The first question has the answer to the second one in it.
        let mut seen = std::collections::BTreeSet::new();
        clusters.retain(|cluster| {
            let id = get(cluster, "CacheClusterId");
            id.is_empty() || seen.insert(id.to_owned())
        });
        Ok(clusters)
    }

    async fn describe(
        &self,
        things: &str,
        token: &str,
        parameters: &[(String, String)],
    ) -> Result<Vec<Value>, String> {
        let action = format!("Describe{things}");
        let action = action.as_str();
        let pages = aws::pages(token, |next| async move {
            let mut parameters = parameters.to_vec();
            parameters.extend(next.map(|next| (token.to_owned(), next)));
            let mut answer = self.api.query(VERSION, action, &parameters).await?;
            Ok(answer[format!("{action}Result")].take())
        });
        Ok(pages.await?.iter().flat_map(|page| list(&page[things])).cloned().collect())
    }

    /// The tags of each; nothing for one that has no ARN.
    async fn tags(&self, resources: &[Value]) -> Result<Vec<Value>, String> {
        for_each(resources, self.config.request_concurrency, |resource| async move {
            let arn = get(resource, "ARN");
            if arn.is_empty() {
                return Ok(Value::Null);
            }
            let name = ("ResourceName".to_owned(), arn.to_owned());
            let mut answer = self.api.query(VERSION, "ListTagsForResource", &[name]).await?;
            Ok(answer["ListTagsForResourceResult"]["TagList"].take())
        })
        .await
    }
}

fn serverless_target(cache: &Value, tags: &Value) -> Labels {
    let mut found = Found::default();
    found.set("__meta_elasticache_deployment_option", "serverless");
    found.copy(SERVERLESS, cache, labels::SERVERLESS);
    found.copy_times(SERVERLESS, cache, labels::SERVERLESS_TIMES);
    for (idx, id) in list(&cache["SecurityGroupIds"]).enumerate() {
        found.set(&format!("{SERVERLESS}security_group_id_{idx}"), text(id));
    }
    for (idx, id) in list(&cache["SubnetIds"]).enumerate() {
        found.set(&format!("{SERVERLESS}subnet_id_{idx}"), text(id));
    }
    found.tags(&format!("{SERVERLESS}tag_"), list(tags), ["Key", "Value"]);
    set_address(&mut found, &cache["Endpoint"]);
    found.labels()
}

/// One for each node.
fn node_targets(cluster: &Value, tags: &Value) -> Vec<Labels> {
    let mut common = Found::default();
    common.set("__meta_elasticache_deployment_option", "node");
    common.copy(CLUSTER, cluster, labels::CLUSTER);
    common.copy_times(CLUSTER, cluster, labels::CLUSTER_TIMES);
    let numbered = [
        ("log_delivery_configuration", "LogDeliveryConfigurations", labels::LOG_DELIVERY),
        ("security_group_membership", "SecurityGroups", labels::SECURITY_GROUP),
    ];
    for (prefix, key, table) in numbered {
        for (idx, entry) in list(&cluster[key]).enumerate() {
            for (name, pointer) in table {
                let value = entry.pointer(pointer).map(text).unwrap_or_default();
                common.set(&format!("{CLUSTER}{prefix}_{name}_{idx}"), value);
            }
        }
    }
    let removed: Vec<String> =
        list(&cluster["PendingModifiedValues"]["CacheNodeIdsToRemove"]).map(text).collect();
    let label = format!("{CLUSTER}pending_modified_values_cache_node_ids_to_remove");
    common.set(&label, removed.join(","));
    common.tags(&format!("{CLUSTER}tag_"), list(tags), ["Key", "Value"]);
    let nodes = list(&cluster["CacheNodes"]).map(|node| {
        let mut found = common.clone();
        found.copy(&format!("{CLUSTER}node_"), node, labels::NODE);
        found.copy_times(&format!("{CLUSTER}node_"), node, labels::NODE_TIMES);
        set_address(&mut found, &node["Endpoint"]);
        found.labels()
    });
    nodes.collect()
}

fn set_address(found: &mut Found, endpoint: &Value) {
    let (address, port) = (get(endpoint, "Address"), get(endpoint, "Port"));
    if !address.is_empty() && !port.is_empty() {
        found.set("__address__", host_port(address, port));
    }
}

//! `rds_sd_configs`: the instances of Amazon's database clusters.

mod labels;

use std::time::Duration;

use model::{Labels, TargetGroup};
use runtime::Runtime;
use serde_json::Value;

use crate::{
    aws::{self, Account, Api},
    docker::Filter,
    found::{Found, get, group, host_port, list},
    refresh::{Lookup, Polled},
    service::for_each,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub account: Account,
    /// Their ARNs; none means all of the region.
    pub clusters: Vec<String>,
    /// Of instances.
    pub filters: Vec<Filter>,
    pub port: u16,
    pub request_concurrency: usize,
    pub refresh_interval: Duration,
}

const VERSION: &str = "2014-10-31";

pub(crate) struct Rds {
    config: Config,
    api: Api,
}

impl Polled for Config {
    type Lookup = Rds;

    fn lookup(&self, runtime: &Runtime) -> Result<Rds, String> {
        Ok(Rds { config: self.clone(), api: self.account.api(runtime, "rds", "RDS")? })
    }
}

impl Lookup for Rds {
    async fn look(&mut self) -> Result<Vec<TargetGroup>, String> {
        let n_at_once = self.config.request_concurrency;
        let clusters = match self.config.clusters.as_slice() {
            [] => self.describe("DBClusters", &[]).await?,
            arns => {
                let this = &*self;
                let found = for_each(arns, n_at_once, |arn| async move {
                    let id = ("DBClusterIdentifier".to_owned(), arn.clone());
                    this.describe("DBClusters", &[id]).await
                });
                found.await?.concat()
            }
        };
        let this = &*self;
        let found = for_each(&clusters, n_at_once, |cluster| this.targets(cluster));
        let targets = found.await?.concat();
        Ok(vec![group(self.api.region.clone(), targets)])
    }
}

impl Rds {
    /// All `things` that `parameters` choose.
    async fn describe(
        &self,
        things: &str,
        parameters: &[(String, String)],
    ) -> Result<Vec<Value>, String> {
        let action = format!("Describe{things}");
        let action = action.as_str();
        let pages = aws::pages("Marker", |marker| async move {
            let mut parameters = parameters.to_vec();
            parameters.push(("MaxRecords".to_owned(), "100".to_owned()));
            parameters.extend(marker.map(|marker| ("Marker".to_owned(), marker)));
            let mut answer = self.api.query(VERSION, action, &parameters).await?;
            Ok(answer[format!("{action}Result")].take())
        });
        Ok(pages.await?.iter().flat_map(|page| list(&page[things])).cloned().collect())
    }

    /// One for each instance of the cluster.
    async fn targets(&self, cluster: &Value) -> Result<Vec<Labels>, String> {
        let of_cluster = Filter {
            name: "db-cluster-id".to_owned(),
            values: vec![get(cluster, "DBClusterArn").to_owned()],
        };
        let filters = [&[of_cluster], self.config.filters.as_slice()].concat();
        let filters: Vec<_> = aws::filters(&filters, ["Filters.Filter", "Values.Value"]).collect();
        let instances = self.describe("DBInstances", &filters).await?;
        let mut common = Found::default();
        common.copy("__meta_rds_cluster_", cluster, labels::CLUSTER);
        common.copy_times("__meta_rds_cluster_", cluster, labels::CLUSTER_TIMES);
        common.tags("__meta_rds_cluster_tag_", list(&cluster["TagList"]), ["Key", "Value"]);
        let found = instances.iter().map(|it| self.target(&common, cluster, it).labels());
        Ok(found.collect())
    }

    fn target(&self, common: &Found, cluster: &Value, instance: &Value) -> Found {
        let mut found = common.clone();
        found.copy("__meta_rds_instance_", instance, labels::INSTANCE);
        found.copy_times("__meta_rds_instance_", instance, labels::INSTANCE_TIMES);
        found.tags("__meta_rds_instance_tag_", list(&instance["TagList"]), ["Key", "Value"]);
        let id = get(instance, "DBInstanceIdentifier");
        let mut members = list(&cluster["DBClusterMembers"]);
        let member = members.find(|member| get(member, "DBInstanceIdentifier") == id);
        let is_writer = member.map_or("", |member| get(member, "IsClusterWriter"));
        found.set("__meta_rds_instance_is_cluster_writer", is_writer);
        let endpoint = &instance["Endpoint"];
        if !get(endpoint, "Address").is_empty() && !get(endpoint, "Port").is_empty() {
            let address = host_port(get(endpoint, "Address"), self.config.port);
            found.set("__address__", address);
        }
        found
    }
}

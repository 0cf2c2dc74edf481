//! The targets of all members, where each is some members' only: any of them shows them all.

use std::{collections::HashMap, sync::Arc, time::Duration};

use api::prometheus::targets::{Health, Pool, Target, Targets};
use model::Labels;
use proto::thanos::{ActiveTarget, LabelSet, TargetDiscovery};
use storeapi::wire;
use tokio::runtime::Handle;
use tracing::warn;

use super::Members;
use crate::server::surface::TargetsAdapter;

/// This member's targets, and what the others say of theirs.
pub(in crate::server) struct AllTargets {
    own: TargetsAdapter,
    members: Arc<Members>,
    /// The API does not wait; requests do.
    tasks: Handle,
}

impl AllTargets {
    /// Call it inside of a Tokio runtime.
    pub(in crate::server) fn new(own: TargetsAdapter, members: Arc<Members>) -> AllTargets {
        AllTargets { own, members, tasks: Handle::current() }
    }
}

impl Targets for AllTargets {
    fn pools(&self) -> Vec<Pool> {
        let pools = self.own.pools();
        let peers = self.members.spread();
        if peers.is_empty() {
            return pools;
        }
        let mut all = Collected::new(pools, self.members.own_name());
        let asked = || self.tasks.block_on(storeapi::targets(&peers));
        for (peer, answer) in peers.iter().zip(runtime::blocking(asked)) {
            match answer {
                Ok(found) => all.add(peer.name(), found),
                Err(reason) => {
                    warn!(component = "cluster", reason, "A member does not say what it scrapes");
                }
            }
        }
        all.finish()
    }

    fn pool_config(&self, pool: &str) -> Result<String, String> {
        self.own.pool_config(pool)
    }

    fn relabel_rules(&self, pool: &str) -> Result<Vec<relabel::Rule>, String> {
        self.own.relabel_rules(pool)
    }
}

/// Targets by who has them.
struct Collected {
    pools: Vec<Pool>,
    /// Pool, address and labels of a target, and where it stands in its pool.
    places: HashMap<(usize, String, Labels), usize>,
}

impl Collected {
    fn new(mut pools: Vec<Pool>, own_name: &str) -> Collected {
        let mut places = HashMap::new();
        for (pool_idx, pool) in pools.iter_mut().enumerate() {
            for (idx, target) in pool.active.iter_mut().enumerate() {
                target.owners.push(own_name.to_owned());
                places.insert((pool_idx, target.url.clone(), target.labels.clone()), idx);
            }
        }
        Collected { pools, places }
    }

    /// Takes in what `member` scrapes. Whoever works by another configuration may have pools that
    /// this member has not.
    fn add(&mut self, member: &str, found: TargetDiscovery) {
        for target in found.active_targets {
            let name = target.scrape_pool.clone();
            let Some(target) = to_target(target) else { continue };
            let known = self.pools.iter().position(|pool| pool.name == name);
            let pool_idx = known.unwrap_or_else(|| {
                self.pools.push(Pool { name, ..Pool::default() });
                self.pools.len() - 1
            });
            let active = &mut self.pools[pool_idx].active;
            let key = (pool_idx, target.url.clone(), target.labels.clone());
            let idx = *self.places.entry(key).or_insert_with(|| {
                active.push(target);
                active.len() - 1
            });
            active[idx].owners.push(member.to_owned());
        }
    }

    fn finish(self) -> Vec<Pool> {
        let mut pools = self.pools;
        for pool in &mut pools {
            pool.active.sort_by(|a, b| (&a.url, &a.labels).cmp(&(&b.url, &b.labels)));
        }
        pools.sort_by(|a, b| a.name.cmp(&b.name));
        pools
    }
}

/// Nothing where it makes no sense.
fn to_target(target: ActiveTarget) -> Option<Target> {
    let discovered_labels = labels(target.discovered_labels)?;
    let duration =
        |name: &str| discovered_labels.get(name).and_then(|text| model::duration::parse(text).ok());
    Some(Target {
        labels: labels(target.labels)?,
        url: target.scrape_url,
        health: match target.health {
            0 => Health::Down,
            1 => Health::Up,
            _ => Health::Unknown,
        },
        last_error: target.last_error,
        last_scrape: target.last_scrape.and_then(|time| {
            let seconds = u64::try_from(time.seconds).ok()?;
            let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
            Some(Duration::new(seconds, nanos))
        }),
        last_scrape_duration: Duration::try_from_secs_f64(target.last_scrape_duration)
            .unwrap_or_default(),
        interval: duration("__scrape_interval__").unwrap_or_default(),
        timeout: duration("__scrape_timeout__").unwrap_or_default(),
        owners: Vec::new(),
        metadata: Arc::default(),
        discovered_labels,
    })
}

fn labels(set: Option<LabelSet>) -> Option<Labels> {
    wire::read_labels(&set.unwrap_or_default().labels).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(job: &str, address: &str) -> ActiveTarget {
        let set = |text: &str| {
            let labels = promql_syntax::parse_metric(text).expect("a test's labels");
            Some(LabelSet { labels: wire::labels(&labels) })
        };
        ActiveTarget {
            discovered_labels: set(&format!(
                "{{__address__=\"{address}\",__scrape_interval__=\"15s\"}}"
            )),
            labels: set(&format!("{{instance=\"{address}\",job=\"{job}\"}}")),
            scrape_pool: job.to_owned(),
            scrape_url: format!("http://{address}/metrics"),
            health: 1,
            ..ActiveTarget::default()
        }
    }

    #[test]
    fn who_has_a_target_is_said_once_for_each_member() {
        let mut all = Collected::new(Vec::new(), "c");
        let of = |targets: &[ActiveTarget]| TargetDiscovery {
            active_targets: targets.to_vec(),
            ..TargetDiscovery::default()
        };
        all.add("a", of(&[target("node", "h:1"), target("shop", "h:2")]));
        all.add("b", of(&[target("node", "h:1"), target("node", "h:3")]));
        let show =
            |target: &Target| format!("{} {:?} {:?}", target.url, target.owners, target.interval);
        let shown: Vec<String> =
            all.finish().iter().flat_map(|pool| &pool.active).map(show).collect();
        assert_eq!(
            shown,
            [
                "http://h:1/metrics [\"a\", \"b\"] 15s",
                "http://h:3/metrics [\"b\"] 15s",
                "http://h:2/metrics [\"a\"] 15s",
            ]
        );
    }
}

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{GroupBy, Route, RouteOptions};
use crate::matcher::{self, Matcher};

/// A route as it is written: what is `None` comes from the parent, or is the default at the root.
#[derive(Debug, Clone, Default)]
pub struct RouteConfig {
    pub receiver: Option<String>,
    pub group_by: Option<GroupBy>,
    pub group_wait: Option<Duration>,
    pub group_interval: Option<Duration>,
    pub repeat_interval: Option<Duration>,
    /// Those of `match`, `match_re` and `matchers`, in any order.
    pub matchers: Vec<Matcher>,
    pub continues: bool,
    /// Not inherited.
    pub mute_time_intervals: Vec<String>,
    /// Not inherited.
    pub active_time_intervals: Vec<String>,
    /// Added to the parent's; of the same name the child's hold.
    pub labels: BTreeMap<String, String>,
    pub routes: Vec<RouteConfig>,
}

impl RouteConfig {
    /// The receivers that this route or one below it names.
    pub fn receivers(&self) -> BTreeSet<&str> {
        let mut names: BTreeSet<&str> = self.receiver.as_deref().into_iter().collect();
        for child in &self.routes {
            names.append(&mut child.receivers());
        }
        names
    }
}

impl Default for RouteOptions {
    fn default() -> RouteOptions {
        RouteOptions {
            receiver: String::new(),
            group_by: GroupBy::Labels(Default::default()),
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_secs(5 * 60),
            repeat_interval: Duration::from_secs(4 * 60 * 60),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            labels: BTreeMap::new(),
        }
    }
}

/// Builds the tree below a root.
pub(super) fn build(root: &RouteConfig) -> Arc<Route> {
    let matchers = sorted_matchers(root);
    let key = matcher::print(&matchers);
    let id = key.clone();
    Arc::new(build_node(root, &RouteOptions::default(), matchers, key, id, &mut 0))
}

fn build_node(
    config: &RouteConfig,
    parent: &RouteOptions,
    matchers: Vec<Matcher>,
    key: String,
    id: String,
    n_routes: &mut usize,
) -> Route {
    let options = inherit(config, parent);
    let mut children = Vec::with_capacity(config.routes.len());
    for (idx, child) in config.routes.iter().enumerate() {
        let matchers = sorted_matchers(child);
        let printed = matcher::print(&matchers);
        let (key, id) = (format!("{key}/{printed}"), format!("{id}/{printed}/{idx}"));
        children.push(Arc::new(build_node(child, &options, matchers, key, id, n_routes)));
    }
    let idx = *n_routes;
    *n_routes += 1;
    Route { options, matchers, continues: config.continues, children, key, id, idx }
}

fn sorted_matchers(config: &RouteConfig) -> Vec<Matcher> {
    let mut matchers = config.matchers.clone();
    matchers.sort();
    matchers
}

fn inherit(config: &RouteConfig, parent: &RouteOptions) -> RouteOptions {
    let mut labels = parent.labels.clone();
    labels.extend(config.labels.iter().map(|(name, text)| (name.clone(), text.clone())));
    RouteOptions {
        receiver: config.receiver.as_ref().unwrap_or(&parent.receiver).clone(),
        group_by: config.group_by.as_ref().unwrap_or(&parent.group_by).clone(),
        group_wait: config.group_wait.unwrap_or(parent.group_wait),
        group_interval: config.group_interval.unwrap_or(parent.group_interval),
        repeat_interval: config.repeat_interval.unwrap_or(parent.repeat_interval),
        mute_time_intervals: config.mute_time_intervals.clone(),
        active_time_intervals: config.active_time_intervals.clone(),
        labels,
    }
}

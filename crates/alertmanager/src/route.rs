//! The tree that says who hears of an alert, and how often.

mod config;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use model::Labels;

use crate::matcher::{self, Matcher};

pub use config::RouteConfig;

/// Which labels make a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// `...`: each label set is a group.
    All,
    Labels(BTreeSet<String>),
}

/// What holds for the groups of one route, inherited values filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteOptions {
    pub receiver: String,
    pub group_by: GroupBy,
    pub group_wait: Duration,
    pub group_interval: Duration,
    pub repeat_interval: Duration,
    pub mute_time_intervals: Vec<String>,
    pub active_time_intervals: Vec<String>,
    /// Templates by the name of the label.
    pub labels: BTreeMap<String, String>,
}

/// A node of the tree.
#[derive(Debug)]
pub struct Route {
    pub options: RouteOptions,
    /// Sorted.
    pub matchers: Vec<Matcher>,
    /// Whether later siblings are asked too.
    pub continues: bool,
    pub children: Vec<Arc<Route>>,
    /// `{}/{a="b"}`: what group keys begin with. Siblings with the same matchers share it.
    pub key: String,
    /// `{}/{a="b"}/0`: unique in the tree.
    pub id: String,
    /// Children before their parent, so that the root is last.
    pub idx: usize,
}

impl Route {
    /// Builds the tree below `root`.
    pub fn new(root: &RouteConfig) -> Arc<Route> {
        config::build(root)
    }

    /// The routes that an alert with `labels` takes, in order.
    pub fn find(self: &Arc<Route>, labels: &Labels) -> Vec<Arc<Route>> {
        let mut found = Vec::new();
        self.find_into(labels, &mut found);
        found
    }

    fn find_into(self: &Arc<Route>, labels: &Labels, found: &mut Vec<Arc<Route>>) {
        if !matcher::all_match(&self.matchers, labels) {
            return;
        }
        let before = found.len();
        for child in &self.children {
            let already = found.len();
            child.find_into(labels, found);
            if found.len() > already && !child.continues {
                break;
            }
        }
        if found.len() == before {
            found.push(self.clone());
        }
    }

    /// Calls `visit` for this route and all below it, parents first.
    pub fn walk(self: &Arc<Route>, visit: &mut impl FnMut(&Arc<Route>)) {
        visit(self);
        for child in &self.children {
            child.walk(visit);
        }
    }

    /// The labels of the group that an alert with `labels` belongs to.
    pub fn group_labels(&self, labels: &Labels) -> Labels {
        match &self.options.group_by {
            GroupBy::All => labels.clone(),
            GroupBy::Labels(names) => labels.filter(|name| names.contains(name)),
        }
    }

    /// `{}/{a="b"}:{c="d"}`, which notification logs know a group by.
    pub fn group_key(&self, group_labels: &Labels) -> String {
        format!("{}:{}", self.key, crate::alert::print_labels(group_labels))
    }
}

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Labels, Metadata};

use crate::Config;

/// A job as people see it.
#[derive(Debug, Clone)]
pub struct PoolStatus {
    pub name: String,
    pub config: Arc<Config>,
    /// In a stable order.
    pub active: Vec<TargetStatus>,
    /// Labels before relabelling of targets that it dropped, up to `keep_dropped_targets`.
    pub dropped: Vec<Labels>,
    pub n_dropped: u64,
}

/// A target as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetStatus {
    /// Before relabelling.
    pub discovered_labels: Labels,
    pub labels: Labels,
    pub url: String,
    pub health: Health,
    pub last_error: String,
    /// Since the Unix epoch; nothing before the first scrape.
    pub last_scrape: Option<Duration>,
    pub last_scrape_duration: Duration,
    pub interval: Duration,
    pub timeout: Duration,
    /// What it says of its metric families.
    pub metadata: Arc<BTreeMap<String, Metadata>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    #[default]
    Unknown,
    Up,
    Down,
}

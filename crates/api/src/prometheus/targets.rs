//! What is scraped: `/targets`, `/scrape_pools`, `/targets/metadata`, `/metadata`.

mod global_url;
mod relabel_steps;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::extract::State;
pub use global_url::GlobalUrl;
use model::{Labels, Matcher, Metadata};
pub(super) use relabel_steps::relabel_steps;

use super::{
    Api,
    json::{Json, Object},
    language,
    params::Form,
    respond::{Error, Result, Success},
};

/// What the API asks of scraping.
pub trait Targets: Send + Sync {
    /// All pools by name, with their targets in a stable order.
    fn pools(&self) -> Vec<Pool>;

    /// The settings of a pool as YAML without secrets, or why there are none.
    fn pool_config(&self, pool: &str) -> Result<String, String>;

    /// The rules that a pool applies to discovered targets, or why there are none.
    fn relabel_rules(&self, pool: &str) -> Result<Vec<relabel::Rule>, String> {
        Err(format!("scrape pool {pool} not found"))
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    pub name: String,
    pub active: Vec<Target>,
    /// Labels before relabelling of targets that it dropped; possibly only some of them.
    pub dropped: Vec<Labels>,
    pub n_dropped: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
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
    /// Where not all members of a cluster have it: those that do.
    pub owners: Vec<String>,
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

impl Health {
    fn as_str(self) -> &'static str {
        match self {
            Health::Unknown => "unknown",
            Health::Up => "up",
            Health::Down => "down",
        }
    }
}

pub(super) async fn targets(State(api): State<Arc<Api>>, form: Form) -> Result {
    let state = form.first("state").to_lowercase();
    let shows = |what: &str| state.is_empty() || state == "any" || state == what;
    let wanted = form.first("scrapePool");
    let mut pools = api.targets.pools();
    pools.retain(|pool| wanted.is_empty() || pool.name == wanted);
    let active = pools.iter().flat_map(|pool| pool.active.iter().map(move |target| (pool, target)));
    let dropped =
        pools.iter().flat_map(|pool| pool.dropped.iter().map(move |labels| (pool, labels)));
    Ok(Success::object(|data| {
        let active = active.filter(|_| shows("active"));
        data.key("activeTargets").array(active, |json, (pool, target)| {
            json.object(|object| write_active(object, &pool.name, target, &api.global_url));
        });
        let dropped = dropped.filter(|_| shows("dropped"));
        data.key("droppedTargets").array(dropped, |json, (pool, labels)| {
            json.object(|object| {
                object.key("discoveredLabels").labels(labels);
                object.string("scrapePool", &pool.name);
            });
        });
        if shows("dropped") {
            data.key("droppedTargetCounts").object(|counts| {
                for pool in &pools {
                    counts.key(&pool.name).int(pool.n_dropped);
                }
            });
        } else {
            data.key("droppedTargetCounts").raw("null");
        }
    }))
}

fn write_active(object: &mut Object<'_>, pool: &str, target: &Target, global: &GlobalUrl) {
    object.key("discoveredLabels").labels(&target.discovered_labels);
    object.key("labels").labels(&target.labels);
    object.string("scrapePool", pool);
    object.string("scrapeUrl", &target.url);
    object.string("globalUrl", &global.of(&target.url));
    let complaint = global.complaint(&target.url);
    object.string(
        "lastError",
        &match (target.last_error.as_str(), complaint) {
            (error, None) => error.to_owned(),
            ("", Some(complaint)) => complaint,
            (error, Some(complaint)) => format!("{error}: {complaint}"),
        },
    );
    object.key("lastScrape").time(target.last_scrape);
    object.key("lastScrapeDuration").seconds(target.last_scrape_duration);
    object.string("health", target.health.as_str());
    object.string("scrapeInterval", &model::duration::format(target.interval));
    object.string("scrapeTimeout", &model::duration::format(target.timeout));
    if !target.owners.is_empty() {
        object.key("owners").strings(&target.owners);
    }
}

pub(super) async fn pools(State(api): State<Arc<Api>>) -> Result {
    let pools = api.targets.pools();
    Ok(Success::object(|data| {
        data.key("scrapePools").strings(pools.iter().map(|pool| &pool.name));
    }))
}

pub(super) async fn pool_config(State(api): State<Arc<Api>>, form: Form) -> Result {
    let pool = form.first("scrapePool");
    if pool.is_empty() {
        return Err(Error::bad_data("no scrapePool parameter provided"));
    }
    let yaml = api
        .targets
        .pool_config(pool)
        .map_err(|reason| Error::bad_data(format!("error retrieving scrape config: {reason}")))?;
    Ok(Success::object(|data| data.string("yaml", &yaml)))
}

/// What the targets say of their metrics, target by target.
pub(super) async fn target_metadata(State(api): State<Arc<Api>>, form: Form) -> Result {
    let limit = form.count("limit")?.unwrap_or(usize::MAX);
    let matchers = match form.first("match_target") {
        "" => Vec::new(),
        text => language::parse_selector(text)
            .map_err(|reason| Error::bad_parameter("match_target", reason))?,
    };
    let metric = form.first("metric");
    let pools = api.targets.pools();
    let targets = pools.iter().flat_map(|pool| &pool.active);
    let selected = targets.filter(|target| matches(&target.labels, &matchers));
    let found = selected.flat_map(|target| {
        let wanted = move |(name, _): &(&String, &Metadata)| metric.is_empty() || *name == metric;
        target.metadata.iter().filter(wanted).map(move |(name, metadata)| (target, name, metadata))
    });
    Ok(Success::json(|json| {
        json.array(found.take(limit), |json, (target, name, metadata)| {
            json.object(|object| {
                object.key("target").labels(&target.labels);
                if metric.is_empty() {
                    object.string("metric", name);
                }
                write_metadata(object, metadata);
            });
        });
    }))
}

/// What the targets say of their metrics, metric by metric.
pub(super) async fn metadata(State(api): State<Arc<Api>>, form: Form) -> Result {
    let limit = form.count("limit")?.unwrap_or(usize::MAX);
    // Zero means no limit here, as upstream has it.
    let per_metric = form.count("limit_per_metric")?.filter(|limit| *limit > 0);
    let metric = form.first("metric");
    let pools = api.targets.pools();
    let mut metrics: BTreeMap<&str, BTreeSet<&Metadata>> = BTreeMap::new();
    for target in pools.iter().flat_map(|pool| &pool.active) {
        for (name, metadata) in target.metadata.iter() {
            if metric.is_empty() || name == metric {
                metrics.entry(name).or_default().insert(metadata);
            }
        }
    }
    Ok(Success::object(|data| {
        for (name, said) in metrics.iter().take(limit) {
            let said = said.iter().take(per_metric.unwrap_or(usize::MAX));
            data.key(name).array(said, |json: &mut Json, metadata| {
                json.object(|object| write_metadata(object, metadata));
            });
        }
    }))
}

fn write_metadata(object: &mut Object<'_>, metadata: &Metadata) {
    object.string("type", metadata.kind.as_str());
    object.string("help", &metadata.help);
    object.string("unit", &metadata.unit);
}

fn matches(labels: &Labels, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|matcher| matcher.matches(labels.value(&matcher.name)))
}

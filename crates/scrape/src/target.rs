use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use model::Labels;
use parking_lot::Mutex;
use url::Url;

use crate::{
    Config, Health, TargetStatus,
    cache::Cache,
    ingest::{Forms, Memory, Starts},
    labels::{self, Identity},
    metadata::TargetMetadata,
    schedule,
};

/// Something that is scraped, and how that went.
pub(crate) struct Target {
    /// Tells it apart from the others of its job.
    pub(crate) hash: u64,
    /// Tells it apart from all others, on all servers.
    pub(crate) shared_key: u64,
    /// What samples get.
    pub(crate) labels: Labels,
    pub(crate) forms: Forms,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
    /// As upstream prints it.
    pub(crate) url_text: String,
    /// An error is a scrape that fails.
    pub(crate) url: Result<Url, String>,
    /// Where it listens, whatever host the URL names.
    pub(crate) unix_socket: Option<PathBuf>,
    /// The loop holds it while it takes an answer in; others look for moments.
    pub(crate) memory: Arc<Mutex<Memory>>,
    /// No other lock is taken while this one is held.
    state: Mutex<State>,
    /// Whether another target goes on with its series, so that they do not end.
    is_taken_over: AtomicBool,
}

struct State {
    discovered: Labels,
    health: Health,
    last_error: String,
    last_scrape: Option<Duration>,
    last_scrape_duration: Duration,
}

impl Target {
    /// `seed` is a secret number, for hashing what the target says.
    pub(crate) fn new(config: &Config, identity: Identity, seed: u64) -> Target {
        let url_text = labels::url(config, &identity.labels);
        let url = Url::parse(&url_text).map_err(|error| format!("parse {url_text:?}: {error}"));
        let memory = Memory {
            cache: Cache::new(seed),
            metadata: TargetMetadata::default(),
            starts: Starts::default(),
        };
        let hash = schedule::hash(&identity.labels, &url_text);
        Target {
            hash,
            shared_key: schedule::shared_key(hash, &config.job_name),
            labels: labels::visible(&identity.labels),
            forms: labels::histogram_forms(&identity.labels),
            interval: identity.interval,
            timeout: identity.timeout,
            url_text,
            url,
            unix_socket: labels::unix_socket(&identity.labels).map(PathBuf::from),
            memory: Arc::new(Mutex::new(memory)),
            state: Mutex::new(State {
                discovered: identity.discovered,
                health: Health::Unknown,
                last_error: String::new(),
                last_scrape: None,
                last_scrape_duration: Duration::ZERO,
            }),
            is_taken_over: AtomicBool::new(false),
        }
    }

    /// Whether the series of `old` are those of this target: it differs in interval or the like.
    pub(crate) fn continues(&self, old: &Target) -> bool {
        self.labels == old.labels && self.url_text == old.url_text
    }

    /// Goes on with the series of `old`.
    pub(crate) fn take_over(&mut self, old: &Target) {
        self.memory = old.memory.clone();
        old.is_taken_over.store(true, Ordering::Release);
    }

    pub(crate) fn is_taken_over(&self) -> bool {
        self.is_taken_over.load(Ordering::Acquire)
    }

    /// The same target was discovered once more, maybe under other labels before relabelling.
    pub(crate) fn set_discovered(&self, discovered: Labels) {
        self.state.lock().discovered = discovered;
    }

    pub(crate) fn report(&self, began: Duration, took: Duration, error: Option<String>) {
        let mut state = self.state.lock();
        state.health = if error.is_none() { Health::Up } else { Health::Down };
        state.last_error = error.unwrap_or_default();
        state.last_scrape = Some(began);
        state.last_scrape_duration = took;
    }

    pub(crate) fn status(&self) -> TargetStatus {
        let metadata = Arc::new(self.memory.lock().metadata.to_map());
        let state = self.state.lock();
        TargetStatus {
            discovered_labels: state.discovered.clone(),
            labels: self.labels.clone(),
            url: self.url_text.clone(),
            health: state.health,
            last_error: state.last_error.clone(),
            last_scrape: state.last_scrape,
            last_scrape_duration: state.last_scrape_duration,
            interval: self.interval,
            timeout: self.timeout,
            metadata,
        }
    }
}

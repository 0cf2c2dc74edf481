use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use arc_swap::ArcSwap;
use model::Labels;

use super::{Retention, load::Loaded};

/// The configuration that runs, as others see it. Cloning shares it.
#[derive(Clone, Default)]
pub(super) struct Shown {
    texts: Arc<ArcSwap<Texts>>,
    /// Set once, when the storage opens.
    retention: Arc<OnceLock<Retention>>,
}

#[derive(Default)]
pub(super) struct Texts {
    config: String,
    /// By the name of the job.
    jobs: BTreeMap<String, String>,
    external_labels: Labels,
}

impl Texts {
    pub(super) fn of(loaded: &Loaded) -> Texts {
        let jobs = loaded.jobs.iter();
        Texts {
            config: loaded.config.to_yaml(),
            jobs: jobs.map(|job| (job.scrape.job_name.clone(), job.yaml.clone())).collect(),
            external_labels: loaded.notifier.external_labels.clone(),
        }
    }
}

impl Shown {
    pub(super) fn set(&self, texts: Texts) {
        self.texts.store(Arc::new(texts));
    }

    pub(super) fn set_retention(&self, retention: Retention) {
        self.retention.get_or_init(|| retention);
    }

    pub(super) fn retention(&self) -> Option<Retention> {
        self.retention.get().copied()
    }

    pub(super) fn config(&self) -> String {
        self.texts.load().config.clone()
    }

    pub(super) fn job(&self, name: &str) -> Option<String> {
        self.texts.load().jobs.get(name).cloned()
    }

    pub(super) fn external_labels(&self) -> Labels {
        self.texts.load().external_labels.clone()
    }
}

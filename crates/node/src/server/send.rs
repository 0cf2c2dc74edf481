//! How samples get out to other systems.

use std::{collections::BTreeMap, sync::Arc};

use remote::send::{MetadataSource, Options, Senders};
use runtime::Runtime;
use telemetry::Registry;

use crate::build;

/// The queues of remote write, with nothing to do yet.
pub(super) fn senders(
    options: &super::Options,
    runtime: &Runtime,
    registry: &Registry,
    log_readers: wal::Readers,
    scrape: &Arc<scrape::Manager>,
) -> Senders {
    let options = Options {
        directory: options.storage.directory.clone(),
        flush_deadline: options.storage.remote_flush_deadline,
        type_and_unit_labels: options.has_feature("type-and-unit-labels"),
        user_agent: build::user_agent(),
    };
    Senders::new(options, runtime.clone(), registry, log_readers, metadata(scrape.clone()))
}

/// What targets say of their metrics; where they disagree, one of them.
fn metadata(scrape: Arc<scrape::Manager>) -> MetadataSource {
    Arc::new(move || {
        let mut families = BTreeMap::new();
        for target in scrape.pools().iter().flat_map(|pool| &pool.active) {
            for (name, metadata) in target.metadata.iter() {
                families.entry(name.clone()).or_insert_with(|| metadata.clone());
            }
        }
        families
    })
}

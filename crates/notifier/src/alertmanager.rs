//! From discovered targets to the addresses of Alertmanagers. Pure.

use std::collections::{BTreeMap, BTreeSet};

use model::{Labels, LabelsBuilder};
use url::Url;

use crate::SetConfig;

const ADDRESS: &str = "__address__";
const SCHEME: &str = "__scheme__";
const PATH: &str = "__alerts_path__";

/// Targets that were found together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TargetGroup {
    /// Each with at least `__address__`.
    pub targets: Vec<Labels>,
    /// What all of them have, unless they say otherwise.
    pub labels: Labels,
}

/// Where to send, and what was found but is not wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Addresses {
    /// By the text that users know: `Url` leaves out default ports.
    pub(crate) active: BTreeMap<String, Url>,
    pub(crate) dropped: BTreeSet<String>,
}

/// The Alertmanagers among the targets of `groups`.
pub(crate) fn addresses(config: &SetConfig, groups: &[TargetGroup]) -> Addresses {
    let mut addresses = Addresses::default();
    for group in groups {
        for target in &group.targets {
            let mut labels = LabelsBuilder::new(target);
            labels.set(SCHEME, &config.scheme).set(PATH, &alerts_path(&config.path_prefix));
            // The labels of the group win over the configuration, but not over the target.
            for (name, value) in group.labels.iter().filter(|(n, _)| target.get(n).is_none()) {
                labels.set(name, value);
            }
            let before = url_text(&labels);
            if !relabel::apply(&config.relabel, &mut labels) {
                addresses.dropped.insert(before);
                continue;
            }
            let address = labels.get(ADDRESS);
            let text = url_text(&labels);
            let is_host = !address.is_empty() && !address.contains('/');
            match Url::parse(&text).ok().filter(|_| is_host) {
                Some(url) => {
                    addresses.active.insert(text, url);
                }
                None => tracing::error!(address, "Alertmanager address is not a valid hostname"),
            }
        }
    }
    addresses
}

/// The path below which version 2 of the API takes alerts.
fn alerts_path(prefix: &str) -> String {
    let prefix = prefix.split('/').filter(|part| !part.is_empty());
    prefix.chain(["api", "v2", "alerts"]).flat_map(|part| ["/", part]).collect()
}

fn url_text(labels: &LabelsBuilder) -> String {
    format!("{}://{}{}", labels.get(SCHEME), labels.get(ADDRESS), labels.get(PATH))
}

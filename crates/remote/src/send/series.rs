//! Which series do numbers in the log stand for, and what are they called where they are sent?

use std::sync::Arc;

use hashbrown::HashMap;
use model::{Labels, LabelsBuilder, Metadata};

/// A series as it is sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) labels: Labels,
    /// Samples of one series go through one shard.
    pub(super) shard_key: u64,
    /// Of the labels, the same on all servers; zero where there are no others.
    pub(super) hash: u64,
    pub(super) metadata: Option<Metadata>,
}

/// All series that the log has named.
pub(super) struct SeriesMap {
    external_labels: Labels,
    rules: Vec<relabel::Rule>,
    has_peers: bool,
    series: HashMap<u64, Known>,
}

struct Known {
    /// Nothing if relabelling drops it.
    sent: Option<Arc<Sent>>,
    /// The segment that named it last.
    segment: u32,
}

/// What becomes of a sample.
pub(super) enum Found<'a> {
    Sent(&'a Arc<Sent>),
    Dropped,
    Unknown,
}

impl SeriesMap {
    pub(super) fn new(
        external_labels: Labels,
        rules: Vec<relabel::Rule>,
        has_peers: bool,
    ) -> SeriesMap {
        SeriesMap { external_labels, rules, has_peers, series: HashMap::new() }
    }

    pub(super) fn name(&mut self, series_ref: u64, labels: &Labels, segment: u32) {
        let sent = with_external_labels(labels, &self.external_labels, &self.rules);
        let sent = sent.map(|labels| {
            let hash = if self.has_peers { labels.hash64() } else { 0 };
            Arc::new(Sent { labels, shard_key: series_ref, hash, metadata: None })
        });
        self.series.insert(series_ref, Known { sent, segment });
    }

    pub(super) fn describe(&mut self, series_ref: u64, metadata: Metadata) {
        let known = self.series.get_mut(&series_ref);
        if let Some(sent) = known.and_then(|known| known.sent.as_mut()) {
            let Sent { labels, shard_key, hash, .. } = &**sent;
            let (labels, metadata) = (labels.clone(), Some(metadata));
            *sent = Arc::new(Sent { labels, shard_key: *shard_key, hash: *hash, metadata });
        }
    }

    pub(super) fn find(&self, series_ref: u64) -> Found<'_> {
        match self.series.get(&series_ref) {
            Some(Known { sent: Some(sent), .. }) => Found::Sent(sent),
            Some(Known { sent: None, .. }) => Found::Dropped,
            None => Found::Unknown,
        }
    }

    /// Marks a series as named by a checkpoint.
    pub(super) fn keep(&mut self, series_ref: u64, segment: u32) {
        if let Some(known) = self.series.get_mut(&series_ref) {
            known.segment = known.segment.max(segment);
        }
    }

    /// Forgets the series that were last named before `segment`.
    pub(super) fn forget_before(&mut self, segment: u32) {
        self.series.retain(|_, known| known.segment >= segment);
    }
}

/// Adds the external labels that a series lacks, then relabels; nothing if that drops it.
pub(super) fn with_external_labels(
    labels: &Labels,
    external: &Labels,
    rules: &[relabel::Rule],
) -> Option<Labels> {
    let lacks_any = external.iter().any(|(name, _)| labels.get(name).is_none());
    if !lacks_any && rules.is_empty() {
        return Some(labels.clone());
    }
    let mut builder = LabelsBuilder::new(labels);
    for (name, value) in external.iter().filter(|(name, _)| labels.get(name).is_none()) {
        builder.set(name, value);
    }
    relabel::apply(rules, &mut builder).then(|| builder.build()).filter(|labels| !labels.is_empty())
}

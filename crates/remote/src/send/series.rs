//! Which series do numbers in the log stand for, and what are they called where they are sent?

use std::sync::Arc;

use hashbrown::HashMap;
use model::{Labels, LabelsBuilder, Metadata};

use super::encode;
use crate::Message;

/// A series as it is sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// For version 2, which gives texts numbers in each request.
    pub(super) labels: Labels,
    /// The labels for version 1, which has all of them beside each sample: as they stand there.
    pub(super) written: Box<[u8]>,
    /// Samples of one series go through one shard.
    pub(super) shard_key: u64,
    /// Of the labels, the same on all servers; zero where there are no others.
    pub(super) hash: u64,
    pub(super) metadata: Option<Metadata>,
}

/// All series that the log has named.
pub(super) struct SeriesMap {
    message: Message,
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
        message: Message,
        external_labels: Labels,
        rules: Vec<relabel::Rule>,
        has_peers: bool,
    ) -> SeriesMap {
        SeriesMap { message, external_labels, rules, has_peers, series: HashMap::new() }
    }

    pub(super) fn name(&mut self, series_ref: u64, labels: &Labels, segment: u32) {
        let sent = with_external_labels(labels, &self.external_labels, &self.rules);
        let sent = sent.map(|labels| {
            let hash = if self.has_peers { labels.hash64() } else { 0 };
            let (labels, written) = match self.message {
                Message::Version1 => (Labels::empty(), encode::labels(&labels)),
                Message::Version2 => (labels, Box::default()),
            };
            Arc::new(Sent { labels, written, shard_key: series_ref, hash, metadata: None })
        });
        self.series.insert(series_ref, Known { sent, segment });
    }

    pub(super) fn describe(&mut self, series_ref: u64, metadata: Metadata) {
        // Version 1 has no room for it.
        if self.message == Message::Version1 {
            return;
        }
        let known = self.series.get_mut(&series_ref);
        if let Some(sent) = known.and_then(|known| known.sent.as_mut()) {
            let Sent { shard_key, hash, .. } = **sent;
            let (labels, metadata) = (sent.labels.clone(), Some(metadata));
            let written = Box::default();
            *sent = Arc::new(Sent { labels, written, shard_key, hash, metadata });
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

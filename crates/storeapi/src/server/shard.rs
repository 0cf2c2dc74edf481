//! Requests that share the series among them.

use model::Labels;
use proto::thanos::ShardInfo;
use xxhash_rust::xxh64::xxh64;

const SEPARATOR: u8 = 0xff;

/// Which series a request is for; all if it does not say.
pub(super) struct Shard<'a> {
    info: Option<&'a ShardInfo>,
    hashed: Vec<u8>,
}

impl<'a> Shard<'a> {
    pub(super) fn new(info: Option<&'a ShardInfo>) -> Shard<'a> {
        Shard { info: info.filter(|info| info.total_shards >= 1), hashed: Vec::new() }
    }

    /// Whether a series, with the labels that it is shown with, is meant.
    pub(super) fn takes(&mut self, labels: &Labels) -> bool {
        let Some(info) = self.info else { return true };
        self.hashed.clear();
        for (name, value) in labels.iter() {
            let is_named = info.labels.iter().any(|label| label == name);
            if is_named == info.by {
                self.hashed.extend_from_slice(name.as_bytes());
                self.hashed.push(SEPARATOR);
                self.hashed.extend_from_slice(value.as_bytes());
                self.hashed.push(SEPARATOR);
            }
        }
        xxh64(&self.hashed, 0) % info.total_shards as u64 == info.shard_index as u64
    }
}

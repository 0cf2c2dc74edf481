//! Blocks that an uploader has yet to copy elsewhere: Thanos' sidecar, for example, wants them as
//! they came out of the head.

use std::{io, path::Path};

use blocks::Meta;
use hashbrown::HashSet;
use runtime::Disk;
use serde_json::Value;
use ulid::Ulid;

use crate::database::Store;

/// Which blocks must not be merged yet.
pub(super) struct Awaited {
    /// What has been uploaded; `None` where nobody uploads.
    uploaded: Option<HashSet<Ulid>>,
}

impl Awaited {
    /// Reads the uploader's list. As long as it cannot be read nothing counts as uploaded.
    pub(super) fn look(store: &Store) -> Awaited {
        let read = |path: &Path| {
            read(&*store.runtime.disk, path).unwrap_or_else(|error| {
                let path = path.display();
                tracing::warn!(%path, %error, "list of uploaded blocks cannot be read");
                HashSet::new()
            })
        };
        Awaited { uploaded: store.options.uploads_file.as_deref().map(read) }
    }

    /// Whether the uploader still wants the block: nobody uploads those that were merged.
    pub(super) fn is_for(&self, meta: &Meta) -> bool {
        let Some(uploaded) = &self.uploaded else { return false };
        meta.compaction.level <= 1 && !uploaded.contains(&meta.ulid)
    }
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<HashSet<Ulid>> {
    let list: Value = serde_json::from_slice(&disk.read(path)?)?;
    let uploaded = list.get("uploaded").and_then(Value::as_array);
    let ulids = uploaded.into_iter().flatten().filter_map(Value::as_str);
    Ok(ulids.filter_map(|ulid| Ulid::from_string(ulid).ok()).collect())
}

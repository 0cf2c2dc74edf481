//! Full chunks of the head leave memory for files.
//!
//! They are most of what a series takes after some hours, and hardly anybody asks for them. The log
//! has everything, so the files mean nothing to the next start or to another program: a file loses
//! its name as soon as it is mapped, and its room on the disk goes with the last of its chunks.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use runtime::{Disk, disk::Map};

use crate::{
    Error, Result,
    database::Store,
    head::{ChunkBytes, Page, SeriesId},
};

const DIRECTORY: &str = "spilled_chunks";

/// A file holds about so much: it is put together in memory.
const FILE_BYTES: usize = 8 << 20;

/// Where a chunk will be in the file.
struct Place {
    id: SeriesId,
    start: i64,
    offset: u32,
    len: u32,
}

/// Removes what a process has left that ended before a file had lost its name.
pub(crate) fn remove_leftovers(disk: &dyn Disk, data: &Path) -> Result<()> {
    let directory = data.join(DIRECTORY);
    if disk.exists(&directory) {
        disk.remove_directory(&directory).map_err(io("remove", &directory))?;
    }
    Ok(())
}

/// Moves full chunks to files, if there are enough of them. Where that fails they stay in memory.
pub(crate) fn spill(store: &Store) {
    let n_begun = store.counters.chunks_created.value();
    let n_before = store.spilled_at.load(Ordering::Relaxed);
    if n_begun.saturating_sub(n_before) < store.options.spill_chunks_min {
        return;
    }
    store.spilled_at.store(n_begun, Ordering::Relaxed);
    match spill_all(store) {
        Ok(0) => {}
        Ok(chunks) => tracing::debug!(chunks, "full chunks moved to files"),
        Err(error) => tracing::warn!(%error, "full chunks stay in memory"),
    }
}

fn spill_all(store: &Store) -> Result<usize> {
    let (mut bytes, mut places) = (Vec::new(), Vec::new());
    let mut n_chunks = 0;
    for page in store.head.pages() {
        for series in page.lock().iter() {
            for chunk in series.full_chunks() {
                if let ChunkBytes::Memory(chunk_bytes) = &chunk.bytes {
                    let (offset, len) = (bytes.len() as u32, chunk_bytes.len() as u32);
                    places.push(Place { id: series.id, start: chunk.start, offset, len });
                    bytes.extend_from_slice(chunk_bytes);
                }
            }
        }
        // A page has little more than a megabyte, so offsets have room.
        if bytes.len() >= FILE_BYTES {
            n_chunks += spill_file(store, &mut bytes, &mut places)?;
        }
    }
    Ok(n_chunks + spill_file(store, &mut bytes, &mut places)?)
}

/// Writes a file of chunks, and puts it in their place.
fn spill_file(store: &Store, bytes: &mut Vec<u8>, places: &mut Vec<Place>) -> Result<usize> {
    if places.is_empty() {
        return Ok(0);
    }
    let file = Arc::new(write(&*store.runtime.disk, &store.directory, bytes)?);
    for run in places.chunk_by(|a, b| Page::number(a.id) == Page::number(b.id)) {
        let Some(page) = run.first().and_then(|first| store.head.page(first.id)) else { continue };
        let mut page = page.lock();
        for Place { id, start, offset, len } in run {
            let Some(series) = page.get_mut(*id) else { continue };
            let file = file.clone();
            series.replace_full(*start, ChunkBytes::File { file, offset: *offset, len: *len });
        }
    }
    let n_chunks = places.len();
    bytes.clear();
    places.clear();
    Ok(n_chunks)
}

/// A file with these bytes, mapped, that has no name any more.
fn write(disk: &dyn Disk, data: &Path, bytes: &[u8]) -> Result<Map> {
    let directory = data.join(DIRECTORY);
    disk.create_directories(&directory).map_err(io("create", &directory))?;
    let path = directory.join("chunks");
    let written = disk.create(&path).and_then(|mut file| file.write_all(bytes));
    let mapped = written.and_then(|()| disk.map(&path));
    let removed = disk.remove_file(&path);
    let map = mapped.map_err(io("write", &path))?;
    removed.map_err(io("remove", &path))?;
    Ok(map)
}

fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let action = format!("{action} {}", path.display());
    move |source| Error::Io { action, source }
}

//! Which queries run now, in a file that is still there after a crash: `queries.active`, in
//! upstream's format. One of them may have been the reason.
//!
//! The file begins with `[`; then come slots of [`SLOT_BYTES`], each empty or with a JSON object
//! and a comma, filled up with zeros.

use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard},
};

use runtime::{Disk, disk::File};

const FILE_NAME: &str = "queries.active";
const SLOT_BYTES: usize = 1000;
/// What the JSON object needs beside the query.
const AROUND_QUERY_BYTES: usize = 60;

/// The queries that run now, in a file.
pub struct ActiveQueries {
    slots: Mutex<Slots>,
}

struct Slots {
    file: Box<dyn File>,
    used: Vec<bool>,
}

/// A query's place in the file, until it is dropped.
pub(super) struct Entry<'a> {
    active: &'a ActiveQueries,
    slot: Option<usize>,
}

impl ActiveQueries {
    /// Begins a new file in `directory` for up to `queries_max` queries at a time. Also returns
    /// the queries that the last run did not finish, as a JSON list, if there are any.
    pub fn open(
        disk: &dyn Disk,
        directory: &Path,
        queries_max: usize,
    ) -> io::Result<(ActiveQueries, Option<String>)> {
        let path = directory.join(FILE_NAME);
        let unfinished = disk.read(&path).ok().and_then(|bytes| unfinished(&bytes));
        disk.create_directories(directory)?;
        let mut bytes = vec![0; 1 + queries_max * SLOT_BYTES];
        bytes[0] = b'[';
        let mut file = disk.create(&path)?;
        file.write_all(&bytes)?;
        let slots = Slots { file, used: vec![false; queries_max] };
        Ok((ActiveQueries { slots: Mutex::new(slots) }, unfinished))
    }

    /// Notes that a query runs, until the entry is dropped.
    pub(super) fn begin(&self, query: &str, seconds: i64) -> Entry<'_> {
        let mut slots = self.lock();
        let slot = slots.used.iter().position(|used| !used);
        if let Some(slot) = slot {
            slots.used[slot] = true;
            slots.set(slot, &object(query, seconds));
        }
        Entry { active: self, slot }
    }

    /// Slots are right even if a holder panicked.
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Slots {
    fn set(&mut self, slot: usize, content: &[u8]) {
        let start = 1 + slot * SLOT_BYTES;
        let mut bytes = [0; SLOT_BYTES];
        bytes[..content.len()].copy_from_slice(content);
        // A query must not fail for want of a place to be noted.
        self.file.write_at(&bytes, start as u64).unwrap_or_default();
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let mut slots = self.active.lock();
            slots.used[slot] = false;
            slots.set(slot, b"");
        }
    }
}

fn object(query: &str, seconds: i64) -> Vec<u8> {
    let mut room = SLOT_BYTES - AROUND_QUERY_BYTES;
    loop {
        let query = serde_json::Value::from(trimmed(query, room)).to_string();
        let object = format!("{{\"query\":{query},\"timestamp_sec\":{seconds}}},");
        if object.len() <= SLOT_BYTES {
            return object.into_bytes();
        }
        // Escapes take more room than what they stand for.
        room /= 2;
    }
}

/// As much of `text` as fits into `bytes`.
fn trimmed(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

/// The list in a file that was left behind; nothing if it is empty.
fn unfinished(bytes: &[u8]) -> Option<String> {
    let mut list: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    // The last byte is the comma after the last query.
    let last = list.last_mut()?;
    *last = b']';
    (list.len() > 1).then(|| String::from_utf8_lossy(&list).into_owned())
}

#[cfg(test)]
mod tests {
    use conformance::{Score, bytes, cases};
    use runtime::Simulation;

    use super::*;

    #[test]
    fn texts_are_trimmed_and_lists_mended() {
        const TABLE: &str = "prometheus/promql/query_log.json";
        let Some(table) = cases(TABLE) else { return };
        let mut score = Score::new(TABLE);
        for (idx, case) in table.cases.iter().enumerate() {
            let input = bytes(&case["input"]);
            let got = match case["operation"].as_str() {
                Some("trim to bytes") => {
                    let size = case["size"].as_u64().unwrap_or_default() as usize;
                    std::str::from_utf8(&input).ok().map(|text| trimmed(text, size).to_owned())
                }
                _ => unfinished(&input),
            };
            let expected = case["result"].as_str().map(str::to_owned);
            let outcome = if got == expected {
                Ok(())
            } else {
                Err(format!("got {got:?}, expected {expected:?}"))
            };
            score.add(format!("{idx}"), outcome);
        }
        score.finish(&[("3", "a query is text here, so its bytes are always UTF-8")]);
    }

    #[test]
    fn unfinished_queries_are_known_after_a_crash() {
        let simulation = Simulation::new(0);
        let disk = simulation.runtime().disk;
        let directory = Path::new("/data");
        let open = || ActiveQueries::open(&*disk, directory, 2).expect("the disk works");
        let (active, unfinished) = open();
        assert_eq!(unfinished, None);
        drop(active.begin("up", 1));
        let entry = active.begin("sum(\"x\")", 2);
        assert_eq!(disk.read(&directory.join(FILE_NAME)).expect("it is there").len(), 2001);
        std::mem::forget(entry);
        drop(active);
        let (_, unfinished) = open();
        let expected = r#"[{"query":"sum(\"x\")","timestamp_sec":2}]"#;
        assert_eq!(unfinished.as_deref(), Some(expected));
        assert_eq!(open().1, None);
    }
}

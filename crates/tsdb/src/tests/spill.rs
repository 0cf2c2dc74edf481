//! Full chunks in files.

use std::{path::Path, time::Duration};

use runtime::{Disk, Simulation};

use super::world::{DIRECTORY, append, dump, open_with, print};
use crate::{Database, Options, head::ChunkBytes};

fn options() -> Options {
    let chunk_range = Duration::from_secs(3600);
    Options { spill_chunks_min: 1, samples_per_chunk: 4, chunk_range, ..Options::default() }
}

/// How many full chunks are in memory, and how many in files.
fn chunks(database: &Database) -> (usize, usize) {
    let (mut in_memory, mut in_files) = (0, 0);
    for page in database.store().head.pages() {
        for chunk in page.lock().iter().flat_map(|series| series.full_chunks()) {
            match chunk.bytes {
                ChunkBytes::Memory(_) => in_memory += 1,
                ChunkBytes::File { .. } => in_files += 1,
            }
        }
    }
    (in_memory, in_files)
}

fn fill(database: &Database, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let time = minute * 60_000;
        assert_eq!(append(database, &format!("a=1 @{time} {minute}\na=2 @{time} 7")), "ok, ok");
    }
}

#[test]
fn full_chunks_leave_memory_and_are_read_as_before() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..50);
    let expected = dump(&database);
    let range = model::TimeRange::ALL;
    let reader = storage::Queryable::querier(&database, range).expect("the head always answers");
    let (in_memory, _) = chunks(&database);
    assert!(in_memory > 10, "{in_memory} full chunks");
    database.maintain().expect("the disk is good");
    assert_eq!(chunks(&database), (0, in_memory));
    assert_eq!(dump(&database), expected);
    assert_eq!(print(&*reader, range, &[]), expected, "for whoever began to read before");
    let folder = Path::new(DIRECTORY).join("spilled_chunks");
    assert_eq!(simulation.disk.list(&folder).expect("it is there"), [], "no file has a name");
    drop(reader);

    // They become blocks as others do.
    fill(&database, 50..200);
    let expected = dump(&database);
    database.maintain().expect("the disk is good");
    database.maintain().expect("the disk is good");
    assert!(!database.blocks().is_empty());
    assert_eq!(dump(&database), expected);
    drop(database);
    assert_eq!(dump(&open_with(&simulation, options())), expected);
    assert!(simulation.disk.list(&folder).is_err(), "the next start tidies up");
}

#[test]
fn without_room_chunks_stay_in_memory() {
    let simulation = Simulation::new(1);
    let database = open_with(&simulation, options());
    fill(&database, 0..50);
    let before = (chunks(&database), dump(&database));
    simulation.disk.fill_up_after(5);
    database.maintain().expect("nothing that matters failed");
    assert_eq!((chunks(&database), dump(&database)), before);
    simulation.disk.fill_up_after(u64::MAX);
    fill(&database, 50..60);
    database.maintain().expect("the disk is good");
    assert_eq!(chunks(&database).0, 0);
}

//! Bytes that somebody has changed: an error or the right answer, never a panic.

use std::path::Path;

use proptest::prelude::*;
use runtime::{Disk, Simulation};

use super::{SERIES, dump, open};
use crate::{Block, Tombstones};

/// The files of a block, all of them.
const FILES: [&str; 3] = ["index", "chunks/000001", "tombstones"];

fn rewrite(disk: &dyn Disk, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.read(path).expect("it is there");
    change(&mut bytes);
    disk.write_atomically(path, &bytes).expect("memory does not fail");
}

/// What a damaged block says: nothing, or what it said before.
fn check(file: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let simulation = Simulation::new(1);
    let block = open(&simulation, SERIES);
    let before = dump(&block, (0, 9), "");
    let disk = simulation.runtime().disk;
    rewrite(&*disk, &block.directory().join(file), change);
    let Ok(damaged) = Block::open(&*disk, block.directory()) else { return };
    let Ok(mut series) = damaged.series() else { return };
    let all_are_read = series.all(|s| s.labels().is_ok() && s.chunks().is_ok());
    if all_are_read {
        assert_eq!(dump(&damaged, (0, 9), ""), before, "damage in {file} goes unseen");
    }
}

proptest! {
    #[test]
    fn a_flipped_bit_is_noticed(file in 0..FILES.len(), at in any::<prop::sample::Index>(), bit in 0..8) {
        check(FILES[file], |bytes| {
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
        });
    }

    #[test]
    fn a_cut_is_noticed(file in 0..FILES.len(), at in any::<prop::sample::Index>()) {
        check(FILES[file], |bytes| bytes.truncate(at.index(bytes.len())));
    }

    #[test]
    fn any_bytes_are_no_tombstones_or_some(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(Tombstones::decode(&bytes));
    }
}

/// Found by fuzzing: such a stretch broke the order of those beside it.
#[test]
fn stretches_that_end_before_they_begin_are_nothing() {
    let mut tombstones = Tombstones::default();
    for (start, end) in [(5, 9), (7, 3), (20, 30), (25, -4)] {
        tombstones.add(1, crate::Interval { start, end });
    }
    tombstones.add(2, crate::Interval { start: 1, end: 0 });
    let intervals: Vec<_> = tombstones.iter().collect();
    let expected = [(5, 9), (20, 30)].map(|(start, end)| crate::Interval { start, end });
    assert_eq!(intervals, [(1, &crate::Intervals::of_sorted(expected.to_vec()))]);
    assert_eq!(Tombstones::decode(&tombstones.encode()), Ok(tombstones));
}

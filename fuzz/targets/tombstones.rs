//! The file of what is deleted in a block: what is read is written as the same.

#![no_main]

use blocks::Tombstones;
use fuzz::checksums;
use libfuzzer_sys::fuzz_target;
use runtime::{Disk as _, disk::SimulatedDisk};

fuzz_target!(|bytes: &[u8]| {
    // Magic, version, then what is checked.
    let mut file = [&[0x01, 0x30, 0xba, 0x30, 1], bytes].concat();
    checksums::at_end(&mut file, 5);
    let (disk, block) = (SimulatedDisk::default(), std::path::Path::new("block"));
    disk.create_directories(block).expect("there is room");
    let write = |bytes: &[u8]| {
        let mut out = disk.create(&block.join("tombstones")).expect("there is room");
        out.write_all(bytes).expect("there is room");
    };
    write(bytes);
    let _ = Tombstones::read(&disk, block);
    write(&file);
    let Ok(tombstones) = Tombstones::read(&disk, block) else { return };
    tombstones.write(&disk, block).expect("there is room");
    let again = Tombstones::read(&disk, block).expect("our own file");
    assert!(tombstones.iter().eq(again.iter()));
    for (_, intervals) in tombstones.iter() {
        // Sorted, none touching another.
        let pairs: Vec<_> = intervals.iter().collect();
        assert!(pairs.windows(2).all(|pair| pair[0].end < pair[1].start));
        let _ = (intervals.cover(0, 10), intervals.overlap(-5, 5));
    }
});

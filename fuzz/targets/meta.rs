//! `meta.json` of a block: what is read is written as the same.

#![no_main]

use blocks::Meta;
use libfuzzer_sys::fuzz_target;
use runtime::{Disk as _, disk::SimulatedDisk};

fuzz_target!(|bytes: &[u8]| {
    let (disk, block) = (SimulatedDisk::default(), std::path::Path::new("block"));
    disk.create_directories(block).expect("there is room");
    let mut file = disk.create(&block.join("meta.json")).expect("there is room");
    file.write_all(bytes).expect("there is room");
    let Ok(meta) = Meta::read(&disk, block) else { return };
    let _ = (meta.range(), meta.is_from_out_of_order(), meta.is_from_stale_series());
    let _ = Meta::merged(meta.ulid, &[&meta, &meta]);
    meta.write(&disk, block).expect("there is room");
    assert_eq!(Meta::read(&disk, block).expect("our own file"), meta);
});

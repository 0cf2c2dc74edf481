//! A block's folder in memory, with one file that is anything.

use std::path::{Path, PathBuf};

use blocks::{Chunk, Meta, Writer};
use chunks::{Encoding, XorChunk};
use runtime::{Disk, disk::SimulatedDisk};
use ulid::Ulid;

/// The block of a folder, in which one file was replaced.
pub struct Folder {
    pub disk: SimulatedDisk,
    pub path: PathBuf,
}

impl Folder {
    /// A good block of a few series and chunks.
    pub fn of_good_block() -> Folder {
        let disk = SimulatedDisk::default();
        let symbols = ["", "a", "b", "cpu", "le", "mode", "up"];
        let ulid = Ulid::from_parts(1_700_000_000_000, 7);
        let meta = Meta::new(ulid, 0, 7_200_000);
        let parent = Path::new("data");
        let mut writer =
            Writer::create(&disk, parent, meta, symbols.into_iter()).expect("there is room");
        for (number, labels) in [[(4, 1), (5, 2)], [(4, 2), (5, 1)], [(4, 2), (5, 6)]].iter().enumerate() {
            let mut chunk = XorChunk::default();
            for step in 0..20 {
                chunk.append(step * 15_000, (step * number as i64) as f64);
            }
            let end = chunk.last_time();
            let bytes = chunk.into_bytes();
            let later = Chunk { start: 3_600_000, end: 3_900_000, encoding: Encoding::Xor, bytes: bytes.clone().into() };
            let chunk = Chunk { start: 0, end, encoding: Encoding::Xor, bytes: bytes.into() };
            writer.add(labels, &[chunk, later]).expect("there is room");
        }
        writer.finish().expect("there is room");
        Folder { disk, path: parent.join(ulid.to_string()) }
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        let disk: &dyn Disk = &self.disk;
        disk.read(&self.path.join(name)).expect("it was written")
    }

    pub fn replace(&self, name: &str, bytes: &[u8]) {
        let mut file = self.disk.create(&self.path.join(name)).expect("the folder is there");
        file.write_all(bytes).expect("there is room");
    }
}

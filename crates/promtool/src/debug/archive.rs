//! A compressed tar archive: blocks of 512 bytes, a header before each file, two empty ones at the
//! end (POSIX 1003.1, ustar).

use std::io::{self, Write as _};

use flate2::{Compression, write::GzEncoder};

const BLOCK: usize = 512;

pub(super) struct Archive {
    bytes: Vec<u8>,
    /// Of all files, in seconds since the epoch.
    modified: i64,
}

impl Archive {
    pub(super) fn new(modified: i64) -> Archive {
        Archive { bytes: Vec::new(), modified }
    }

    /// Adds a file; its name has at most 100 bytes.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) {
        debug_assert!(name.len() <= 100);
        self.bytes.extend_from_slice(&header(name, content.len(), self.modified));
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.bytes)?;
        encoder.finish()
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
    }
}

fn header(name: &str, len: usize, modified: i64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{len:011o}\0"));
    put(136, &format!("{:011o}\0", modified.max(0)));
    // The checksum is of the header with blanks in its own place.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

//! A segment is cut into pages; a record is cut into fragments that do not cross them.

/// A page that has no room for another fragment's header is filled up with zeros.
pub const PAGE_BYTES: usize = 32 * 1024;

/// Kind and flags, length, checksum.
pub(crate) const HEADER_BYTES: usize = 1 + 2 + 4;

const KIND_MASK: u8 = 0b111;
pub(crate) const SNAPPY: u8 = 1 << 3;
pub(crate) const ZSTD: u8 = 1 << 4;

/// Which part of a record a fragment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fragment {
    /// No fragment: the rest of the page is zeros.
    PageEnd,
    Full,
    First,
    Middle,
    Last,
}

impl Fragment {
    pub(crate) fn new(is_first: bool, is_last: bool) -> Fragment {
        match (is_first, is_last) {
            (true, true) => Fragment::Full,
            (true, false) => Fragment::First,
            (false, false) => Fragment::Middle,
            (false, true) => Fragment::Last,
        }
    }

    pub(crate) fn from_header(byte: u8) -> Option<Fragment> {
        match byte & KIND_MASK {
            0 => Some(Fragment::PageEnd),
            1 => Some(Fragment::Full),
            2 => Some(Fragment::First),
            3 => Some(Fragment::Middle),
            4 => Some(Fragment::Last),
            _ => None,
        }
    }

    pub(crate) fn as_byte(self) -> u8 {
        self as u8
    }
}

/// CRC-32C, which guards each fragment.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

//! CRC-32C, which ends each part of each file.

pub(crate) const BYTES: usize = 4;

pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// The bytes before the checksum that ends `bytes`, if it is right.
pub(crate) fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (content, checksum) = bytes.split_last_chunk::<BYTES>()?;
    (crc32c(content) == u32::from_be_bytes(*checksum)).then_some(content)
}

//! Checksums of damaged files, made right, so that the damage reaches the parser.

const PAGE_BYTES: usize = 32 << 10;

/// Type, length and checksum of a fragment in the log.
const FRAGMENT_HEADER_BYTES: usize = 7;

pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, bytes) as u32
}

/// Those of the fragments in a segment of the log.
pub fn of_segment(segment: &mut [u8]) {
    let mut at = 0;
    while let Some([kind, high, low, ..]) =
        segment.get(at..).and_then(|rest| rest.first_chunk::<FRAGMENT_HEADER_BYTES>()).copied()
    {
        if kind & 0b111 == 0 {
            at = (at + 1).next_multiple_of(PAGE_BYTES);
            continue;
        }
        let len = usize::from(u16::from_be_bytes([high, low]));
        let begin = at + FRAGMENT_HEADER_BYTES;
        let Some(data) = segment.get(begin..begin + len) else { return };
        let checksum = crc32c(data).to_be_bytes();
        segment[at + 3..begin].copy_from_slice(&checksum);
        at = begin + len;
    }
}

/// That of a file, or part of one, which ends with it; it covers what is behind `header` bytes.
pub fn at_end(bytes: &mut [u8], header: usize) {
    let Some(covered) = bytes.get_mut(header..) else { return };
    if let Some((content, checksum)) = covered.split_last_chunk_mut::<4>() {
        *checksum = crc32c(content).to_be_bytes();
    }
}

/// Those of an index: of its table of contents, the parts that this names, every list of series
/// and every series.
pub fn of_index(index: &mut [u8]) {
    const TOC_BYTES: usize = 6 * 8 + 4;
    let Some(toc_begin) = index.len().checked_sub(TOC_BYTES) else { return };
    at_end(&mut index[toc_begin..], 0);
    let place = |number: usize| {
        let place = index.get(toc_begin + 8 * number..)?.first_chunk::<8>()?;
        usize::try_from(u64::from_be_bytes(*place)).ok()
    };
    let [symbols, series, label_indices, _, postings, offsets] = [0, 1, 2, 3, 4, 5].map(place);
    for begin in [symbols, offsets].into_iter().flatten() {
        of_section(index, begin);
    }
    let mut at = postings.unwrap_or(usize::MAX);
    while at < offsets.unwrap_or(0).min(toc_begin) {
        match of_section(index, at) {
            Some(end) => at = end.next_multiple_of(4),
            None => break,
        }
    }
    let mut at = series.unwrap_or(usize::MAX).saturating_add(15) & !15;
    while at < label_indices.unwrap_or(0).min(toc_begin) {
        match of_series(index, at) {
            Some(end) => at = end.next_multiple_of(16),
            None => break,
        }
    }
}

/// Four bytes of length, content, checksum; gives where it ends.
fn of_section(bytes: &mut [u8], begin: usize) -> Option<usize> {
    let len = u32::from_be_bytes(*bytes.get(begin..)?.first_chunk::<4>()?) as usize;
    let content = begin + 4;
    seal(bytes, content, content.checked_add(len)?)
}

/// A length as a varint, content, checksum.
fn of_series(bytes: &mut [u8], begin: usize) -> Option<usize> {
    let (mut len, mut content) = (0_usize, begin);
    for shift in [0, 7, 14, 21] {
        let byte = *bytes.get(content)?;
        content += 1;
        len |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return seal(bytes, content, content.checked_add(len)?);
        }
    }
    None
}

fn seal(bytes: &mut [u8], begin: usize, end: usize) -> Option<usize> {
    let checksum = crc32c(bytes.get(begin..end)?).to_be_bytes();
    bytes.get_mut(end..end.checked_add(4)?)?.copy_from_slice(&checksum);
    Some(end + 4)
}

//! Replicated state as bytes: records behind their lengths, in files and between peers alike.

use prost::Message;

/// Longer records are refused, as upstream does.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// Why bytes are no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A record lacks what makes it one; the words are upstream's.
    #[error("invalid state")]
    InvalidState,
    #[error("unexpected EOF")]
    Truncated,
    #[error("record of {0} bytes is longer than {RECORD_BYTES_MAX}")]
    TooLong(usize),
    #[error("read record: {0}")]
    Decode(#[from] prost::DecodeError),
}

/// Appends one record.
pub(crate) fn write_record(message: &impl Message, buf: &mut Vec<u8>) {
    buf.reserve(message.encoded_len() + prost::length_delimiter_len(message.encoded_len()));
    message.encode_length_delimited(buf).expect("a Vec grows as needed");
}

/// Reads all records.
pub(crate) fn read_records<T: Message + Default>(mut bytes: &[u8]) -> Result<Vec<T>, Error> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        records.push(read_record(&mut bytes)?);
    }
    Ok(records)
}

/// Reads the first record of `bytes`, which then begin after it.
pub(crate) fn read_record<T: Message + Default>(bytes: &mut &[u8]) -> Result<T, Error> {
    let len = prost::decode_length_delimiter(&mut *bytes).map_err(|_| Error::Truncated)?;
    if len > RECORD_BYTES_MAX {
        return Err(Error::TooLong(len));
    }
    let (record, rest) = bytes.split_at_checked(len).ok_or(Error::Truncated)?;
    *bytes = rest;
    Ok(T::decode(record)?)
}

use std::io;

use crate::page;

/// No record is larger when it is unpacked. A commit of ten million samples takes a fifth of it.
const RECORD_BYTES_MAX: usize = 512 << 20;

/// Three bytes copy 64 at most: whoever claims more lies, and no memory is taken for that.
const SNAPPY_GAIN_MAX: usize = 32;

/// How records are packed before they are cut into fragments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    None,
    #[default]
    Snappy,
    Zstd,
}

impl Compression {
    /// The flag in the headers of a record's fragments.
    pub(crate) fn flag(self) -> u8 {
        match self {
            Compression::None => 0,
            Compression::Snappy => page::SNAPPY,
            Compression::Zstd => page::ZSTD,
        }
    }

    pub(crate) fn from_header(byte: u8) -> Compression {
        match byte {
            byte if byte & page::SNAPPY != 0 => Compression::Snappy,
            byte if byte & page::ZSTD != 0 => Compression::Zstd,
            _ => Compression::None,
        }
    }

    /// Packs `record` into `out`; says how, because what does not get smaller stays as it is.
    pub(crate) fn pack(self, record: &[u8], out: &mut Vec<u8>) -> Compression {
        let packed = match self {
            Compression::None => return Compression::None,
            Compression::Snappy => pack_snappy(record, out),
            Compression::Zstd => pack_zstd(record, out),
        };
        match packed {
            Ok(()) if out.len() < record.len() => self,
            _ => Compression::None,
        }
    }

    /// Unpacks a record into `out`, up to a bound.
    pub(crate) fn unpack(self, packed: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        match self {
            Compression::None => out.extend_from_slice(packed),
            Compression::Snappy => {
                let len = snap::raw::decompress_len(packed).map_err(|error| error.to_string())?;
                if len > RECORD_BYTES_MAX {
                    return Err(format!("record of {len} bytes is too large"));
                }
                if len / SNAPPY_GAIN_MAX > packed.len() {
                    return Err(format!("record of {len} bytes does not fit {}", packed.len()));
                }
                out.resize(len, 0);
                let mut decoder = snap::raw::Decoder::new();
                decoder.decompress(packed, out).map_err(|error| error.to_string())?;
            }
            Compression::Zstd => {
                zstd::stream::read::Decoder::with_buffer(packed)
                    .and_then(|decoder| stdx::capped::read_to_end(decoder, RECORD_BYTES_MAX, out))
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }
}

fn pack_snappy(record: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.resize(snap::raw::max_compress_len(record.len()), 0);
    let len = snap::raw::Encoder::new().compress(record, out)?;
    out.truncate(len);
    Ok(())
}

fn pack_zstd(record: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    out.clear();
    *out = zstd::stream::encode_all(record, zstd::DEFAULT_COMPRESSION_LEVEL)?;
    Ok(())
}

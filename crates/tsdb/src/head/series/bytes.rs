use std::{ops::Deref, sync::Arc};

use runtime::disk::Map;

/// The bytes of a full chunk, in memory or in a file that is mapped there.
#[derive(Clone)]
pub(crate) enum ChunkBytes {
    Memory(Arc<[u8]>),
    File { file: Arc<Map>, offset: u32, len: u32 },
}

impl Deref for ChunkBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            ChunkBytes::Memory(bytes) => bytes,
            ChunkBytes::File { file, offset, len } => {
                let begin = *offset as usize;
                // Decoding says what is wrong with a chunk that is not there.
                file.get(begin..begin + *len as usize).unwrap_or_default()
            }
        }
    }
}

impl<B: Into<Arc<[u8]>>> From<B> for ChunkBytes {
    fn from(bytes: B) -> ChunkBytes {
        ChunkBytes::Memory(bytes.into())
    }
}

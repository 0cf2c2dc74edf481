use chunks::Encoding;
use model::TimeRange;
use storage::Columns;

use super::FullChunk;

/// Chunks of a series, taken out of the head.
pub(crate) struct Captured {
    pub(super) range: TimeRange,
    pub(super) full: Vec<FullChunk>,
    pub(super) open: Option<(Encoding, Vec<u8>)>,
    /// How many samples at the end are not to be seen.
    pub(super) n_hidden: usize,
}

impl Captured {
    /// Appends the samples in the range to `columns`.
    pub(crate) fn decode(&self, columns: &mut Columns) -> chunks::Result<()> {
        let mark = columns.mark();
        for chunk in &self.full {
            columns.append_chunk(chunk.encoding, &chunk.bytes)?;
        }
        if let Some((encoding, bytes)) = &self.open {
            columns.append_chunk(*encoding, bytes)?;
        }
        columns.drop_newest(mark, self.n_hidden);
        columns.cut(mark, self.range);
        Ok(())
    }
}

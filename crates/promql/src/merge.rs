//! Series that have become one because labels went: their values go together.

use std::sync::Arc;

use indexmap::{IndexMap, map::Entry};
use model::Labels;

use crate::{
    Error, Result,
    budget::{Held, Memory},
    column::Track,
};

/// Series by labels, in the order in which they came.
pub(crate) struct Merge {
    tracks: IndexMap<Labels, Track, foldhash::fast::RandomState>,
    memory: Arc<Memory>,
    held: Option<Held>,
}

impl Merge {
    pub(crate) fn new(memory: &Arc<Memory>) -> Merge {
        Merge { tracks: IndexMap::default(), memory: memory.clone(), held: None }
    }

    /// Fails if two series with the same labels have a value at the same step.
    pub(crate) fn add(&mut self, track: Track) -> Result<()> {
        match &mut self.held {
            Some(held) => held.grow(track.bytes())?,
            None => self.held = Some(self.memory.hold(track.bytes())?),
        }
        match self.tracks.entry(track.labels.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(track);
            }
            Entry::Occupied(mut entry) => {
                let first_step = |track: &Track| track.column.cells().next().map(|(step, _)| step);
                let comes_first = first_step(&track) < first_step(entry.get());
                if comes_first {
                    // Upstream goes by steps: the first value decides for all.
                    entry.get_mut().drop_name = track.drop_name;
                }
                let known = &mut entry.get_mut().column;
                for (step, cell) in track.column.cells() {
                    if known.has(step) {
                        return Err(Error::same_labels());
                    }
                    known.set_cell(step, cell);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn into_tracks(self) -> Vec<Track> {
        self.tracks.into_values().collect()
    }
}

//! Work on many series on all cores, its outcome in their order.

use rayon::prelude::*;

use crate::Result;

/// Series that one job works on.
const SHARD: usize = 16;
/// Shards that are worked on while those before are taken.
const BATCH: usize = 32;
/// Values that a batch should not make more of, so that memory does not follow the series.
const BATCH_VALUES: usize = 1 << 21;

/// Calls `work` with shards of `items` on all cores, and `take` with each outcome on this thread,
/// in order. At most two batches of outcomes are held.
///
/// `effort` is roughly the number of values to be calculated; little work stays here.
pub(super) fn in_shards<T: Sync, R: Send>(
    items: &[T],
    effort: usize,
    work: impl Fn(&[T]) -> Result<R> + Sync,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    // Handing work to another thread wakes it and lets it look for more: for the rules of
    // bench/rules.py, of a hundred series each, that was 220 µs of CPU against 123 µs.
    const ALONE: usize = 32_768;
    if effort < ALONE || items.len() < 2 || rayon::current_num_threads() == 1 {
        return items.chunks(SHARD).try_for_each(|shard| take(work(shard)?));
    }
    // Few series with much to do each are cut finer.
    let shard = SHARD.min(items.len().div_ceil(2 * rayon::current_num_threads())).max(1);
    let shard_values = (effort / items.len() * shard).max(1);
    let n_shards = (BATCH_VALUES / shard_values).clamp(2 * rayon::current_num_threads(), BATCH);
    let mut batches = items.chunks(shard * n_shards);
    let mut ready: Vec<Result<R>> = Vec::new();
    loop {
        let batch = batches.next();
        let mut next = Vec::new();
        rayon::in_place_scope(|scope| {
            if let Some(batch) = batch {
                let (next, work) = (&mut next, &work);
                scope.spawn(move |_| *next = batch.par_chunks(shard).map(work).collect());
            }
            ready.drain(..).try_for_each(|outcome| take(outcome?))
        })?;
        if batch.is_none() {
            return Ok(());
        }
        ready = next;
    }
}

//! The head takes over what the log had of its series.

use super::past::Past;
use crate::{
    Result, appender,
    database::Store,
    head::{LateSample, Page, Series, SeriesId},
};

/// Puts the samples of the log before those that came since. Readers see them page by page.
pub(super) fn adopt(store: &Store, past: Past) -> Result<()> {
    let (min_time, max_time) = (past.min_time, past.max_time);
    store.counters.chunks_created.add(past.n_chunks);
    for series in past.into_pages() {
        adopt_page(store, series?)?;
    }
    if min_time <= max_time {
        store.head.note_time(min_time);
        store.head.note_time(max_time);
    }
    Ok(())
}

/// Of a sample that came before the log said that there is a newer one nothing is lost: it is a
/// late one.
struct Displaced {
    id: SeriesId,
    series_ref: u64,
    sample: LateSample,
}

/// The series are of one page.
fn adopt_page(store: &Store, past: Vec<Series>) -> Result<()> {
    let Some(page) = past.first().and_then(|first| store.head.page(first.id)) else {
        return Ok(());
    };
    // No commit comes between what is late now and its log.
    let log = store.log.lock();
    let displaced = take_over(store, &page, past)?;
    if displaced.is_empty() {
        return Ok(());
    }
    let samples = displaced.iter().map(|late| (late.series_ref, &late.sample));
    let records = appender::encode_late(samples);
    let records: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
    let appended = store.with_late_log(|late_log| {
        late_log.append(&records)?;
        Ok(late_log.take_finished())
    });
    let finished = appended.map_err(|error| store.write_failed(error))?;
    let mut contents = page.lock();
    for Displaced { id, sample, .. } in displaced {
        store.head.note_late_time(sample.time);
        contents.late.insert(id, sample);
    }
    drop((contents, log));
    store.sync_finished(finished)
}

fn take_over(store: &Store, page: &Page, past: Vec<Series>) -> Result<Vec<Displaced>> {
    let mut displaced = Vec::new();
    let mut contents = page.lock();
    for older in past {
        let id = older.id;
        let Some(series) = contents.get_mut(id) else { continue };
        let series_ref = series.log_ref;
        let late = series.adopt(older, &store.head.limits)?;
        displaced.extend(late.into_iter().map(|sample| Displaced { id, series_ref, sample }));
    }
    Ok(displaced)
}

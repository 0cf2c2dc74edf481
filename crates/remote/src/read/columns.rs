//! Columns of samples that others have sent: nobody promises that they are in order.

use storage::Columns;

/// Adds the samples of `more`, in any order.
pub(super) fn append(columns: &mut Columns, more: &Columns) {
    columns.times.extend_from_slice(&more.times);
    columns.values.extend_from_slice(&more.values);
    columns.histogram_times.extend_from_slice(&more.histogram_times);
    columns.histograms.extend(more.histograms.iter().cloned());
}

/// Sorts the samples by time; of several of one time the first stays.
pub(super) fn sort(columns: &mut Columns) {
    sort_column(&mut columns.times, &mut columns.values);
    sort_column(&mut columns.histogram_times, &mut columns.histograms);
}

fn sort_column<T: Clone>(times: &mut Vec<i64>, values: &mut Vec<T>) {
    if times.is_sorted_by(|a, b| a < b) {
        return;
    }
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|idx| times[*idx]);
    order.dedup_by_key(|idx| times[*idx]);
    *values = order.iter().map(|idx| values[*idx].clone()).collect();
    *times = order.iter().map(|idx| times[*idx]).collect();
}

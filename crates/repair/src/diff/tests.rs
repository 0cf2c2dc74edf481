use std::sync::Arc;

use model::FloatHistogram;
use proptest::{collection::vec, option, prelude::*};
use storage::{Columns, Mark, Sample};

use super::difference;

/// One replica of a series: no float and histogram of one time.
fn replicas() -> impl Strategy<Value = Columns> {
    vec(option::of((any::<bool>(), 0..3u8)), 0..20).prop_map(|samples| {
        let mut columns = Columns::default();
        for (time, sample) in samples.into_iter().enumerate() {
            match sample {
                Some((true, value)) => columns.push(time as i64, f64::from(value)),
                Some((false, value)) => {
                    let count = f64::from(value);
                    columns.histogram_times.push(time as i64);
                    let histogram = FloatHistogram { count, ..FloatHistogram::default() };
                    columns.histograms.push(Arc::new(histogram));
                }
                None => {}
            }
        }
        columns
    })
}

fn join(a: &Columns, b: &Columns) -> Columns {
    let mut joined = a.clone();
    let split = joined.mark();
    joined.times.extend(&b.times);
    joined.values.extend(&b.values);
    joined.histogram_times.extend(&b.histogram_times);
    joined.histograms.extend(b.histograms.iter().cloned());
    joined.merge_replicas(Mark::default(), split);
    joined
}

proptest! {
    #[test]
    fn after_taking_the_difference_nothing_differs(a in replicas(), b in replicas()) {
        let lacking = difference(&a, &b);
        let whole = join(&a, &lacking);
        prop_assert_eq!(&whole, &join(&a, &b));
        prop_assert!(difference(&whole, &b).is_empty());
        prop_assert!(difference(&a, &a).is_empty());
        // Each sample of it is needed.
        for (time, value) in lacking.times.iter().zip(&lacking.values) {
            let here = a.times.binary_search(time).ok();
            prop_assert!(here.is_none_or(|idx| Sample::Float(a.values[idx]).digest() != value.to_bits()));
        }
    }

    #[test]
    fn two_and_three_members_are_equal_after_one_round(
        a in replicas(),
        b in replicas(),
        c in replicas(),
    ) {
        let take = |ours: &Columns, theirs: &Columns| join(ours, &difference(ours, theirs));
        prop_assert_eq!(take(&a, &b), take(&b, &a));
        // One takes from all, then the others from it.
        let whole = take(&take(&a, &b), &c);
        prop_assert_eq!(&take(&b, &whole), &whole);
        prop_assert_eq!(&take(&c, &whole), &whole);
        // All take from all at the same time.
        prop_assert_eq!(&take(&take(&b, &a), &c), &whole);
        prop_assert_eq!(&take(&take(&c, &a), &b), &whole);
    }
}

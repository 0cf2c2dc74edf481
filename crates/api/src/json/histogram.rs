//! Native histograms: their buckets with bounds.

use model::{FloatHistogram, histogram::Bucket};

use super::Json;

pub(super) fn write(histogram: &FloatHistogram, json: &mut Json) {
    json.object(|object| {
        object.key("count").value(histogram.count);
        object.key("sum").value(histogram.sum);
        let mut buckets = histogram.all().filter(|bucket| bucket.count != 0.0).peekable();
        if buckets.peek().is_some() {
            object.key("buckets").array(buckets, write_bucket);
        }
    });
}

fn write_bucket(json: &mut Json, bucket: Bucket) {
    json.raw("[");
    json.int(rule(&bucket));
    for value in [bucket.lower, bucket.upper, bucket.count] {
        json.raw(",");
        json.value(value);
    }
    json.raw("]");
}

/// Which bounds belong to a bucket: the upper, the lower, none, both.
fn rule(bucket: &Bucket) -> u8 {
    match (bucket.lower_inclusive, bucket.upper_inclusive) {
        (false, true) => 0,
        (true, false) => 1,
        (false, false) => 2,
        (true, true) => 3,
    }
}

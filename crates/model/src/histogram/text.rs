//! Histograms as upstream prints them.

use std::fmt;

use super::{Bucket, FloatHistogram};
use crate::float::write_general;

/// `{count:3, sum:2.5, [-0.01,0.01]:1, (1,2]:2}`; buckets without observations are left out.
impl fmt::Display for FloatHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(64);
        out.push_str("{count:");
        write_general(self.count, &mut out);
        out.push_str(", sum:");
        write_general(self.sum, &mut out);
        for bucket in self.all().filter(|bucket| bucket.count != 0.0) {
            out.push_str(", ");
            write_bucket(&bucket, &mut out);
        }
        out.push('}');
        f.write_str(&out)
    }
}

fn write_bucket(bucket: &Bucket, out: &mut String) {
    out.push(if bucket.lower_inclusive { '[' } else { '(' });
    write_general(bucket.lower, out);
    out.push(',');
    write_general(bucket.upper, out);
    out.push(if bucket.upper_inclusive { ']' } else { ')' });
    out.push(':');
    write_general(bucket.count, out);
}

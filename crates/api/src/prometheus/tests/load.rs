//! Series in the notation of upstream's test scripts.

use model::{Labels, Timestamp};
use promql_syntax::parse_metric;
use storage::{Appendable, SeriesRef};

/// Appends what a script's `load 1m` block says: `name{label="value"} 0+10x100 stale`.
pub(in crate::prometheus) fn load(storage: &dyn Appendable, script: &str) {
    let mut appender = storage.appender();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "load 1m" {
            continue;
        }
        let (labels, values) = series(line);
        for (idx, value) in values.into_iter().enumerate() {
            let time = Timestamp::from_millis(idx as i64 * 60_000);
            appender.append(SeriesRef::UNKNOWN, &labels, time, value).expect("it is in order");
        }
    }
    appender.commit().expect("it is taken");
}

fn series(line: &str) -> (Labels, Vec<f64>) {
    let end = match line.rfind('}') {
        Some(brace) => brace + 1,
        None => line.find(' ').expect("values follow the name"),
    };
    let (metric, values) = line.split_at(end);
    let labels = parse_metric(metric).expect("it is a metric");
    (labels, values.split_whitespace().flat_map(sequence).collect())
}

/// `1`, `stale`, or `1+2x3`: 1, and three more that grow by 2.
fn sequence(text: &str) -> Vec<f64> {
    if text == "stale" {
        return vec![model::float::STALE];
    }
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let Some((first, rest)) = text.split_once('+') else { return vec![number(text)] };
    let (step, count) = rest.split_once('x').expect("a step and a count");
    let (first, step) = (number(first), number(step));
    (0..=count.parse().expect("a count")).map(|n: u32| first + step * f64::from(n)).collect()
}

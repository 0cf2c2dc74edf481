//! Points of series that are known at the same times.

use crate::prometheus::{engine::Series, json::Json};

/// What stands before each value, which is the same in all series: written once for all.
pub(super) struct Times {
    times: Vec<i64>,
    /// `[1795561185,"` of one time after the other.
    texts: String,
    /// Where in `texts` each of them ends.
    ends: Vec<usize>,
}

impl Times {
    /// Those of the longest series.
    pub(super) fn of(series: &[Series]) -> Times {
        let longest = series.iter().map(|series| &series.columns.times).max_by_key(|t| t.len());
        let times = longest.cloned().unwrap_or_default();
        let mut json = Json::default();
        let ends = times.iter().map(|time| {
            begin(*time, &mut json);
            json.len()
        });
        let ends = ends.collect();
        Times { times, texts: json.finish(), ends }
    }

    /// The array of all points.
    pub(super) fn write_points(&self, times: &[i64], values: &[f64], json: &mut Json) {
        json.raw("[");
        let first = times.first().copied().unwrap_or_default();
        let mut place = self.times.partition_point(|known| *known < first);
        for (idx, (time, value)) in times.iter().zip(values).enumerate() {
            if idx > 0 {
                json.raw(",");
            }
            // Where the series has a gap.
            while self.times.get(place).is_some_and(|known| known < time) {
                place += 1;
            }
            match self.text(place).filter(|(known, _)| known == time) {
                Some((_, text)) => json.raw(text),
                None => begin(*time, json),
            }
            json.bare_value(*value);
            json.raw("\"]");
        }
        json.raw("]");
    }

    fn text(&self, place: usize) -> Option<(i64, &str)> {
        let (time, end) = (*self.times.get(place)?, *self.ends.get(place)?);
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((time, self.texts.get(begin..end)?))
    }
}

fn begin(time: i64, json: &mut Json) {
    json.raw("[");
    json.timestamp(time);
    json.raw(",\"");
}

#[cfg(test)]
mod tests {
    use model::Labels;
    use storage::Columns;

    use super::*;

    fn check(all_times: &[&[i64]], expected: &[&str]) {
        let series = |times: &&[i64]| Series {
            labels: Labels::empty(),
            columns: Columns {
                times: times.to_vec(),
                values: times.iter().map(|time| *time as f64).collect(),
                ..Columns::default()
            },
        };
        let all: Vec<Series> = all_times.iter().map(series).collect();
        let known = Times::of(&all);
        for (series, expected) in all.iter().zip(expected) {
            let mut json = Json::default();
            known.write_points(&series.columns.times, &series.columns.values, &mut json);
            assert_eq!(&json.finish(), expected);
        }
    }

    #[test]
    fn points_of_any_times_are_written() {
        check(&[], &[]);
        check(&[&[]], &["[]"]);
        check(
            &[&[1000, 2500, 3000], &[2500], &[0, 2600, 9000]],
            &[
                r#"[[1,"1000"],[2.500,"2500"],[3,"3000"]]"#,
                r#"[[2.500,"2500"]]"#,
                r#"[[0,"0"],[2.600,"2600"],[9,"9000"]]"#,
            ],
        );
    }
}

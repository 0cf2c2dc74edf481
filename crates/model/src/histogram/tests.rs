//! Upstream's tables.

mod read;

use conformance::{Score, cases, float};
use proptest::prelude::*;
use serde_json::Value;

use super::{ClassicBuckets, Converted, FloatHistogram, HistogramSum, bounds, custom_to_classic};
use crate::Labels;
use read::{Either, buckets, float_histogram, histogram, integer_histogram};

/// Runs `check` over the cases of a table; all must pass.
fn check(table: &str, check: impl Fn(&Value) -> Result<(), String>) {
    check_but(table, &[], check);
}

fn check_but(table: &str, known: &[(&str, &str)], check: impl Fn(&Value) -> Result<(), String>) {
    let path = format!("prometheus/{table}.json");
    let Some(cases) = cases(&path) else { return };
    let mut score = Score::new(&path);
    for (idx, case) in cases.cases.iter().enumerate() {
        let name = case["name"].as_str().unwrap_or_default();
        score.add(format!("{idx} {name}"), check(case));
    }
    score.finish(known);
}

fn same<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
}

/// Equal once both are compact.
fn same_histogram(mut got: FloatHistogram, expected: &Value) -> Result<(), String> {
    let mut expected = float_histogram(expected);
    got.compact(0);
    expected.compact(0);
    let equal = got.equals(&expected) && got.counter_reset_hint == expected.counter_reset_hint;
    if equal { Ok(()) } else { Err(format!("\n got {got:?}\nwant {expected:?}")) }
}

proptest! {
    /// Whatever spans and counts there are, be they broken: both directions give the same buckets,
    /// and no calculation panics.
    #[test]
    fn buckets_from_both_ends(histogram in read::arbitrary(), other in read::arbitrary()) {
        let forward: Vec<_> = histogram.positive().collect();
        let mut backward: Vec<_> = histogram.positive().rev().collect();
        backward.reverse();
        prop_assert_eq!(&forward, &backward);
        let mut ends = histogram.negative();
        let mut n_buckets = 0;
        while ends.next().is_some() {
            n_buckets += 1 + usize::from(ends.next_back().is_some());
        }
        prop_assert_eq!(n_buckets, histogram.negative().count());
        let mut sum = histogram.clone();
        let added = sum.add(&other);
        let is_mixed = histogram.has_custom_buckets() != other.has_custom_buckets();
        prop_assert_eq!(added.is_err(), is_mixed);
        sum.compact(3);
        sum.trim_above(2.0);
        prop_assert!(sum.to_string().contains("count:"));
        prop_assert!(!sum.is_reset_after(&sum));
        prop_assert!(sum.copy_to_schema(-4).schema <= sum.schema);
    }

    #[test]
    fn compaction_keeps_what_is_populated(histogram in read::sensible(), max_empty in 0_u32..4) {
        prop_assert!(histogram.validate().is_ok());
        let mut compact = histogram.clone();
        compact.compact(max_empty);
        let populated = |h: &FloatHistogram| -> Vec<_> {
            h.all().filter(|bucket| bucket.count != 0.0).collect()
        };
        prop_assert_eq!(populated(&compact), populated(&histogram));
        prop_assert!(compact.validate().is_ok());
    }
}

#[test]
fn bounds_are_upstreams_to_the_last_bit() {
    check("histogram/bucket_bounds", |case| {
        let number = |key: &str| case[key].as_i64().expect("an integer") as i32;
        let got = bounds::exponential(number("index"), number("schema"));
        same(got, float(&case["upper_bound"]))
    });
    assert_eq!(bounds::exponential(-31, 8), 0.919_490_293_387_946_7);
    assert_eq!(bounds::exponential(i32::MIN, 0), 0.0);
    assert_eq!(bounds::exponential(i32::MAX, -4), f64::INFINITY);
}

#[test]
fn addition_settles_layouts() {
    check("histogram/add", |case| {
        let (a, b) = (float_histogram(&case["a"]), float_histogram(&case["b"]));
        for (a, b) in [(&a, &b), (&b, &a)] {
            let mut sum = a.clone();
            let mut compensated = HistogramSum::new(a);
            let result = sum.add(b);
            same(compensated.add(b), result)?;
            if let Some(error) = case["error"].as_str() {
                same(result.unwrap_err().to_string(), error.to_owned())?;
                continue;
            }
            let settled = result.map_err(|error| error.to_string())?;
            same(case["counter_reset_collision"].as_bool(), Some(settled.counter_reset_collision))?;
            same(case["custom_bounds_reconciled"].as_bool(), Some(settled.custom_bounds))?;
            if case.get("expected").is_some() {
                same_histogram(sum, &case["expected"])?;
                same_histogram(compensated.total(), &case["expected"])?;
            }
        }
        Ok(())
    });
}

#[test]
fn compensated_addition() {
    check("histogram/kahan_add", |case| {
        let (a, b) = (float_histogram(&case["a"]), float_histogram(&case["b"]));
        let mut sum = match case.get("compensation_of_a") {
            Some(errors) => HistogramSum::with_compensation(&a, &float_histogram(errors)),
            None => HistogramSum::new(&a),
        };
        let settled = sum.add(&b).map_err(|error| error.to_string())?;
        same(case["counter_reset_collision"].as_bool(), Some(settled.counter_reset_collision))?;
        match case.get("expected") {
            Some(expected) => same_histogram(sum.total(), expected),
            None => Ok(()),
        }
    });
}

#[test]
fn subtraction_settles_layouts() {
    check("histogram/subtract", |case| {
        let mut got = float_histogram(&case["a"]);
        let result = got.subtract(&float_histogram(&case["b"]));
        if let Some(error) = case["error"].as_str() {
            return same(result.unwrap_err().to_string(), error.to_owned());
        }
        let settled = result.map_err(|error| error.to_string())?;
        same(case["counter_reset_collision"].as_bool(), Some(settled.counter_reset_collision))?;
        match case.get("expected") {
            Some(expected) => {
                same(case["custom_bounds_reconciled"].as_bool(), Some(settled.custom_bounds))?;
                same_histogram(got, expected)
            }
            None => Ok(()),
        }
    });
}

#[test]
fn scaling() {
    check("histogram/multiply_divide", |case| {
        let mut got = float_histogram(&case["histogram"]);
        let scalar = float(&case["scalar"]);
        match case["operation"].as_str() {
            Some("multiply") => got.multiply(scalar),
            _ => got.divide(scalar),
        }
        let expected = float_histogram(&case["expected"]);
        // Only one of the two takes 0 and -0, only the other takes NaNs, for the same.
        let equal = got == expected || got.equals(&expected);
        if equal { Ok(()) } else { Err(format!("got {got:?}, expected {expected:?}")) }
    });
}

#[test]
fn compaction() {
    check("histogram/compact", |case| {
        let max_empty = case["max_empty_buckets"].as_u64().expect("a number") as u32;
        match (histogram(case, "histogram"), histogram(case, "expected")) {
            (Either::Float(mut got), Either::Float(expected)) => {
                got.compact(max_empty);
                same(got, expected)
            }
            (Either::Integer(mut got), Either::Integer(expected)) => {
                got.compact(max_empty);
                same(got, expected)
            }
            _ => unreachable!("both are of the kind of the case"),
        }
    });
}

#[test]
fn counter_resets() {
    check("histogram/detect_reset", |case| {
        let now = float_histogram(&case["current"]);
        let got = now.is_reset_after(&float_histogram(&case["previous"]));
        same(Some(got), case["reset"].as_bool())
    });
}

#[test]
fn coarser_copies() {
    check("histogram/copy_to_schema", |case| {
        let schema = case["target_schema"].as_i64().expect("a number") as i32;
        let got = float_histogram(&case["histogram"]).copy_to_schema(schema);
        same(got, float_histogram(&case["expected"]))
    });
}

#[test]
fn coarser_resolution_in_place() {
    check("histogram/reduce_resolution", |case| {
        let schema = case["target_schema"].as_i64().expect("a number") as i32;
        let error = match histogram(case, "histogram") {
            Either::Float(mut got) => match got.reduce_resolution(schema) {
                Ok(()) => return same(got, float_histogram(&case["expected"])),
                Err(error) => error,
            },
            Either::Integer(mut got) => match got.reduce_resolution(schema) {
                Ok(()) => return same(got, integer_histogram(&case["expected"])),
                Err(error) => error,
            },
        };
        same(Some(error.to_string().as_str()), case["error"].as_str())
    });
}

#[test]
fn buckets_at_a_coarser_schema() {
    check("histogram/buckets_at_schema", |case| {
        let schema = case["target_schema"].as_i64().expect("a number") as i32;
        let got = float_histogram(&case["histogram"]).copy_to_schema(schema);
        same(got.positive().collect(), buckets(&case["positive_buckets"]))?;
        same(got.negative().collect(), buckets(&case["negative_buckets"]))
    });
}

#[test]
fn custom_buckets_in_both_directions() {
    check("histogram/custom_buckets", |case| {
        let got = float_histogram(&case["histogram"]);
        let expected = buckets(&case["buckets"]);
        let reversed: Vec<_> = expected.iter().rev().copied().collect();
        same(got.positive().collect(), expected.clone())?;
        same(got.all().collect(), expected)?;
        same(got.positive().rev().collect(), reversed.clone())?;
        same(got.all().rev().collect(), reversed)?;
        same(got.negative().count(), 0)
    });
}

#[test]
fn all_buckets_are_the_parts_in_order() {
    check("histogram/all_buckets", |case| {
        let got = float_histogram(&case["histogram"]);
        let flag = |key: &str| case[key].as_bool().expect("a bool");
        let threshold = got.zero_threshold;
        let mut expected = Vec::new();
        if flag("has_negative") {
            expected.extend(got.negative());
            expected.reverse();
        }
        if flag("has_zero") {
            for bucket in expected.iter_mut().filter(|bucket| bucket.upper > -threshold) {
                bucket.upper = -threshold;
            }
            expected.push(super::Bucket {
                lower: -threshold,
                upper: threshold,
                lower_inclusive: true,
                upper_inclusive: true,
                count: got.zero_count,
                index: 0,
            });
        }
        if flag("has_positive") {
            expected.extend(got.positive().map(|mut bucket| {
                if flag("has_zero") {
                    bucket.lower = bucket.lower.max(threshold);
                }
                bucket
            }));
        }
        if case["order"] == "descending" {
            expected.reverse();
            return same(got.all().rev().collect(), expected);
        }
        same(got.all().collect(), expected)
    });
}

#[test]
fn buckets_of_integer_histograms() {
    check("histogram/regular_buckets", |case| {
        let got = integer_histogram(&case["histogram"]).to_float();
        same(got.positive().collect(), buckets(&case["positive_buckets"]))?;
        same(got.negative().collect(), buckets(&case["negative_buckets"]))
    });
}

#[test]
fn cumulative_buckets() {
    check("histogram/cumulative_buckets", |case| {
        let got = integer_histogram(&case["histogram"]).to_float();
        same(got.cumulative().collect(), buckets(&case["buckets"]))
    });
}

#[test]
fn text_form() {
    check("histogram/text", |case| {
        let got = histogram(case, "histogram").into_float().to_string();
        same(Some(got.as_str()), case["text"].as_str())
    });
}

#[test]
fn integers_become_floats() {
    check("histogram/integer_to_float", |case| {
        let integer = integer_histogram(&case["histogram"]);
        let got = integer.to_float();
        same(got.count, integer.count as f64)?;
        same(got.zero_count, integer.zero_count as f64)?;
        let deltas = integer.positive_buckets.len() + integer.negative_buckets.len();
        same(got.positive().count() + got.negative().count(), deltas)
    });
}

#[test]
fn validation() {
    check("histogram/validation", |case| {
        let text = |result: Result<(), super::Error>| result.err().map(|error| error.to_string());
        let expected = case["error"].as_str().map(str::to_owned);
        match histogram(case, "histogram") {
            Either::Float(float) if case["invalid"] == true => {
                same(float.validate().is_err(), true)
            }
            Either::Float(float) => same(text(float.validate()), expected),
            Either::Integer(integer) => {
                same(text(integer.validate()), expected.clone())?;
                match case["also_as_float"] == true {
                    true => same(text(integer.to_float().validate()), expected),
                    false => Ok(()),
                }
            }
        }
    });
}

#[test]
fn equality() {
    check("histogram/equality", |case| {
        let expected = case["equal"].as_bool();
        let (a, b) = (histogram(case, "a"), histogram(case, "b"));
        if let (Either::Integer(a), Either::Integer(b)) = (&a, &b) {
            same(Some(a.equals(b)), expected)?;
            same(Some(b.equals(a)), expected)?;
            let (a, b) = (a.to_float(), b.to_float());
            return match case["equal_as_float"].as_bool() {
                Some(expected) => same((a.equals(&b), b.equals(&a)), (expected, expected)),
                None => Ok(()),
            };
        }
        let (a, b) = (a.into_float(), b.into_float());
        same(Some(a.equals(&b)), expected)?;
        same(Some(b.equals(&a)), expected)
    });
}

#[test]
fn fraction_of_a_bucket() {
    check("histogram/fraction_below", |case| {
        let number = |key: &str| float(&case[key]);
        let linear = case["linear"] == true;
        let got = bounds::fraction_below(number("lower"), number("upper"), number("value"), linear);
        same((got - number("fraction")).abs() < 1e-12, true)
    });
}

#[test]
fn custom_bounds_match() {
    check("histogram/custom_bounds_match", |case| {
        let list = |key: &str| -> Vec<f64> {
            case[key].as_array().into_iter().flatten().map(float).collect()
        };
        let (a, b) = (list("a"), list("b"));
        let expected = case["match"].as_bool();
        same(Some(bounds::custom_match(&a, &b)), expected)?;
        same(Some(bounds::custom_match(&b, &a)), expected)
    });
}

#[test]
fn custom_histograms_as_classic_series() {
    let known = [(
        "11 sparse histogram",
        "upstream counts the bucket before a gap again for each bucket in the gap, so that the \
         buckets exceed the count; here a gap counts nothing",
    )];
    check_but("histogram/custom_to_classic", &known, |case| {
        if case["histogram"].is_null() {
            return Ok(());
        }
        let got = histogram(case, "histogram").into_float();
        let result = custom_to_classic(&read::labels(&case["labels"]), &got);
        if case["error"] == true {
            return same(result.is_err(), true);
        }
        let expected: Vec<(Labels, f64)> = case["samples"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|sample| (read::labels(&sample["labels"]), float(&sample["value"])))
            .collect();
        same(result.map_err(|error| error.to_string())?, expected)
    });
}

#[test]
fn classic_series_as_custom_histograms() {
    check("util/classic_to_custom_buckets", |case| {
        let mut classic = ClassicBuckets::default();
        let mut run = || {
            for step in case["steps"].as_array().expect("a list") {
                if let Some(bound) = step.get("set_bucket") {
                    classic.set_bucket(float(bound), float(&step["cumulative_count"]))?;
                } else if let Some(count) = step.get("set_count") {
                    classic.set_count(float(count))?;
                } else {
                    classic.set_sum(float(&step["set_sum"]));
                }
            }
            std::mem::take(&mut classic).convert()
        };
        match (run(), case["error"].as_str()) {
            (Err(error), Some(part)) if error.to_string().contains(part) => Ok(()),
            (Ok(Converted::Integer(got)), None) => {
                got.validate().map_err(|error| error.to_string())?;
                same(got, integer_histogram(&case["integer_histogram"]))
            }
            (Ok(Converted::Float(got)), None) => {
                got.validate().map_err(|error| error.to_string())?;
                same(got, float_histogram(&case["float_histogram"]))
            }
            (got, expected) => Err(format!("got {got:?}, expected {expected:?}")),
        }
    });
}

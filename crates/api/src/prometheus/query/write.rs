//! Answers of queries as JSON, written while they are sent.

use storage::Columns;

use super::{Answer, Timestamp, Value, explain, points::Times, stats_warning};
use crate::prometheus::{
    engine::{Sample, SampleValue, Series, Stats},
    json::{Json, Sink},
};

/// About what they take, without their labels.
const SAMPLE_BYTES: usize = 128;
const POINT_BYTES: usize = 36;
const HISTOGRAM_BYTES: usize = 2_000;

/// Writes the whole envelope in chunks; stops early if nobody reads.
pub(super) fn answer(answer: &Answer, stats: &str, sink: Box<dyn Sink>) {
    let mut json = Json::streaming(sink);
    envelope(answer, stats, &mut json);
    json.end();
}

pub(crate) fn envelope(answer: &Answer, stats: &str, json: &mut Json) {
    json.object(|envelope| {
        envelope.string("status", "success");
        envelope.key("data").object(|data| {
            data.string("resultType", result_type(&answer.value));
            value(&answer.value, data.key("result"));
            if !stats.is_empty() {
                write_stats(&answer.stats, data.key("stats"));
            }
            if let Some(plan) = &answer.plan {
                explain::write(plan, data.key("explain"));
            }
        });
        let mut complaints = answer.complaints.clone();
        complaints.warnings.extend(stats_warning(stats));
        complaints.write(envelope);
    });
}

fn result_type(value: &Value) -> &'static str {
    match value {
        Value::Scalar { .. } => "scalar",
        Value::String { .. } => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    }
}

fn value(value: &Value, json: &mut Json) {
    match value {
        Value::Scalar { time, value } => point(*time, json, |json| json.plain_value(*value)),
        Value::String { time, value } => point(*time, json, |json| json.string(value)),
        Value::Vector(samples) => {
            let bytes = |sample: &Sample| SAMPLE_BYTES + sample.labels.as_packed().len();
            json.long_array(samples, bytes, write_sample);
        }
        Value::Matrix(series) => {
            let times = Times::of(series);
            let bytes = |series: &Series| {
                let Columns { times, histogram_times, .. } = &series.columns;
                SAMPLE_BYTES
                    + series.labels.as_packed().len()
                    + POINT_BYTES * times.len()
                    + HISTOGRAM_BYTES * histogram_times.len()
            };
            json.long_array(series, bytes, |json, series| write_series(json, series, &times));
        }
    }
}

fn point(time: Timestamp, json: &mut Json, value: impl FnOnce(&mut Json)) {
    json.raw("[");
    json.timestamp(time.as_millis());
    json.raw(",");
    value(json);
    json.raw("]");
}

fn write_sample(json: &mut Json, sample: &Sample) {
    json.object(|object| {
        object.key("metric").labels(&sample.labels);
        match &sample.value {
            SampleValue::Float(float) => {
                point(sample.time, object.key("value"), |json| json.value(*float));
            }
            SampleValue::Histogram(histogram) => {
                point(sample.time, object.key("histogram"), |json| json.histogram(histogram));
            }
        }
    });
}

fn write_series(json: &mut Json, series: &Series, known_times: &Times) {
    let Columns { times, values, histogram_times, histograms, .. } = &series.columns;
    json.object(|object| {
        object.key("metric").labels(&series.labels);
        if !times.is_empty() {
            let json = object.key("values");
            json.reserve(POINT_BYTES * times.len());
            known_times.write_points(times, values, json);
        }
        if !histogram_times.is_empty() {
            let points = histogram_times.iter().zip(histograms);
            object.key("histograms").array(points, |json, (time, histogram)| {
                point(Timestamp::from_millis(*time), json, |json| json.histogram(histogram));
            });
        }
    });
}

fn write_stats(stats: &Stats, json: &mut Json) {
    json.object(|object| {
        object.key("timings").object(|timings| {
            timings.key("evalTotalTime").seconds(stats.eval_total_time);
            timings.key("resultSortTime").seconds(stats.result_sort_time);
            timings.key("queryPreparationTime").seconds(stats.query_preparation_time);
            timings.key("innerEvalTime").seconds(stats.inner_eval_time);
            timings.key("execQueueTime").seconds(stats.exec_queue_time);
            timings.key("execTotalTime").seconds(stats.exec_total_time);
        });
        object.key("samples").object(|samples| {
            let steps = |json: &mut Json, (time, count): &(Timestamp, u64)| {
                json.raw("[");
                json.float(time.as_secs_f64());
                json.raw(",");
                json.int(*count);
                json.raw("]");
            };
            if !stats.total_queryable_samples_per_step.is_empty() {
                let per_step = &stats.total_queryable_samples_per_step;
                samples.key("totalQueryableSamplesPerStep").array(per_step, steps);
            }
            samples.key("totalQueryableSamples").int(stats.total_queryable_samples);
            if !stats.samples_read_per_step.is_empty() {
                samples.key("samplesReadPerStep").array(&stats.samples_read_per_step, steps);
            }
            samples.key("samplesRead").int(stats.samples_read);
            samples.key("peakSamples").int(stats.peak_samples);
        });
    });
}

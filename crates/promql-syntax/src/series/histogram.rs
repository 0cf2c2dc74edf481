//! Native histograms in series notation: `{{schema:1 sum:0.3 buckets:[5 10 7]}}`.

use model::{
    FloatHistogram, float,
    histogram::{CounterResetHint, Span as BucketSpan},
    labels::quote,
};

use super::SequenceValue;
use crate::{
    ast::{BinaryOp, Span},
    parse::{Parsed, Parser},
    token::{Descriptor, Kind},
};

impl Parser<'_> {
    /// A histogram, alone, repeated, or counted up or down by another one.
    pub(super) fn histogram_item(&mut self, values: &mut Vec<SequenceValue>) -> Parsed<()> {
        let base = self.histogram()?;
        let mut step = None;
        if let Kind::Op(op @ (BinaryOp::Add | BinaryOp::Sub)) = self.token.kind {
            self.advance();
            step = Some((op, self.histogram()?));
        }
        if step.is_some() && self.token.kind != Kind::Times {
            return Err(self.unexpected("series values", ""));
        }
        let mut times = 0;
        let mut times_span = Span::default();
        if self.eat(Kind::Times) {
            times_span = self.token.span;
            times = self.repetitions(values.len())?;
        }
        let mut current = base;
        for _ in 0..times {
            values.push(SequenceValue::Histogram(current.clone()));
            let Some((op, step)) = &step else { continue };
            if let Err(problem) = combine(&mut current, step, *op) {
                self.complain(times_span, problem);
                return Ok(());
            }
        }
        values.push(SequenceValue::Histogram(current));
        Ok(())
    }

    fn histogram(&mut self) -> Parsed<FloatHistogram> {
        let mut description = Description::default();
        if !self.eat(Kind::OpenHistogram) {
            return Err(self.unexpected("series values", ""));
        }
        let got_space = self.eat(Kind::Space);
        if self.eat(Kind::CloseHistogram) {
            return Ok(description.finish());
        }
        if got_space {
            return Err(self.unexpected("series values", ""));
        }
        loop {
            self.descriptor(&mut description)?;
            let got_space = self.eat(Kind::Space);
            if self.eat(Kind::CloseHistogram) {
                return Ok(description.finish());
            }
            if !got_space || !matches!(self.token.kind, Kind::Descriptor(_)) {
                let expected = "histogram description key, e.g. buckets:[5 10 7]";
                return Err(self.unexpected("histogram description", expected));
            }
        }
    }

    fn descriptor(&mut self, description: &mut Description) -> Parsed<()> {
        let Kind::Descriptor(key) = self.token.kind else {
            return Err(self.unexpected("series values", ""));
        };
        self.advance();
        if !self.eat(Kind::Colon) {
            return Err(self.unexpected("series values", ""));
        }
        let histogram = &mut description.histogram;
        match key {
            Descriptor::Schema => histogram.schema = self.histogram_int()?,
            Descriptor::Sum => histogram.sum = self.histogram_number()?,
            Descriptor::Count => histogram.count = self.histogram_number()?,
            Descriptor::ZeroBucket => histogram.zero_count = self.histogram_number()?,
            Descriptor::ZeroBucketWidth if self.token.kind != Kind::Number => {
                return Err(self.unexpected("series values", ""));
            }
            Descriptor::ZeroBucketWidth => histogram.zero_threshold = self.histogram_number()?,
            Descriptor::CustomValues => histogram.custom_values = self.bucket_list()?,
            Descriptor::Buckets => histogram.positive_buckets = self.bucket_list()?,
            Descriptor::NegativeBuckets => histogram.negative_buckets = self.bucket_list()?,
            Descriptor::Offset => description.offset = self.histogram_int()?,
            Descriptor::NegativeOffset => description.negative_offset = self.histogram_int()?,
            Descriptor::CounterResetHint => histogram.counter_reset_hint = self.reset_hint()?,
        }
        if description.seen.contains(&key) {
            let key = quote(key.as_str());
            self.complain(Span::default(), format!("duplicate key {key} in histogram"));
        }
        description.seen.push(key);
        Ok(())
    }

    fn bucket_list(&mut self) -> Parsed<Vec<f64>> {
        if !self.eat(Kind::LeftBracket) {
            return Err(self.unexpected("series values", ""));
        }
        let mut buckets = vec![self.histogram_number()?];
        loop {
            let got_space = self.eat(Kind::Space);
            if self.eat(Kind::RightBracket) {
                return Ok(buckets);
            }
            if !got_space {
                return Err(self.unexpected("series values", ""));
            }
            buckets.push(self.histogram_number()?);
        }
    }

    fn histogram_number(&mut self) -> Parsed<f64> {
        self.signed_number().map_err(|_| self.unexpected("series values", ""))
    }

    fn histogram_int(&mut self) -> Parsed<i32> {
        let is_negative = self.eat(Kind::Op(BinaryOp::Sub));
        if self.token.kind != Kind::Number {
            return Err(self.unexpected("series values", ""));
        }
        let (span, text) = (self.token.span, self.text());
        let number = text.parse::<i32>().unwrap_or_else(|_| {
            let text = quote(text);
            let problem = format!("strconv.ParseInt: parsing {text}: invalid syntax");
            self.complain(span, format!("invalid integer in histogram: {problem}"));
            0
        });
        self.advance();
        Ok(if is_negative { -number } else { number })
    }

    fn reset_hint(&mut self) -> Parsed<CounterResetHint> {
        if self.token.kind != Kind::ResetHint {
            return Err(self.unexpected("series values", ""));
        }
        let hint = match self.text().to_ascii_lowercase().as_str() {
            "gauge" => CounterResetHint::Gauge,
            "reset" => CounterResetHint::Reset,
            "not_reset" => CounterResetHint::NotReset,
            _ => CounterResetHint::Unknown,
        };
        self.advance();
        Ok(hint)
    }
}

/// A histogram whose spans are not built yet, and the keys that were given.
#[derive(Default)]
struct Description {
    histogram: FloatHistogram,
    offset: i32,
    negative_offset: i32,
    seen: Vec<Descriptor>,
}

impl Description {
    fn finish(self) -> FloatHistogram {
        let Description { mut histogram, offset, negative_offset, .. } = self;
        let spans = |offset: i32, buckets: &[f64]| match buckets.len() {
            0 => Vec::new(),
            length => vec![BucketSpan { offset, length: length as u32 }],
        };
        histogram.positive_spans = spans(offset, &histogram.positive_buckets);
        histogram.negative_spans = spans(negative_offset, &histogram.negative_buckets);
        histogram
    }
}

/// Counts `base` up by `step`, whose resolution must not be lower.
fn combine(base: &mut FloatHistogram, step: &FloatHistogram, op: BinaryOp) -> Result<(), String> {
    let problem = |what: String| Err(format!("error combining histograms: {what}"));
    let (from, to) = (step.schema, base.schema);
    if from < to {
        return problem(format!("cannot merge from schema {from} to {to}"));
    }
    let combined = match op {
        BinaryOp::Sub => base.subtract(step),
        _ => base.add(step),
    };
    combined.map(|_| ()).or_else(|incompatible| problem(incompatible.to_string()))
}

/// The buckets with their indexes.
fn indexed(spans: &[BucketSpan], buckets: &[f64]) -> Vec<(i64, f64)> {
    let mut index = 0;
    let mut counts = buckets.iter();
    let mut out = Vec::with_capacity(buckets.len());
    for span in spans {
        index += i64::from(span.offset);
        for count in counts.by_ref().take(span.length as usize) {
            out.push((index, *count));
            index += 1;
        }
    }
    out
}

/// `histogram` in series notation; parsing that gives an equal histogram, except that gaps
/// between buckets have become empty buckets.
pub fn histogram_notation(histogram: &FloatHistogram) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut number = |key: &str, value: f64| {
        if value != 0.0 {
            let mut part = format!("{key}:");
            float::write_general(value, &mut part);
            parts.push(part);
        }
    };
    number("schema", f64::from(histogram.schema));
    number("count", histogram.count);
    number("sum", histogram.sum);
    number("z_bucket", histogram.zero_count);
    number("z_bucket_w", histogram.zero_threshold);
    if histogram.schema == model::histogram::CUSTOM_BUCKETS_SCHEMA {
        parts.push(list("custom_values", &histogram.custom_values));
    }
    let hint = match histogram.counter_reset_hint {
        CounterResetHint::Unknown => None,
        CounterResetHint::Reset => Some("reset"),
        CounterResetHint::NotReset => Some("not_reset"),
        CounterResetHint::Gauge => Some("gauge"),
    };
    parts.extend(hint.map(|hint| format!("counter_reset_hint:{hint}")));
    let mut buckets = |prefix: &str, spans: &[BucketSpan], buckets: &[f64]| {
        let (offset, dense) = dense(spans, buckets);
        if dense.is_empty() {
            return;
        }
        if offset != 0 {
            parts.push(format!("{prefix}offset:{offset}"));
        }
        parts.push(list(&format!("{prefix}buckets"), &dense));
    };
    buckets("", &histogram.positive_spans, &histogram.positive_buckets);
    buckets("n_", &histogram.negative_spans, &histogram.negative_buckets);
    format!("{{{{{}}}}}", parts.join(" "))
}

/// The index of the first bucket and all buckets from there on, the empty ones between included.
/// A gap so wide that it can only be nonsense ends them.
fn dense(spans: &[BucketSpan], buckets: &[f64]) -> (i64, Vec<f64>) {
    const GAP_MAX: usize = 100_000;
    let indexed = indexed(spans, buckets);
    let Some((offset, _)) = indexed.first().copied() else { return (0, Vec::new()) };
    let mut dense = Vec::with_capacity(indexed.len());
    for (index, count) in indexed {
        let at = usize::try_from(index - offset).unwrap_or(usize::MAX);
        if at.saturating_sub(dense.len()) > GAP_MAX {
            break;
        }
        dense.resize(at, 0.0);
        dense.push(count);
    }
    (offset, dense)
}

fn list(key: &str, values: &[f64]) -> String {
    let mut out = format!("{key}:[");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        float::write_general(*value, &mut out);
    }
    out.push(']');
    out
}

//! Writes JSON as upstream's encoder does, byte for byte.

mod histogram;
#[cfg(test)]
mod tests;

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use model::{
    FloatHistogram, Labels,
    json::{Escape, write_text},
};
use rayon::prelude::*;

/// A chunk of a streamed answer has at least so many bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// From so many bytes on an array is worth the work of several cores.
const LONG_BYTES: usize = 256 * 1024;
/// What one core writes at a time.
const PART_BYTES: usize = 96 * 1024;

/// A JSON text under construction. Each method appends one value.
#[derive(Default)]
pub(crate) struct Json {
    out: String,
    /// Where full chunks go while the text is still written.
    sink: Option<Box<dyn Sink>>,
    /// Nobody reads any more: lists end early.
    is_abandoned: bool,
}

/// Takes a text chunk by chunk. May block.
pub(crate) trait Sink: Send {
    /// Says no once nobody reads any more.
    fn send(&mut self, chunk: Bytes) -> bool;

    /// Takes what is left, which may be all there is.
    fn end(&mut self, rest: Bytes);
}

impl Json {
    /// Sends what is written to `sink`, chunk by chunk. For blocking threads.
    pub(crate) fn streaming(sink: Box<dyn Sink>) -> Json {
        Json { sink: Some(sink), ..Json::default() }
    }

    /// The text, unless it is streamed.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// Gives away the rest of a text that is streamed.
    pub(crate) fn end(self) {
        if let Some(mut sink) = self.sink {
            sink.end(self.out.into());
        }
    }

    /// Gives away a full chunk.
    pub(crate) fn flush_full_chunk(&mut self) {
        if self.out.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(sink) = &mut self.sink
            && !self.out.is_empty()
        {
            let chunk = std::mem::take(&mut self.out);
            self.is_abandoned |= !sink.send(chunk.into());
        }
    }

    /// Writes what was written elsewhere; long texts go on as they are.
    fn part(&mut self, text: String) {
        if text.len() < CHUNK_BYTES || self.sink.is_none() {
            return self.out.push_str(&text);
        }
        self.flush();
        if let Some(sink) = &mut self.sink {
            self.is_abandoned |= !sink.send(text.into());
        }
    }

    pub(crate) fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        self.out.push('{');
        fill(&mut Object { json: self, is_empty: true });
        self.out.push('}');
    }

    pub(crate) fn array<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Json, T),
    ) {
        self.out.push('[');
        for (idx, item) in items.into_iter().enumerate() {
            if self.is_abandoned {
                break;
            }
            if idx > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(']');
    }

    /// An array of many items, written on all cores if it is long; `bytes` says about how many an
    /// item takes.
    pub(crate) fn long_array<T: Sync>(
        &mut self,
        items: &[T],
        bytes: impl Fn(&T) -> usize,
        write: impl Fn(&mut Json, &T) + Sync,
    ) {
        let n_bytes: usize = items.iter().map(&bytes).sum();
        if n_bytes < LONG_BYTES || items.len() < 2 {
            return self.array(items, |json, item| {
                write(json, item);
                json.flush_full_chunk();
            });
        }
        self.raw("[");
        let parts = cut(items, bytes);
        for batch in parts.chunks(2 * rayon::current_num_threads()) {
            let written: Vec<String> = batch
                .par_iter()
                .map(|part| {
                    let out = String::with_capacity(part.n_bytes);
                    let mut json = Json { out, ..Json::default() };
                    for (idx, item) in part.items.iter().enumerate() {
                        if idx > 0 || !part.is_first {
                            json.raw(",");
                        }
                        write(&mut json, item);
                    }
                    json.out
                })
                .collect();
            for text in written {
                if !self.is_abandoned {
                    self.part(text);
                }
            }
        }
        self.raw("]");
    }

    /// What is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.out.push_str(json);
    }

    /// Of the text that is not sent yet.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Makes room for so many bytes.
    pub(crate) fn reserve(&mut self, n_bytes: usize) {
        self.out.reserve(n_bytes);
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    pub(crate) fn int(&mut self, value: impl itoa::Integer) {
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    /// A number, shortest form, as Go's encoder writes it.
    pub(crate) fn float(&mut self, value: f64) {
        let start = self.out.len();
        model::float::write_json(value, &mut self.out);
        // Go cleans e-09 up to e-9.
        let is_padded = self
            .out
            .as_bytes()
            .get(start..)
            .is_some_and(|text| matches!(text, [.., b'e', b'-', b'0', _]));
        if is_padded {
            self.out.remove(self.out.len() - 2);
        }
    }

    pub(crate) fn seconds(&mut self, duration: Duration) {
        self.float(duration.as_secs_f64());
    }

    /// A text, with the characters that mean something in HTML escaped.
    pub(crate) fn string(&mut self, text: &str) {
        write_text(text, Escape::Iterator, &mut self.out);
    }

    /// A text of a label, which upstream writes without regard to HTML.
    pub(crate) fn label_text(&mut self, text: &str) {
        write_text(text, Escape::Label, &mut self.out);
    }

    pub(crate) fn strings<S: AsRef<str>>(&mut self, texts: impl IntoIterator<Item = S>) {
        self.array(texts, |json, text| json.string(text.as_ref()));
    }

    pub(crate) fn labels(&mut self, labels: &Labels) {
        self.out.push('{');
        for (idx, (name, value)) in labels.iter().enumerate() {
            if idx > 0 {
                self.out.push(',');
            }
            self.label_text(name);
            self.out.push(':');
            self.label_text(value);
        }
        self.out.push('}');
    }

    /// Milliseconds as seconds, with three digits after the point or none.
    pub(crate) fn timestamp(&mut self, millis: i64) {
        if millis < 0 {
            self.out.push('-');
        }
        let millis = millis.unsigned_abs();
        self.int(millis / 1000);
        if !millis.is_multiple_of(1000) {
            write!(self.out, ".{:03}", millis % 1000).expect("writing to a string cannot fail");
        }
    }

    /// A sample's value: a float as text.
    pub(crate) fn value(&mut self, value: f64) {
        self.out.push('"');
        self.bare_value(value);
        self.out.push('"');
    }

    /// The same without its quotes.
    pub(crate) fn bare_value(&mut self, value: f64) {
        model::float::write_json(value, &mut self.out);
    }

    /// A scalar, for which upstream never uses an exponent.
    pub(crate) fn plain_value(&mut self, value: f64) {
        self.out.push('"');
        model::float::write_plain(value, &mut self.out);
        self.out.push('"');
    }

    pub(crate) fn histogram(&mut self, histogram: &FloatHistogram) {
        histogram::write(histogram, self);
    }

    /// RFC 3339 with as many digits as needed; nothing is Go's zero time.
    pub(crate) fn time(&mut self, since_epoch: Option<Duration>) {
        self.out.push('"');
        match since_epoch
            .map(|since| jiff::Timestamp::from_duration(since.try_into().unwrap_or_default()))
        {
            Some(Ok(time)) => write!(self.out, "{time}").expect("writing to a string cannot fail"),
            _ => self.raw("0001-01-01T00:00:00Z"),
        }
        self.out.push('"');
    }
}

/// Neighbours in a long array.
struct Part<'a, T> {
    items: &'a [T],
    /// About what they take.
    n_bytes: usize,
    is_first: bool,
}

fn cut<T>(items: &[T], bytes: impl Fn(&T) -> usize) -> Vec<Part<'_, T>> {
    let mut parts = Vec::new();
    let (mut begin, mut n_bytes) = (0, 0);
    for (idx, item) in items.iter().enumerate() {
        n_bytes += bytes(item);
        if n_bytes >= PART_BYTES || idx + 1 == items.len() {
            parts.push(Part { items: &items[begin..=idx], n_bytes, is_first: begin == 0 });
            (begin, n_bytes) = (idx + 1, 0);
        }
    }
    parts
}

/// The inside of an object.
pub(crate) struct Object<'a> {
    json: &'a mut Json,
    is_empty: bool,
}

impl Object<'_> {
    /// Begins a field; the value is to be written at once.
    pub(crate) fn key(&mut self, name: &str) -> &mut Json {
        if !self.is_empty {
            self.json.out.push(',');
        }
        self.is_empty = false;
        self.json.label_text(name);
        self.json.out.push(':');
        self.json
    }

    pub(crate) fn string(&mut self, name: &str, text: &str) {
        self.key(name).string(text);
    }

    /// Nothing, if the text is empty.
    pub(crate) fn string_if_any(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.string(name, text);
        }
    }
}

//! Exemplars, of a few bytes each.

use std::fmt::Write as _;

use model::{Labels, Timestamp};

use super::point::{Exemplar, millis};

/// OpenMetrics allows as many characters in the labels of an exemplar.
const CHARS_MAX: usize = 128;

/// The exemplars of a point; one without a value is an error, in upstream's words.
pub(super) fn translate(exemplars: &[Exemplar<'_>]) -> Result<Vec<storage::Exemplar>, String> {
    exemplars.iter().map(translate_one).collect()
}

fn translate_one(exemplar: &Exemplar<'_>) -> Result<storage::Exemplar, String> {
    let value = exemplar.value.ok_or("unsupported exemplar value type: Empty")?;
    let (trace_id, span_id) = (hex(&exemplar.trace_id), hex(&exemplar.span_id));
    let mut pairs = Vec::new();
    for (name, id) in [("trace_id", &trace_id), ("span_id", &span_id)] {
        if !id.is_empty() {
            pairs.push((name, id.as_str()));
        }
    }
    let attributes = exemplar.attributes.iter().map(|(name, value)| (&**name, &**value));
    let n_chars = |(name, value): (&str, &str)| name.chars().count() + value.chars().count();
    let n_all: usize = pairs.iter().copied().chain(attributes.clone()).map(n_chars).sum();
    // Who traces is more important than what it was.
    if n_all <= CHARS_MAX {
        pairs.extend(attributes);
    }
    let time = Timestamp::from_millis(millis(exemplar.time));
    Ok(storage::Exemplar { labels: Labels::from_pairs(pairs), value, time })
}

/// Nothing for an id of zeros: that is how its absence is written.
fn hex(id: &[u8]) -> String {
    // Ids have 8 or 16 bytes; what is longer is none.
    if id.len() > 16 || id.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

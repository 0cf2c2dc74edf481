//! Durations in Go's grammar, which some keys have and most have not.

use std::time::Duration;

use settings::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Meaning, Node, Value, Yaml},
};

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// `1h30m`, `1.5s`; a bare number counts nanoseconds. Zero mostly means "no limit".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GoDuration(pub Duration);

/// As [`GoDuration`], but without bare numbers, and left out of the printed form when zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextDuration(pub Duration);

impl GoDuration {
    /// Parses what Go's `time.ParseDuration` takes, without negative ones.
    pub fn parse(text: &str) -> Result<GoDuration, String> {
        let invalid = || format!("time: invalid duration {text:?}");
        if text == "0" {
            return Ok(GoDuration::default());
        }
        let mut rest = text.strip_prefix('+').unwrap_or(text);
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u128 = 0;
        while !rest.is_empty() {
            let is_number = |c: char| c.is_ascii_digit() || c == '.';
            let (number, after) = split_while(rest, is_number);
            let (unit, after) = split_while(after, |c| !is_number(c));
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
                return Err(invalid());
            }
            if unit.is_empty() {
                return Err(format!("time: missing unit in duration {text:?}"));
            }
            let (_, scale) = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(|| format!("time: unknown unit {unit:?} in duration {text:?}"))?;
            let whole: u128 =
                if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid())? };
            total = whole
                .checked_mul(*scale)
                .and_then(|part| part.checked_add(fraction_of(fraction, *scale)))
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= i64::MAX as u128)
                .ok_or_else(invalid)?;
            rest = after;
        }
        Ok(GoDuration(Duration::from_nanos(total as u64)))
    }
}

fn split_while(text: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !keep(c)).unwrap_or(text.len()))
}

/// `0.<digits>` of `scale`, rounded down.
fn fraction_of(digits: &str, scale: u128) -> u128 {
    let mut place = scale as f64;
    let mut sum = 0.0;
    for digit in digits.bytes().take(18) {
        place /= 10.0;
        sum += f64::from(digit - b'0') * place;
    }
    (sum + 1e-6) as u128
}

impl std::fmt::Display for GoDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanos = i64::try_from(self.0.as_nanos()).unwrap_or(i64::MAX);
        f.write_str(&gotemplate::value::format_duration(nanos))
    }
}

impl Setting for GoDuration {
    const GO_TYPE: &'static str = "time.Duration";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<GoDuration>, Broken> {
        let duration = match &node.value {
            Value::Scalar(scalar) => match &scalar.meaning {
                Meaning::Int(nanos) => u64::try_from(*nanos).ok().map(Duration::from_nanos),
                Meaning::Text => GoDuration::parse(&scalar.text).ok().map(|GoDuration(it)| it),
                _ => None,
            },
            _ => None,
        };
        if duration.is_none() {
            decoder.wrong_kind(node, Self::GO_TYPE);
        }
        Ok(duration.map(GoDuration))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.to_string())
    }
}

impl Setting for TextDuration {
    const GO_TYPE: &'static str = "string";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<TextDuration>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        let GoDuration(duration) = GoDuration::parse(&text)?;
        Ok(Some(TextDuration(duration)))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(GoDuration(self.0).to_string())
    }
}

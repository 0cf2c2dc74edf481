//! Sizes such as `15MB`: powers of 1024, whichever way the unit is spelt.

use std::fmt;

use crate::{
    decode::{Broken, Decoder, Setting, Style},
    yaml::{Node, Yaml},
};

const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub i64);

impl Bytes {
    /// This, or `other` where this is not set.
    pub fn or(self, other: Bytes) -> Bytes {
        if self.0 == 0 { other } else { self }
    }

    /// Parses `15MB`, `1.5GiB`, `1GB512MB`; the error's words are upstream's.
    pub fn parse(text: &str) -> Result<Bytes, String> {
        let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        if rest == "0" {
            return Ok(Bytes(0));
        }
        let invalid = || format!("units: invalid {text}");
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total = 0.0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(|b| !b.is_ascii_digit() && *b != b'.').count();
            let (unit, after) = after.split_at(letters);
            let number: f64 = number.parse().map_err(|_| invalid())?;
            let scale =
                scale(unit).ok_or_else(|| format!("units: unknown unit {unit} in {text}"))?;
            total += number * scale;
            rest = after;
        }
        let total = if negative { -total } else { total };
        if total.abs() >= i64::MAX as f64 {
            return Err("units: overflow parsing unit".to_owned());
        }
        Ok(Bytes(total as i64))
    }
}

fn scale(unit: &str) -> Option<f64> {
    let prefix = unit.strip_suffix('B')?;
    let prefix = match prefix.strip_suffix('i') {
        // "iB" alone would be bytes with an "i" too many.
        Some("") => return None,
        Some(prefix) => prefix,
        None => prefix,
    };
    let power = UNITS.iter().position(|known| *known == prefix)?;
    Some(1024f64.powi(power as i32))
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0B");
        }
        let mut parts = Vec::new();
        let mut left = self.0;
        for unit in UNITS {
            if left % 1024 != 0 {
                let suffix = if unit.is_empty() { "B" } else { "iB" };
                parts.push(format!("{}{unit}{suffix}", left % 1024));
            }
            left /= 1024;
        }
        parts.iter().rev().try_for_each(|part| f.write_str(part))
    }
}

impl Setting for Bytes {
    const GO_TYPE: &'static str = "units.Base2Bytes";

    fn decode(node: &Node, decoder: &mut Decoder) -> Result<Option<Bytes>, Broken> {
        let Some(text) = String::decode(node, decoder)? else { return Ok(None) };
        Ok(Some(Bytes::parse(&text)?))
    }

    fn encode(&self, _: Style) -> Yaml {
        Yaml::Text(self.to_string())
    }
}

//! Integers and floats under their verbs.

use std::fmt::Write as _;

use super::Printer;
use crate::quote::{is_print, quote_char};

impl Printer {
    /// Prints an integer; false if the verb is not for integers.
    pub(super) fn integer(&mut self, number: i128, unsigned: bool, verb: char) -> bool {
        let (magnitude, negative) = (number.unsigned_abs(), number < 0);
        // `#` asks for a leading zero, which a zero has.
        let zero = if self.flags.sharp && magnitude != 0 { "0" } else { "" };
        let octal = format!("{zero}{magnitude:o}");
        let (digits, prefix) = match verb {
            'v' if self.flags.go_syntax && unsigned => (format!("{magnitude:x}"), "0x"),
            'v' | 'd' => (magnitude.to_string(), ""),
            'b' => (format!("{magnitude:b}"), if self.flags.sharp { "0b" } else { "" }),
            'o' => (octal, ""),
            'O' => (octal, "0o"),
            'x' => (format!("{magnitude:x}"), if self.flags.sharp { "0x" } else { "" }),
            'X' => (format!("{magnitude:X}"), if self.flags.sharp { "0X" } else { "" }),
            'c' => {
                self.pad(char_of(number).encode_utf8(&mut [0; 4]));
                return true;
            }
            'q' => {
                let quoted = quote_char(char_of(number), self.flags.plus);
                self.pad(&quoted);
                return true;
            }
            'U' => {
                // Go shows a negative number as the unsigned one of the same bits.
                self.unicode(number as u64);
                return true;
            }
            _ => return false,
        };
        self.digits(&digits, prefix, negative);
        true
    }

    fn digits(&mut self, digits: &str, prefix: &str, negative: bool) {
        let sign = match (negative, self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let pads_with_zeros = self.flags.zero && !self.flags.minus;
        let digits_min = match (self.flags.precision, self.flags.width) {
            (Some(0), _) if digits == "0" => {
                // Nothing at all, Go says, but padding.
                let zero = std::mem::replace(&mut self.flags.zero, false);
                self.pad("");
                self.flags.zero = zero;
                return;
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if pads_with_zeros => width.saturating_sub(sign.len()),
            _ => 0,
        };
        let text = format!("{sign}{prefix}{digits:0>digits_min$}");
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(&text);
        self.flags.zero = zero;
    }

    fn unicode(&mut self, code: u64) {
        let mut text = format!("U+{:0>1$X}", code, self.flags.precision.unwrap_or(4).max(4));
        let c = u32::try_from(code).ok().and_then(char::from_u32).filter(|c| is_print(*c));
        if let Some(c) = c.filter(|_| self.flags.sharp) {
            write!(text, " '{c}'").expect("writing to a string cannot fail");
        }
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(&text);
        self.flags.zero = zero;
    }

    /// Prints a float; false if the verb is not for floats.
    pub(super) fn float(&mut self, value: f64, verb: char) -> bool {
        let (form, precision) = match verb {
            'v' => ('g', None),
            'g' | 'G' => (verb, None),
            'e' | 'E' | 'f' => (verb, Some(6)),
            'F' => ('f', Some(6)),
            _ => return false,
        };
        let precision = self.flags.precision.or(precision);
        let mut text = String::new();
        write_float(value, form, precision, &mut text);
        let signed = text.starts_with(['+', '-']);
        if !signed && self.flags.plus {
            text.insert(0, '+');
        } else if !signed && self.flags.space {
            text.insert(0, ' ');
        } else if text == "+Inf" && self.flags.space && !self.flags.plus {
            text = " Inf".to_owned();
        }
        let zero = self.flags.zero;
        if !value.is_finite() {
            self.flags.zero = false;
        }
        match text.strip_prefix(['+', '-', ' ']) {
            Some(digits) if self.flags.zero && !self.flags.minus => {
                let width = self.flags.width.unwrap_or(0).saturating_sub(1);
                let sign = text.strip_suffix(digits).unwrap_or_default();
                self.out.push_str(sign);
                self.out.push_str(&format!("{digits:0>width$}"));
            }
            _ => self.pad(&text),
        }
        self.flags.zero = zero;
        true
    }

    /// Prints `(1+2i)`; false if the verb is not for floats.
    pub(super) fn complex(&mut self, real: f64, imaginary: f64, verb: char) -> bool {
        if !matches!(verb, 'v' | 'g' | 'G' | 'e' | 'E' | 'f' | 'F') {
            return false;
        }
        let plus = self.flags.plus;
        self.out.push('(');
        self.float(real, verb);
        self.flags.plus = true;
        self.float(imaginary, verb);
        self.flags.plus = plus;
        self.out.push_str("i)");
        true
    }
}

fn char_of(number: i128) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Appends `value` as Go's `strconv.FormatFloat` with form `e`, `E`, `f`, `g` or `G`; without a
/// precision it is the shortest text that reads back the same.
pub fn write_float(value: f64, form: char, precision: Option<usize>, out: &mut String) {
    if !value.is_finite() {
        out.push_str(match value {
            _ if value.is_nan() => "NaN",
            _ if value > 0.0 => "+Inf",
            _ => "-Inf",
        });
        return;
    }
    match form {
        'f' => match precision {
            Some(precision) => write!(out, "{value:.precision$}"),
            None => write!(out, "{value}"),
        }
        .expect("writing to a string cannot fail"),
        'e' | 'E' => write_exponent(value, form, precision, out),
        _ => write_general(value, form, precision, out),
    }
}

fn write_exponent(value: f64, form: char, precision: Option<usize>, out: &mut String) {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').expect("`{:e}` prints an exponent");
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    write!(out, "{mantissa}{form}{sign}{digits:0>2}").expect("writing to a string cannot fail");
}

/// `%g`: exponents only below -4 and from the precision (6 if shortest) on.
fn write_general(value: f64, form: char, precision: Option<usize>, out: &mut String) {
    // Precision counts all digits here, and trailing zeros are left out.
    let significant = precision.map(|precision| precision.max(1));
    let text = match significant {
        Some(digits) => format!("{value:.*e}", digits - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').expect("`{:e}` prints an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` prints a decimal exponent");
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let exponent_max = match significant {
        // As many digits as it takes, if these are fewer than asked for.
        Some(asked) if asked > digits && digits as i32 > exponent => digits as i32,
        Some(asked) => asked as i32,
        None => 6,
    };
    if exponent < -4 || exponent >= exponent_max {
        let digits = digits - 1;
        let text = format!("{:.digits$e}", value);
        let (mantissa, _) = text.split_once('e').unwrap_or((&text, ""));
        let letter = if form == 'G' { 'E' } else { 'e' };
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{mantissa}{letter}{sign}{:02}", exponent.unsigned_abs())
    } else {
        let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
        // Rounding to the significant digits has happened: parse them back.
        let rounded: f64 = text.parse().unwrap_or(value);
        write!(out, "{rounded:.decimals$}")
    }
    .expect("writing to a string cannot fail");
}

use super::{Flags, Printer};
use crate::{Value, format::value::type_and_value, value::Kind};

/// Widths and precisions beyond these are not taken: one written in the layout, and an operand.
const NUMBER_MAX: usize = 9_999_999;
const STAR_MAX: u64 = 1_000_000;

/// As Go's `Sprintf`, with its complaints about verbs and operands that do not fit.
pub fn sprintf(layout: &str, args: &[Value]) -> String {
    let mut scan = Scan { rest: layout, args, next: 0, reordered: false, good_index: true };
    let mut printer = Printer::default();
    let mut ever_reordered = false;
    while !printer.is_full() {
        let Some((literal, rest)) = scan.rest.split_once('%') else {
            printer.out.push_str(scan.rest);
            break;
        };
        printer.out.push_str(literal);
        scan.rest = rest;
        scan.verb(&mut printer);
        ever_reordered |= scan.reordered;
    }
    if !ever_reordered && scan.next < args.len() {
        printer.flags = Flags::default();
        printer.out.push_str("%!(EXTRA ");
        for (idx, arg) in args.iter().skip(scan.next).enumerate() {
            if idx > 0 {
                printer.out.push_str(", ");
            }
            type_and_value(&mut printer, arg);
        }
        printer.out.push(')');
    }
    printer.out
}

/// How far layout and operands have been read.
struct Scan<'a> {
    rest: &'a str,
    args: &'a [Value],
    next: usize,
    /// Whether this verb chose its operand by `[n]`.
    reordered: bool,
    good_index: bool,
}

impl Scan<'_> {
    /// Prints what the layout says after a `%`.
    fn verb(&mut self, printer: &mut Printer) {
        self.reordered = false;
        self.good_index = true;
        let mut flags = self.flags();
        let mut after_index = self.index();
        if self.take('*') {
            match self.star() {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.zero &= width >= 0;
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => printer.out.push_str("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            flags.width = self.number();
            if after_index && flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.take('.') {
            if after_index {
                self.good_index = false;
            }
            after_index = self.index();
            if self.take('*') {
                match self.star() {
                    Some(precision @ 0..) => flags.precision = Some(precision as usize),
                    _ => printer.out.push_str("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        printer.flags = flags;
        let mut chars = self.rest.chars();
        let Some(verb) = chars.next() else {
            printer.out.push_str("%!(NOVERB)");
            return;
        };
        self.rest = chars.as_str();
        if verb == 'v' {
            printer.flags.go_syntax = std::mem::take(&mut printer.flags.sharp);
            printer.flags.field_names = std::mem::take(&mut printer.flags.plus);
        }
        if verb == '%' {
            printer.out.push('%');
        } else if !self.good_index {
            complain(printer, verb, "BADINDEX");
        } else if let Some(arg) = self.args.get(self.next) {
            self.next += 1;
            printer.value(arg, verb);
        } else {
            complain(printer, verb, "MISSING");
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            let mut chars = self.rest.chars();
            match chars.next() {
                Some('#') => flags.sharp = true,
                Some('0') => flags.zero = true,
                Some('+') => flags.plus = true,
                Some('-') => flags.minus = true,
                Some(' ') => flags.space = true,
                _ => return flags,
            }
            self.rest = chars.as_str();
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Digits, if there.
    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        digits.parse().ok().filter(|number| *number <= NUMBER_MAX)
    }

    /// `[n]`: the next operand is number n, from 1. Says whether there was one.
    fn index(&mut self) -> bool {
        let Some(rest) = self.rest.strip_prefix('[') else { return false };
        self.reordered = true;
        let Some((number, after)) = rest.split_once(']') else {
            self.rest = rest;
            self.good_index = false;
            return false;
        };
        self.rest = after;
        match number.parse::<usize>() {
            Ok(number) if (1..=self.args.len()).contains(&number) => {
                self.next = number - 1;
                true
            }
            _ => {
                self.good_index = false;
                true
            }
        }
    }

    /// The operand of a `*`, if it is a sensible integer.
    fn star(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let number = match arg.kind() {
            Kind::Int(number) => number,
            Kind::Uint(number) => i64::try_from(number).ok()?,
            _ => return None,
        };
        (number.unsigned_abs() <= STAR_MAX).then_some(number)
    }
}

fn complain(printer: &mut Printer, verb: char, what: &str) {
    printer.out.push_str("%!");
    printer.out.push(verb);
    printer.out.push('(');
    printer.out.push_str(what);
    printer.out.push(')');
}

//! Go's `fmt`: `print`, `println` and `printf` over [`Value`]s.

mod number;
mod printf;
mod value;

use crate::{Value, value::Kind};

pub use number::write_float;
pub use printf::sprintf;

/// Formatting stops here; the engine then fails the template.
const OUTPUT_BYTES_MAX: usize = 64 << 20;

/// As Go's `Sprint`: spaces only between operands of which neither is a string.
pub fn sprint(args: &[Value]) -> String {
    let mut printer = Printer::default();
    let mut after_string = true;
    for arg in args {
        let is_string = matches!(arg.kind(), Kind::String(_));
        if !is_string && !after_string {
            printer.out.push(' ');
        }
        printer.value(arg, 'v');
        after_string = is_string;
    }
    printer.out
}

/// As Go's `Sprintln`: spaces between all operands, and a line end.
pub fn sprintln(args: &[Value]) -> String {
    let mut printer = Printer::default();
    for (idx, arg) in args.iter().enumerate() {
        if idx > 0 {
            printer.out.push(' ');
        }
        printer.value(arg, 'v');
    }
    printer.out.push('\n');
    printer.out
}

/// What stands between `%` and the verb.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    /// `%#v`: Go's syntax. Then `sharp` is not set.
    go_syntax: bool,
    /// `%+v`: with the names of fields. Then `plus` is not set.
    field_names: bool,
}

/// Output under construction, and how the current operand is to look.
#[derive(Default)]
struct Printer {
    out: String,
    flags: Flags,
    /// While a wrong verb is reported, `String` methods are not called.
    reporting: bool,
    /// Lists and maps around the value that is being printed.
    depth: usize,
}

impl Printer {
    /// Appends `text` with the padding that the flags ask for.
    fn pad(&mut self, text: &str) {
        let missing = self.flags.width.unwrap_or(0).saturating_sub(text.chars().count());
        let fill = if self.flags.zero && !self.flags.minus { '0' } else { ' ' };
        if self.flags.minus {
            self.out.push_str(text);
        }
        self.out.extend(std::iter::repeat_n(fill, missing));
        if !self.flags.minus {
            self.out.push_str(text);
        }
    }

    fn is_full(&self) -> bool {
        self.out.len() > OUTPUT_BYTES_MAX
    }
}

//! Floats, each XORed with the one before.

use crate::bits::{BitReader, BitWriter, peek};

/// Only five bits tell how many zeros lead.
const LEADING_MAX: u32 = 31;

/// No window of significant bits yet.
const NO_WINDOW: u8 = 0xff;

/// Bits that say what follows, and how many they are.
pub(crate) type Prefix = (u64, u32);

/// The last float of a run, and the zeros around the significant bits that were written last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FloatState {
    pub(crate) bits: u64,
    leading: u8,
    trailing: u8,
}

impl FloatState {
    /// A run that begins with a value that is written whole.
    pub(crate) fn new(first: f64) -> FloatState {
        FloatState { bits: first.to_bits(), leading: NO_WINDOW, trailing: 0 }
    }

    pub(crate) fn value(&self) -> f64 {
        f64::from_bits(self.bits)
    }

    /// Writes the next value.
    #[inline]
    pub(crate) fn write(&mut self, writer: &mut BitWriter, value: f64) {
        let change = value.to_bits() ^ self.bits;
        self.bits = value.to_bits();
        if change == 0 {
            writer.write(0, 1);
            return;
        }
        self.write_change(writer, change, (0b10, 2), (0b11, 2));
    }

    /// Writes the next value, which is another one, behind one of two prefixes: for the window of
    /// significant bits that was written last, and for a new one.
    pub(crate) fn write_changed(
        &mut self,
        writer: &mut BitWriter,
        value: f64,
        same_window: Prefix,
        new_window: Prefix,
    ) {
        let change = value.to_bits() ^ self.bits;
        self.bits = value.to_bits();
        self.write_change(writer, change, same_window, new_window);
    }

    #[inline]
    fn write_change(
        &mut self,
        writer: &mut BitWriter,
        change: u64,
        same_window: Prefix,
        new_window: Prefix,
    ) {
        let leading = change.leading_zeros().min(LEADING_MAX) as u8;
        let trailing = change.trailing_zeros() as u8;
        let fits_window =
            self.leading != NO_WINDOW && leading >= self.leading && trailing >= self.trailing;
        if fits_window {
            writer.write(same_window.0, same_window.1);
        } else {
            (self.leading, self.trailing) = (leading, trailing);
            let significant = 64 - leading - trailing;
            // 64 does not fit six bits and is written as 0, which cannot occur otherwise.
            let window = u64::from(leading) << 6 | u64::from(significant % 64);
            writer.write(new_window.0 << 11 | window, new_window.1 + 11);
        }
        let significant = 64 - u32::from(self.leading) - u32::from(self.trailing);
        writer.write(change >> self.trailing, significant);
    }

    /// Reads the next value, which begins at bit `at` with `bits`, of which all but the last are
    /// known, and moves `at` behind it; changes nothing where the end is close or the bits make no
    /// sense.
    #[inline]
    pub(crate) fn read_ahead(&mut self, bits: u64, bytes: &[u8], at: &mut usize) -> Option<()> {
        const KNOWN: usize = 63;
        if bits >> 63 == 0 {
            *at += 1;
            return Some(());
        }
        let header = if bits >> 62 == 0b10 {
            // Left to the careful way.
            if self.leading == NO_WINDOW {
                return None;
            }
            2
        } else {
            let significant = match bits << 7 >> 58 {
                0 => 64,
                significant => significant as u8,
            };
            let leading = (bits << 2 >> 59) as u8;
            let trailing = 64u8.checked_sub(leading)?.checked_sub(significant)?;
            // Where the end is close the careful way reads them again.
            (self.leading, self.trailing) = (leading, trailing);
            13
        };
        let significant = 64 - self.leading - self.trailing;
        let end = header + usize::from(significant);
        // Mostly the value is in what is known: a second look at the bytes would cost as much as
        // all the rest.
        let changed = if end <= KNOWN { bits << header } else { peek(bytes, *at + header)? };
        self.bits ^= changed >> (64 - u32::from(significant)) << self.trailing;
        *at += end;
        Some(())
    }

    /// Reads the next value; `None` where the bits end or make no sense.
    #[inline]
    pub(crate) fn read(&mut self, reader: &mut BitReader<'_>) -> Option<()> {
        match reader.read_ones(2)? {
            0 => Some(()),
            ones => self.read_changed(reader, ones == 2),
        }
    }

    /// Reads the next value behind a prefix that said that it is another one.
    #[inline]
    pub(crate) fn read_changed(
        &mut self,
        reader: &mut BitReader<'_>,
        has_new_window: bool,
    ) -> Option<()> {
        if has_new_window {
            let window = reader.read(11)?;
            let significant = match window & 0x3f {
                0 => 64,
                significant => significant as u8,
            };
            let leading = (window >> 6) as u8;
            self.trailing = 64u8.checked_sub(leading)?.checked_sub(significant)?;
            self.leading = leading;
        } else if self.leading == NO_WINDOW {
            // Upstream goes on with a chunk that has no window as if it had the widest.
            (self.leading, self.trailing) = (0, 0);
        }
        let significant = 64 - u32::from(self.leading) - u32::from(self.trailing);
        self.bits ^= reader.read(significant)? << self.trailing;
        Some(())
    }
}

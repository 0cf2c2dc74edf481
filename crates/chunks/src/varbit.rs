//! Numbers that are mostly small, in steps of bits; what histograms are made of.

use crate::bits::{BitReader, BitWriter};

/// For each number of leading ones: the bits of payload.
const WIDTHS: [u32; 9] = [0, 3, 6, 9, 12, 18, 25, 56, 64];

impl BitWriter {
    pub(crate) fn write_varbit(&mut self, number: i64) {
        // As in XOR chunks, of both ends it is the positive one that fits.
        let fits = |width: u32| {
            let half = 1_i64 << (width - 1);
            (-half < number) && number <= half
        };
        let class = (1..8).find(|class| fits(WIDTHS[*class])).unwrap_or(8);
        self.write_class(if number == 0 { 0 } else { class }, number as u64);
    }

    pub(crate) fn write_varbit_unsigned(&mut self, number: u64) {
        let class = (0..8).find(|class| number < 1 << WIDTHS[*class]).unwrap_or(8);
        self.write_class(class, number);
    }

    fn write_class(&mut self, class: usize, number: u64) {
        let (ones, width) = (class as u32, WIDTHS[class]);
        match class {
            0 => self.write(0, 1),
            8 => {
                self.write(0xff, 8);
                self.write(number, 64);
            }
            _ => {
                // So many ones, and a zero.
                self.write((1 << (ones + 1)) - 2, ones + 1);
                self.write(number & ((1 << width) - 1), width);
            }
        }
    }
}

impl BitReader<'_> {
    pub(crate) fn read_varbit(&mut self) -> Option<i64> {
        let width = WIDTHS[self.read_ones(8)? as usize];
        if width == 0 {
            return Some(0);
        }
        let raw = self.read(width)?;
        let is_negative = width < 64 && raw > 1 << (width - 1);
        Some(if is_negative { raw.wrapping_sub(1 << width) } else { raw } as i64)
    }

    pub(crate) fn read_varbit_unsigned(&mut self) -> Option<u64> {
        match WIDTHS[self.read_ones(8)? as usize] {
            0 => Some(0),
            width => self.read(width),
        }
    }
}

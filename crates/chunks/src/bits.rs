//! Streams of bits, most significant first.

/// Room is made in steps of so many bytes: an open chunk stays small, and doubling would waste
/// up to half of the memory that matters most.
const GROWTH_BYTES: usize = 32;

/// Writes bits behind the bytes that are already there.
#[derive(Debug, Clone, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// How many bits of the last byte are taken; 0 means all eight.
    used: u8,
}

impl BitWriter {
    /// Goes on behind `bytes`, of whose last byte `used` bits are taken (0 for all).
    pub(crate) fn resume(mut bytes: Vec<u8>, used: u8) -> BitWriter {
        debug_assert!(used < 8);
        // New bits are added to zeros.
        if let Some(last) = bytes.last_mut()
            && used > 0
        {
            *last &= 0xff << (8 - used);
        }
        BitWriter { bytes, used }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes the `count` lowest bits of `bits`, at most 64.
    pub(crate) fn write(&mut self, bits: u64, count: u32) {
        debug_assert!((1..=64).contains(&count));
        let begun = match self.used {
            0 => 0,
            _ => self.bytes.pop().unwrap_or_default(),
        };
        let aligned = u128::from(bits << (64 - count)) << 64;
        let window = u128::from(begun) << 120 | aligned >> self.used;
        let total = u32::from(self.used) + count;
        let n_bytes = total.div_ceil(8) as usize;
        self.reserve(n_bytes);
        self.bytes.extend_from_slice(&window.to_be_bytes()[..n_bytes]);
        self.used = (total % 8) as u8;
    }

    /// Writes a little-endian base-128 number, as Go's `binary.PutUvarint` does.
    pub(crate) fn write_uvarint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.write(number & 0x7f | 0x80, 8);
            number >>= 7;
        }
        self.write(number, 8);
    }

    pub(crate) fn write_varint(&mut self, number: i64) {
        self.write_uvarint((number << 1 ^ number >> 63) as u64);
    }

    fn reserve(&mut self, n_bytes: usize) {
        let needed = self.bytes.len() + n_bytes;
        if needed > self.bytes.capacity() {
            let capacity = needed.next_multiple_of(GROWTH_BYTES);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
    }
}

/// The 64 bits that begin at bit `at`, unless the end is too close.
#[inline]
pub(crate) fn peek(bytes: &[u8], at: usize) -> Option<u64> {
    let [first @ .., last] = bytes.get(at / 8..)?.first_chunk::<9>()?;
    let shift = at % 8;
    Some(u64::from_be_bytes(*first) << shift | u64::from(*last) >> (8 - shift))
}

/// Reads bits through a window of 64; `None` where the bytes end.
#[derive(Debug, Clone)]
pub(crate) struct BitReader<'a> {
    bytes: &'a [u8],
    rest: &'a [u8],
    /// The next bits, from the top; below the `valid` ones it is zero.
    window: u64,
    valid: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> BitReader<'a> {
        BitReader { bytes, rest: bytes, window: 0, valid: 0 }
    }

    /// All bytes, those that are read included.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many bits are read.
    pub(crate) fn position(&self) -> usize {
        8 * (self.bytes.len() - self.rest.len()) - self.valid as usize
    }

    /// Goes to where `position` bits are read.
    pub(crate) fn seek(&mut self, position: usize) {
        self.rest = self.bytes.get(position / 8..).unwrap_or_default();
        (self.window, self.valid) = (0, 0);
        let begun = position % 8;
        if begun > 0 {
            self.refill();
            self.take((begun as u32).min(self.valid));
        }
    }

    /// How many bits of the last byte that was touched are read; 0 for all.
    pub(crate) fn used(&self) -> u8 {
        ((8 - self.valid % 8) % 8) as u8
    }

    /// How many bytes have not been touched.
    pub(crate) fn bytes_left(&self) -> usize {
        self.rest.len() + (self.valid / 8) as usize
    }

    /// Reads `count` bits, 1 to 64.
    #[inline]
    pub(crate) fn read(&mut self, count: u32) -> Option<u64> {
        debug_assert!((1..=64).contains(&count));
        if count > self.valid {
            self.refill();
            if count > self.valid {
                return self.read_in_two(count);
            }
        }
        Some(self.take(count))
    }

    /// How many ones come before the next zero, at most `limit`; reads them and the zero, if
    /// there is one.
    #[inline]
    pub(crate) fn read_ones(&mut self, limit: u32) -> Option<u32> {
        if self.valid <= limit {
            self.refill();
        }
        let ones = self.window.leading_ones().min(limit);
        let length = if ones == limit { ones } else { ones + 1 };
        if length > self.valid {
            return None;
        }
        self.take(length);
        Some(ones)
    }

    pub(crate) fn read_uvarint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.read(8)?;
            if shift == 63 && byte > 1 {
                return None;
            }
            number |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn read_varint(&mut self) -> Option<i64> {
        let number = self.read_uvarint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// The window holds them.
    #[inline]
    fn take(&mut self, count: u32) -> u64 {
        let bits = self.window >> (64 - count);
        self.window = if count == 64 { 0 } else { self.window << count };
        self.valid -= count;
        bits
    }

    /// Fills the window to at least 57 bits, or with all that is left.
    #[inline]
    fn refill(&mut self) {
        if let Some((next, _)) = self.rest.split_first_chunk::<8>()
            && self.valid > 0
        {
            let n_bytes = ((64 - self.valid) / 8) as usize;
            let fresh = u64::from_be_bytes(*next) >> (64 - 8 * n_bytes as u32).min(63);
            let free_below = 64 - self.valid - 8 * n_bytes as u32;
            if n_bytes > 0 {
                self.window |= fresh << free_below;
                self.valid += 8 * n_bytes as u32;
                self.rest = &self.rest[n_bytes..];
            }
            return;
        }
        while self.valid <= 56
            && let Some((byte, rest)) = self.rest.split_first()
        {
            self.window |= u64::from(*byte) << (56 - self.valid);
            self.valid += 8;
            self.rest = rest;
        }
    }

    /// For what does not fit the window beside what is left in it.
    #[cold]
    fn read_in_two(&mut self, count: u32) -> Option<u64> {
        if u64::from(count) > u64::from(self.valid) + 8 * self.rest.len() as u64 {
            return None;
        }
        let first = self.valid;
        let high = if first == 0 { 0 } else { self.take(first) };
        self.refill();
        let second = count - first;
        let low = self.take(second);
        Some(if second == 64 { low } else { high << second | low })
    }
}

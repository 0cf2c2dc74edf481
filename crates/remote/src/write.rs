//! Protobuf, field by field, behind what a buffer holds.

/// Writes fields of a message. Nested messages go through [`Writer::message`], which writes their
/// length when it is known.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn number(&mut self, field: u32, number: u64) {
        if number != 0 {
            self.number_always(field, number);
        }
    }

    pub(crate) fn number_always(&mut self, field: u32, number: u64) {
        self.tag(field, 0);
        push_varint(self.0, number);
    }

    pub(crate) fn zigzag(&mut self, field: u32, number: i64) {
        self.number(field, to_zigzag(number));
    }

    pub(crate) fn double(&mut self, field: u32, number: f64) {
        // Minus zero is not the default.
        if number.to_bits() != 0 {
            self.double_always(field, number);
        }
    }

    pub(crate) fn double_always(&mut self, field: u32, number: f64) {
        self.tag(field, 1);
        self.0.extend_from_slice(&number.to_bits().to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes_always(field, bytes);
        }
    }

    pub(crate) fn bytes_always(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, 2);
        push_varint(self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn packed_doubles(&mut self, field: u32, numbers: &[f64]) {
        if numbers.is_empty() {
            return;
        }
        self.tag(field, 2);
        push_varint(self.0, numbers.len() as u64 * 8);
        numbers.iter().for_each(|number| self.0.extend(number.to_bits().to_le_bytes()));
    }

    pub(crate) fn packed_numbers(
        &mut self,
        field: u32,
        numbers: impl ExactSizeIterator<Item = u64>,
    ) {
        if numbers.len() > 0 {
            self.message(field, |message| {
                numbers.for_each(|number| push_varint(message.0, number));
            });
        }
    }

    /// What stands before a nested message of `len` bytes.
    pub(crate) fn head(&mut self, field: u32, len: usize) {
        self.tag(field, 2);
        push_varint(self.0, len as u64);
    }

    /// A nested message. Its length is put in when it is written: mostly one byte was enough room.
    pub(crate) fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>)) {
        self.tag(field, 2);
        self.0.push(0);
        let begin = self.0.len();
        write(&mut Writer(self.0));
        let len = self.0.len() - begin;
        if len < 0x80 {
            self.0[begin - 1] = len as u8;
            return;
        }
        let mut prefix = Vec::with_capacity(5);
        push_varint(&mut prefix, len as u64);
        self.0.splice(begin - 1..begin, prefix);
    }

    fn tag(&mut self, field: u32, wire_type: u8) {
        push_varint(self.0, u64::from(field) << 3 | u64::from(wire_type));
    }
}

pub(crate) fn to_zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

pub(crate) use stdx::cursor::push_uvarint as push_varint;

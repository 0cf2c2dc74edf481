//! Questions and answers as bytes: RFC 1035. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;

/// Pointers in one name; more would be a circle.
const JUMPS_MAX: usize = 32;
const NAME_BYTES_MAX: usize = 255;
const CLASS_IN: u16 = 1;

const NO_ERROR: u8 = 0;
const NO_SUCH_NAME: u8 = 3;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Records(Vec<Data>),
    /// The name is not there at all.
    NoSuchName,
    /// There is more than fits into a datagram.
    Truncated,
}

/// What a record says; names end with a dot.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Data {
    Address(IpAddr),
    Service { target: String, port: u16 },
    Mail(String),
    NameServer(String),
}

impl Kind {
    fn code(self) -> u16 {
        match self {
            Kind::A => 1,
            Kind::Ns => 2,
            Kind::Mx => 15,
            Kind::Aaaa => 28,
            Kind::Srv => 33,
        }
    }
}

/// A question for the records of `name`; nothing if that cannot be a name.
pub(super) fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(18 + name.len());
    bytes.extend(id.to_be_bytes());
    // Please look further yourself; one question and nothing else.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let len = u8::try_from(label.len()).ok().filter(|len| (1..64).contains(len))?;
        bytes.push(len);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend(kind.code().to_be_bytes());
    bytes.extend(CLASS_IN.to_be_bytes());
    (name.len() <= NAME_BYTES_MAX).then_some(bytes)
}

/// What `bytes` answer to the question `id` for `kind`.
pub(super) fn answer(bytes: &[u8], id: u16, kind: Kind) -> Result<Answer, String> {
    read(bytes, id, kind).ok_or("malformed DNS message")?
}

/// Nothing where the message ends too early.
fn read(bytes: &[u8], id: u16, kind: Kind) -> Option<Result<Answer, String>> {
    let mut cursor = Cursor { bytes, at: 0 };
    if cursor.u16()? != id {
        return Some(Err("answer to another question".to_owned()));
    }
    let [flags, code] = cursor.u16()?.to_be_bytes();
    let (is_truncated, code) = (flags & 2 != 0, code & 15);
    match code {
        _ if is_truncated => return Some(Ok(Answer::Truncated)),
        NO_ERROR => {}
        NO_SUCH_NAME => return Some(Ok(Answer::NoSuchName)),
        code => return Some(Err(format!("DNS server answers with code {code}"))),
    }
    let (n_questions, n_answers) = (cursor.u16()?, cursor.u16()?);
    cursor.skip(4)?;
    for _ in 0..n_questions {
        cursor.name()?;
        cursor.skip(4)?;
    }
    let mut records = Vec::new();
    for _ in 0..n_answers {
        cursor.name()?;
        let record_kind = cursor.u16()?;
        cursor.skip(6)?;
        let len = usize::from(cursor.u16()?);
        let mut inner = Cursor { bytes: bytes.get(..cursor.at + len)?, at: cursor.at };
        cursor.skip(len)?;
        // The names that stand for another one come along; they are no targets.
        if record_kind == kind.code() {
            records.push(data(&mut inner, kind)?);
        }
    }
    Some(Ok(Answer::Records(records)))
}

fn data(cursor: &mut Cursor<'_>, kind: Kind) -> Option<Data> {
    Some(match kind {
        Kind::A => Data::Address(IpAddr::V4(Ipv4Addr::from(cursor.array::<4>()?))),
        Kind::Aaaa => Data::Address(IpAddr::V6(Ipv6Addr::from(cursor.array::<16>()?))),
        Kind::Ns => Data::NameServer(cursor.name()?),
        Kind::Mx => {
            cursor.skip(2)?;
            Data::Mail(cursor.name()?)
        }
        Kind::Srv => {
            cursor.skip(4)?;
            let port = cursor.u16()?;
            Data::Service { port, target: cursor.name()? }
        }
    })
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = self.bytes.get(self.at..self.at.checked_add(N)?)?.try_into().ok()?;
        self.at += N;
        Some(array)
    }

    fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn skip(&mut self, len: usize) -> Option<()> {
        self.at = self.at.checked_add(len).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }

    /// A name, also where it goes on elsewhere in the message.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut end = None;
        let mut n_jumps = 0;
        loop {
            let len = self.u8()?;
            match len {
                0 => break,
                0xc0.. => {
                    let offset = u16::from_be_bytes([len & 0x3f, self.u8()?]);
                    end.get_or_insert(self.at);
                    self.at = usize::from(offset);
                    n_jumps += 1;
                    if n_jumps > JUMPS_MAX {
                        return None;
                    }
                }
                1..64 => {
                    let label = self.bytes.get(self.at..self.at + usize::from(len))?;
                    self.at += usize::from(len);
                    name.push_str(&String::from_utf8_lossy(label));
                    name.push('.');
                    if name.len() > NAME_BYTES_MAX {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        if let Some(end) = end {
            self.at = end;
        }
        if name.is_empty() {
            name.push('.');
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Data, Kind, answer, question};

    #[test]
    fn questions_are_written() {
        let bytes = question(0x1234, "a.bc.", Kind::Srv).expect("it is a name");
        let expected = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x02bc\0\0\x21\0\x01";
        assert_eq!(bytes, expected);
        assert_eq!(question(0, "a..b", Kind::A), None);
        assert_eq!(question(0, &"x".repeat(64), Kind::A), None);
    }

    #[test]
    fn answers_are_read_whatever_they_hold() {
        let mut bytes = b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x02bc\0\0\x21\0\x01".to_vec();
        bytes.extend(b"\xc0\x0c\0\x21\0\x01\0\0\0\x05\0\x0b\0\0\0\0\x23\x8c\x02n1\xc0\x0e");
        let service = Data::Service { target: "n1.bc.".to_owned(), port: 9100 };
        assert_eq!(answer(&bytes, 1, Kind::Srv), Ok(Answer::Records(vec![service])));
        assert!(answer(&bytes, 2, Kind::Srv).is_err());
        for len in 0..bytes.len() {
            assert!(answer(&bytes[..len], 1, Kind::Srv).is_err(), "{len}");
        }
        bytes[3] = 0x83;
        assert_eq!(answer(&bytes, 1, Kind::Srv), Ok(Answer::NoSuchName));
        bytes[2] = 0x83;
        assert_eq!(answer(&bytes, 1, Kind::Srv), Ok(Answer::Truncated));
    }

    #[test]
    fn names_in_circles_end() {
        let circle = b"\0\x01\x81\x80\0\x01\0\0\0\0\0\0\xc0\x0c\0\x21\0\x01";
        assert!(answer(circle, 1, Kind::Srv).is_err());
    }
}

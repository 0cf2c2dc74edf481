//! ZooKeeper's wire format: frames of numbers and texts, big-endian, with their lengths in front.

/// No frame is larger; servers refuse to store anything near that.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;

/// What is asked of a server. All questions are about one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    Exists = 3,
    Data = 4,
    Children = 8,
    Ping = 11,
}

/// The number of a ping, and of what the server says by itself.
pub(super) const PING: i32 = -2;
const WATCH: i32 = -1;

const NO_NODE: i32 = -101;

/// What happened to a node that is watched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) path: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Created,
    Deleted,
    Data,
    Children,
}

/// A frame from the server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Event(Event),
    /// Says nothing about a node.
    Other,
    /// Nothing in it if there is no such node.
    Answer {
        number: i32,
        body: Option<Vec<u8>>,
    },
}

/// The first frame: who we are (nobody yet), and how long a silence we take.
pub(super) fn greeting(timeout_millis: i32) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(0_i32.to_be_bytes()); // the protocol's version
    body.extend(0_i64.to_be_bytes()); // the last transaction that we have seen
    body.extend(timeout_millis.to_be_bytes());
    body.extend(0_i64.to_be_bytes()); // a new session
    put_bytes(&mut body, &[0; 16]); // its password
    frame(&body)
}

/// The time-out that the server agrees to; none if it refuses.
pub(super) fn read_greeting(frame: &[u8]) -> Option<i32> {
    let mut reader = Reader(frame);
    reader.i32()?;
    reader.i32().filter(|timeout| *timeout > 0)
}

/// A question with a watch: the server says when the answer changes.
pub(super) fn question(number: i32, question: Question, path: &str) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(number.to_be_bytes());
    body.extend((question as i32).to_be_bytes());
    if question != Question::Ping {
        put_bytes(&mut body, path.as_bytes());
        body.push(1);
    }
    frame(&body)
}

/// Nothing if the frame makes no sense.
pub(super) fn read(frame: &[u8]) -> Option<Message> {
    let mut reader = Reader(frame);
    let (number, _transaction, error) = (reader.i32()?, reader.i64()?, reader.i32()?);
    if number == WATCH {
        let (kind, _state, path) = (reader.i32()?, reader.i32()?, reader.bytes()?);
        let kind = match kind {
            1 => Kind::Created,
            2 => Kind::Deleted,
            3 => Kind::Data,
            4 => Kind::Children,
            _ => return Some(Message::Other),
        };
        let path = String::from_utf8(path.to_vec()).ok()?;
        return Some(Message::Event(Event { path, kind }));
    }
    match error {
        0 => Some(Message::Answer { number, body: Some(reader.0.to_vec()) }),
        NO_NODE => Some(Message::Answer { number, body: None }),
        _ => None,
    }
}

/// The data of a node in an answer.
pub(super) fn read_data(body: &[u8]) -> Option<Vec<u8>> {
    Reader(body).bytes().map(<[u8]>::to_vec)
}

/// The names of a node's children in an answer.
pub(super) fn read_children(body: &[u8]) -> Option<Vec<String>> {
    let mut reader = Reader(body);
    let n_children = reader.i32()?;
    let names = (0..n_children).map(|_| String::from_utf8(reader.bytes()?.to_vec()).ok());
    names.collect()
}

fn frame(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(4 + body.len());
    put_bytes(&mut out, body);
    out
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = i32::try_from(bytes.len()).expect("our own texts are short");
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn i32(&mut self) -> Option<i32> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i32::from_be_bytes(*first))
    }

    fn i64(&mut self) -> Option<i64> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(i64::from_be_bytes(*first))
    }

    /// A length of -1 means nothing, as Java's null.
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = match self.i32()? {
            -1 => 0,
            length => usize::try_from(length).ok()?,
        };
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rubbish_is_refused() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0; 15]), None);
        assert_eq!(read_children(&[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1]), None);
        assert_eq!(read_data(&[0x7f, 0xff, 0xff, 0xff, 0]), None);
        assert_eq!(read_greeting(&[0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}

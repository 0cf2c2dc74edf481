//! Streams: one exchange on a connection of its own.

use stdx::cursor::Cursor;

use super::{
    compression, kind,
    message::{Ack, NodeState, Ping},
    msgpack, packet,
};
use crate::{Error, Result};

/// More nodes than that, upstream does not believe.
const NODES_MAX: usize = 1 << 20;
/// Upstream's limit for a state and for a message.
const USER_BYTES_MAX: usize = 20 * 1024 * 1024;
/// Bytes that are kept before they make a message.
const BUFFERED_BYTES_MAX: usize = compression::PLAIN_BYTES_MAX + 64 * 1024;

/// A message on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    PushPull(PushPull),
    User(Vec<u8>),
    Ping(Ping),
    Ack(Ack),
    Error(String),
}

/// All that a node knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushPull {
    /// The sender comes to a cluster that it does not know.
    pub is_join: bool,
    pub nodes: Vec<NodeState>,
    pub user_state: Vec<u8>,
}

impl Exchange {
    /// All bytes of the stream in this direction. Upstream compresses always here, and expects
    /// either.
    pub fn to_bytes(&self, label: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        packet::write_label(&mut bytes, label);
        bytes.extend(compression::wrap(&self.to_plain()));
        bytes
    }

    pub(crate) fn to_plain(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Exchange::PushPull(state) => {
                out.reserve(64 + 96 * state.nodes.len() + state.user_state.len());
                out.push(kind::PUSH_PULL);
                msgpack::write_map(&mut out, 3);
                msgpack::write_raw(&mut out, b"Join");
                msgpack::write_bool(&mut out, state.is_join);
                msgpack::write_raw(&mut out, b"Nodes");
                msgpack::write_signed(&mut out, state.nodes.len());
                msgpack::write_raw(&mut out, b"UserStateLen");
                msgpack::write_signed(&mut out, state.user_state.len());
                for node in &state.nodes {
                    node.write(&mut out);
                }
                out.extend(&state.user_state);
            }
            Exchange::User(bytes) => {
                out.reserve(24 + bytes.len());
                out.push(kind::USER);
                msgpack::write_map(&mut out, 1);
                msgpack::write_raw(&mut out, b"UserMsgLen");
                msgpack::write_signed(&mut out, bytes.len());
                out.extend(bytes);
            }
            Exchange::Ping(ping) => ping.write(&mut out),
            Exchange::Ack(ack) => ack.write(&mut out),
            Exchange::Error(text) => {
                out.push(kind::ERROR);
                msgpack::write_map(&mut out, 1);
                msgpack::write_raw(&mut out, b"Error");
                msgpack::write_raw(&mut out, text.as_bytes());
            }
        }
        out
    }
}

/// Puts a message together from the bytes of a stream as they come. What has been understood is
/// not read again when more arrives.
#[derive(Debug)]
pub struct Decoder {
    label: String,
    bytes: Vec<u8>,
    /// What has been understood of `bytes`.
    n_read: usize,
    stage: Stage,
    is_decompressed: bool,
}

#[derive(Debug)]
enum Stage {
    Label,
    Kind,
    Compressed,
    Ping,
    Ack,
    Error,
    UserHeader,
    User { len: usize },
    PushPullHeader,
    Nodes { state: PushPull, n_nodes: usize, user_len: usize },
    UserState { state: PushPull, user_len: usize },
}

impl Decoder {
    pub fn new(label: &str) -> Decoder {
        Decoder {
            label: label.to_owned(),
            bytes: Vec::new(),
            n_read: 0,
            stage: Stage::Label,
            is_decompressed: false,
        }
    }

    /// Whether nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes the next bytes; gives the message once it is whole.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Exchange>> {
        if self.bytes.len() + bytes.len() > BUFFERED_BYTES_MAX {
            return Err(Error::TooLarge { what: "stream", limit: BUFFERED_BYTES_MAX });
        }
        self.bytes.extend(bytes);
        loop {
            match self.step() {
                Ok(Some(exchange)) => return Ok(Some(exchange)),
                Ok(None) => {}
                Err(Error::Truncated(_)) if !self.is_decompressed => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Understands one thing more, or says that it is not there yet and changes nothing.
    fn step(&mut self) -> Result<Option<Exchange>> {
        let mut cursor = Cursor::new(&self.bytes[self.n_read..]);
        let done = match &mut self.stage {
            Stage::Label => {
                if cursor.is_empty() {
                    return Err(Error::Truncated("stream"));
                }
                let (label, rest) = packet::split_label(cursor.rest())?;
                if label != self.label.as_bytes() {
                    return Err(Error::Label(String::from_utf8_lossy(label).into_owned()));
                }
                cursor = Cursor::new(rest);
                self.stage = Stage::Kind;
                None
            }
            Stage::Kind => {
                let kind = cursor.byte().ok_or(Error::Truncated("stream"))?;
                self.stage = match kind {
                    kind::COMPRESSED if !self.is_decompressed => Stage::Compressed,
                    kind::PUSH_PULL => Stage::PushPullHeader,
                    kind::USER => Stage::UserHeader,
                    kind::PING => Stage::Ping,
                    kind::ACK => Stage::Ack,
                    kind::ERROR => Stage::Error,
                    kind::ENCRYPTED => return Err(Error::Encrypted),
                    other => return Err(Error::UnknownType(other)),
                };
                None
            }
            Stage::Compressed => {
                let limit = compression::PLAIN_BYTES_MAX;
                let plain = compression::unwrap(&mut cursor, limit)?;
                self.bytes = plain;
                self.n_read = 0;
                self.is_decompressed = true;
                self.stage = Stage::Kind;
                return Ok(None);
            }
            Stage::Ping => Some(Exchange::Ping(Ping::read(&mut cursor)?)),
            Stage::Ack => Some(Exchange::Ack(Ack::read(&mut cursor)?)),
            Stage::Error => Some(Exchange::Error(read_error(&mut cursor)?)),
            Stage::UserHeader => {
                self.stage = Stage::User { len: read_user_len(&mut cursor)? };
                None
            }
            Stage::User { len } => {
                let bytes = cursor.bytes(*len).ok_or(Error::Truncated("user message"))?;
                Some(Exchange::User(bytes.to_vec()))
            }
            Stage::PushPullHeader => {
                let (state, n_nodes, user_len) = read_push_pull_header(&mut cursor)?;
                self.stage = Stage::Nodes { state, n_nodes, user_len };
                None
            }
            Stage::Nodes { state, n_nodes, user_len } => {
                if state.nodes.len() < *n_nodes {
                    state.nodes.push(NodeState::read(&mut cursor)?);
                } else {
                    let (state, user_len) = (std::mem::take(state), *user_len);
                    self.stage = Stage::UserState { state, user_len };
                }
                None
            }
            Stage::UserState { state, user_len } => {
                let bytes = cursor.bytes(*user_len).ok_or(Error::Truncated("user state"))?;
                state.user_state = bytes.to_vec();
                Some(Exchange::PushPull(std::mem::take(state)))
            }
        };
        self.n_read = self.bytes.len() - cursor.rest().len();
        Ok(done)
    }
}

fn read_error(cursor: &mut Cursor<'_>) -> Result<String> {
    let mut text = String::new();
    msgpack::read_map(cursor, "error", |key, value| {
        if key == b"Error" {
            text = value.text("Error")?;
        }
        Ok(())
    })?;
    Ok(text)
}

fn read_user_len(cursor: &mut Cursor<'_>) -> Result<usize> {
    let mut len = 0_usize;
    msgpack::read_map(cursor, "user message", |key, value| {
        if key == b"UserMsgLen" {
            len = value.number("UserMsgLen")?;
        }
        Ok(())
    })?;
    limited(len, USER_BYTES_MAX, "user message")
}

fn read_push_pull_header(cursor: &mut Cursor<'_>) -> Result<(PushPull, usize, usize)> {
    let mut state = PushPull::default();
    let (mut n_nodes, mut user_len) = (0_usize, 0_usize);
    msgpack::read_map(cursor, "push/pull", |key, value| {
        match key {
            b"Nodes" => n_nodes = value.number("Nodes")?,
            b"UserStateLen" => user_len = value.number("UserStateLen")?,
            b"Join" => state.is_join = value.bool("Join")?,
            _ => {}
        }
        Ok(())
    })?;
    let n_nodes = limited(n_nodes, NODES_MAX, "list of nodes")?;
    Ok((state, n_nodes, limited(user_len, USER_BYTES_MAX, "user state")?))
}

fn limited(len: usize, limit: usize, what: &'static str) -> Result<usize> {
    if len > limit { Err(Error::TooLarge { what, limit }) } else { Ok(len) }
}

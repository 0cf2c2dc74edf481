//! Frames of gossip over TLS: what a connection begins with, and packets on it.

use prost::Message as _;
use proto::cluster::{MemberlistMessage, memberlist_message::Kind};

use crate::{Error, Result};

const VERSION: &str = "v0.1.0";
/// A packet is a datagram elsewhere, so a frame has no reason to be longer.
const FRAME_BYTES_MAX: usize = 128 << 10;
/// The length that stands before each frame.
pub const LENGTH_BYTES: usize = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// All that follows is a stream.
    Stream,
    /// One packet; others may follow.
    Packet {
        /// Where the sender listens, in its words.
        from: String,
        bytes: Vec<u8>,
    },
}

impl Frame {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut message = MemberlistMessage { version: VERSION.to_owned(), ..Default::default() };
        if let Frame::Packet { from, bytes } = self {
            message.set_kind(Kind::Packet);
            message.from_addr = from.clone();
            message.msg = bytes.clone();
        }
        let len = message.encoded_len();
        let mut out = Vec::with_capacity(LENGTH_BYTES + len);
        out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
        message.encode(&mut out).expect("a Vec grows as needed");
        out
    }

    /// Reads a frame without its length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Frame> {
        let message =
            MemberlistMessage::decode(bytes).map_err(|_| Error::Malformed("frame of gossip"))?;
        if message.version != VERSION {
            return Err(Error::Malformed("version of a frame"));
        }
        match message.kind() {
            Kind::Stream => Ok(Frame::Stream),
            Kind::Packet => Ok(Frame::Packet { from: message.from_addr, bytes: message.msg }),
        }
    }
}

/// How long a frame is, from the bytes before it.
pub fn frame_len(bytes: [u8; LENGTH_BYTES]) -> Result<usize> {
    let len = u32::from_le_bytes(bytes) as usize;
    if len > FRAME_BYTES_MAX {
        Err(Error::TooLarge { what: "frame", limit: FRAME_BYTES_MAX })
    } else {
        Ok(len)
    }
}

//! The messages themselves: a byte that says which, then a struct.

use std::net::IpAddr;

use stdx::cursor::Cursor;

use super::{
    kind,
    msgpack::{self, Value},
};
use crate::{Error, Result};

/// Protocol versions: least, greatest and current, of memberlist and of what it carries.
pub type Versions = [u8; 6];

/// A message in a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    Ping(Ping),
    IndirectPing(IndirectPing),
    Ack(Ack),
    Nack(u32),
    Suspect(Accusation),
    Alive(Alive),
    Dead(Accusation),
    User(&'a [u8]),
}

/// Are you there?
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ping {
    pub sequence: u32,
    /// Who is meant; another one at the same address must not answer.
    pub node: String,
    pub source: Source,
}

/// Who asks, and where the answer goes; without an address, to where the packet came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    pub address: Option<IpAddr>,
    pub port: u16,
    pub node: String,
}

/// Ask somebody else for me whether they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndirectPing {
    pub sequence: u32,
    pub target: IpAddr,
    pub port: u16,
    pub node: String,
    /// Say so if they do not answer.
    pub wants_nack: bool,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ack {
    pub sequence: u32,
    /// Empty in an own answer, missing in one that is passed on.
    pub payload: Option<Vec<u8>>,
}

/// `from` thinks that `node` is in trouble, or gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accusation {
    pub incarnation: u32,
    pub node: String,
    /// The node itself if it leaves.
    pub from: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    pub incarnation: u32,
    pub node: String,
    pub address: IpAddr,
    pub port: u16,
    pub meta: Option<Vec<u8>>,
    pub versions: Versions,
}

/// What one node thinks of another, as a full exchange says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    pub name: String,
    pub address: IpAddr,
    pub port: u16,
    pub meta: Option<Vec<u8>>,
    pub incarnation: u32,
    pub condition: Condition,
    pub versions: Versions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    Alive = 0,
    Suspect = 1,
    Dead = 2,
    Left = 3,
}

impl Message<'_> {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        self.write(&mut out);
        out
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Message::Ping(ping) => ping.write(out),
            Message::IndirectPing(ping) => ping.write(out),
            Message::Ack(ack) => ack.write(out),
            Message::Nack(sequence) => {
                out.push(kind::NACK);
                msgpack::write_map(out, 1);
                write_unsigned(out, "SeqNo", *sequence);
            }
            Message::Suspect(accusation) => accusation.write(kind::SUSPECT, out),
            Message::Dead(accusation) => accusation.write(kind::DEAD, out),
            Message::Alive(alive) => alive.write(out),
            Message::User(bytes) => {
                out.push(kind::USER);
                out.extend(*bytes);
            }
        }
    }

    /// Reads one message of a packet; what holds others is not for here.
    pub fn parse(bytes: &[u8]) -> Result<Message<'_>> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.byte().ok_or(Error::Truncated("message type"))?;
        Ok(match kind {
            kind::PING => Message::Ping(Ping::read(&mut cursor)?),
            kind::INDIRECT_PING => Message::IndirectPing(IndirectPing::read(&mut cursor)?),
            kind::ACK => Message::Ack(Ack::read(&mut cursor)?),
            kind::NACK => Message::Nack(Ack::read(&mut cursor)?.sequence),
            kind::SUSPECT => Message::Suspect(Accusation::read(&mut cursor, "suspect")?),
            kind::DEAD => Message::Dead(Accusation::read(&mut cursor, "dead")?),
            kind::ALIVE => Message::Alive(Alive::read(&mut cursor)?),
            kind::USER => Message::User(cursor.rest()),
            other => return Err(Error::UnknownType(other)),
        })
    }
}

impl Ping {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(kind::PING);
        msgpack::write_map(out, 2 + self.source.n_fields());
        write_text(out, "Node", &self.node);
        write_unsigned(out, "SeqNo", self.sequence);
        self.source.write(out);
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Ping> {
        let mut ping = Ping::default();
        msgpack::read_map(cursor, "ping", |key, value| {
            match key {
                b"Node" => ping.node = value.text("Node")?,
                b"SeqNo" => ping.sequence = value.number("SeqNo")?,
                key => ping.source.read_field(key, value)?,
            }
            Ok(())
        })?;
        Ok(ping)
    }
}

impl Source {
    fn n_fields(&self) -> u8 {
        u8::from(self.address.is_some())
            + u8::from(self.port != 0)
            + u8::from(!self.node.is_empty())
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(address) = self.address {
            write_address(out, "SourceAddr", address);
        }
        if !self.node.is_empty() {
            write_text(out, "SourceNode", &self.node);
        }
        if self.port != 0 {
            write_unsigned(out, "SourcePort", u32::from(self.port));
        }
    }

    fn read_field(&mut self, key: &[u8], value: Value<'_>) -> Result<()> {
        match key {
            b"SourceAddr" => {
                // Empty means none, as does nil.
                let bytes = value.raw("SourceAddr")?.filter(|bytes| !bytes.is_empty());
                self.address = bytes.map(|bytes| address(bytes, "SourceAddr")).transpose()?;
            }
            b"SourcePort" => self.port = value.number("SourcePort")?,
            b"SourceNode" => self.node = value.text("SourceNode")?,
            _ => {}
        }
        Ok(())
    }
}

impl IndirectPing {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(kind::INDIRECT_PING);
        msgpack::write_map(out, 5 + self.source.n_fields());
        msgpack::write_raw(out, b"Nack");
        msgpack::write_bool(out, self.wants_nack);
        write_text(out, "Node", &self.node);
        write_unsigned(out, "Port", u32::from(self.port));
        write_unsigned(out, "SeqNo", self.sequence);
        self.source.write(out);
        write_address(out, "Target", self.target);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<IndirectPing> {
        let mut ping = IndirectPing {
            sequence: 0,
            target: UNSPECIFIED,
            port: 0,
            node: String::new(),
            wants_nack: false,
            source: Source::default(),
        };
        msgpack::read_map(cursor, "indirect ping", |key, value| {
            match key {
                b"SeqNo" => ping.sequence = value.number("SeqNo")?,
                b"Target" => ping.target = required_address(value, "Target")?,
                b"Port" => ping.port = value.number("Port")?,
                b"Node" => ping.node = value.text("Node")?,
                b"Nack" => ping.wants_nack = value.bool("Nack")?,
                key => ping.source.read_field(key, value)?,
            }
            Ok(())
        })?;
        Ok(ping)
    }
}

impl Ack {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(kind::ACK);
        msgpack::write_map(out, 2);
        msgpack::write_raw(out, b"Payload");
        msgpack::write_optional_raw(out, self.payload.as_deref());
        write_unsigned(out, "SeqNo", self.sequence);
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Ack> {
        let mut ack = Ack::default();
        msgpack::read_map(cursor, "ack", |key, value| {
            match key {
                b"SeqNo" => ack.sequence = value.number("SeqNo")?,
                b"Payload" => ack.payload = value.raw("Payload")?.map(<[u8]>::to_vec),
                _ => {}
            }
            Ok(())
        })?;
        Ok(ack)
    }
}

impl Accusation {
    fn write(&self, kind: u8, out: &mut Vec<u8>) {
        out.push(kind);
        msgpack::write_map(out, 3);
        write_text(out, "From", &self.from);
        write_unsigned(out, "Incarnation", self.incarnation);
        write_text(out, "Node", &self.node);
    }

    fn read(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Accusation> {
        let mut accusation = Accusation::default();
        msgpack::read_map(cursor, what, |key, value| {
            match key {
                b"Incarnation" => accusation.incarnation = value.number("Incarnation")?,
                b"Node" => accusation.node = value.text("Node")?,
                b"From" => accusation.from = value.text("From")?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(accusation)
    }
}

impl Alive {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(kind::ALIVE);
        msgpack::write_map(out, 6);
        write_address(out, "Addr", self.address);
        write_unsigned(out, "Incarnation", self.incarnation);
        msgpack::write_raw(out, b"Meta");
        msgpack::write_optional_raw(out, self.meta.as_deref());
        write_text(out, "Node", &self.node);
        write_unsigned(out, "Port", u32::from(self.port));
        msgpack::write_raw(out, b"Vsn");
        msgpack::write_raw(out, &self.versions);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Alive> {
        let mut alive = Alive {
            incarnation: 0,
            node: String::new(),
            address: UNSPECIFIED,
            port: 0,
            meta: None,
            versions: Versions::default(),
        };
        let mut has_versions = false;
        msgpack::read_map(cursor, "alive", |key, value| {
            match key {
                b"Incarnation" => alive.incarnation = value.number("Incarnation")?,
                b"Node" => alive.node = value.text("Node")?,
                b"Addr" => alive.address = required_address(value, "Addr")?,
                b"Port" => alive.port = value.number("Port")?,
                b"Meta" => alive.meta = value.raw("Meta")?.map(<[u8]>::to_vec),
                b"Vsn" => {
                    let bytes = value.raw("Vsn")?.unwrap_or_default();
                    has_versions = bytes.len() >= alive.versions.len();
                    read_versions(bytes, &mut alive.versions);
                }
                _ => {}
            }
            Ok(())
        })?;
        // Upstream's Alertmanager drops those of nodes that do not say all their versions.
        if has_versions { Ok(alive) } else { Err(Error::Malformed("Vsn")) }
    }
}

impl NodeState {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        msgpack::write_map(out, 7);
        write_address(out, "Addr", self.address);
        write_unsigned(out, "Incarnation", self.incarnation);
        msgpack::write_raw(out, b"Meta");
        msgpack::write_optional_raw(out, self.meta.as_deref());
        write_text(out, "Name", &self.name);
        write_unsigned(out, "Port", u32::from(self.port));
        msgpack::write_raw(out, b"State");
        msgpack::write_signed(out, self.condition as usize);
        msgpack::write_raw(out, b"Vsn");
        msgpack::write_raw(out, &self.versions);
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<NodeState> {
        let mut state = NodeState {
            name: String::new(),
            address: UNSPECIFIED,
            port: 0,
            meta: None,
            incarnation: 0,
            condition: Condition::Alive,
            versions: Versions::default(),
        };
        msgpack::read_map(cursor, "node state", |key, value| {
            match key {
                b"Name" => state.name = value.text("Name")?,
                b"Addr" => state.address = required_address(value, "Addr")?,
                b"Port" => state.port = value.number("Port")?,
                b"Meta" => state.meta = value.raw("Meta")?.map(<[u8]>::to_vec),
                b"Incarnation" => state.incarnation = value.number("Incarnation")?,
                b"State" => {
                    state.condition = match value.number::<u8>("State")? {
                        0 => Condition::Alive,
                        1 => Condition::Suspect,
                        2 => Condition::Dead,
                        3 => Condition::Left,
                        _ => return Err(Error::Malformed("State")),
                    }
                }
                b"Vsn" => {
                    let bytes = value.raw("Vsn")?.unwrap_or_default();
                    read_versions(bytes, &mut state.versions);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(state)
    }
}

const UNSPECIFIED: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

fn read_versions(bytes: &[u8], versions: &mut Versions) {
    for (version, byte) in versions.iter_mut().zip(bytes) {
        *version = *byte;
    }
}

fn required_address(value: Value<'_>, what: &'static str) -> Result<IpAddr> {
    address(value.raw(what)?.unwrap_or_default(), what)
}

/// Nodes compare addresses byte by byte: a mapped IPv4 address stays one of sixteen bytes.
fn address(bytes: &[u8], what: &'static str) -> Result<IpAddr> {
    match bytes.len() {
        4 => Ok(IpAddr::from(<[u8; 4]>::try_from(bytes).expect("it has four bytes"))),
        16 => Ok(IpAddr::from(<[u8; 16]>::try_from(bytes).expect("it has sixteen bytes"))),
        _ => Err(Error::Malformed(what)),
    }
}

fn write_address(out: &mut Vec<u8>, key: &str, address: IpAddr) {
    msgpack::write_raw(out, key.as_bytes());
    match address {
        IpAddr::V4(address) => msgpack::write_raw(out, &address.octets()),
        IpAddr::V6(address) => msgpack::write_raw(out, &address.octets()),
    }
}

fn write_text(out: &mut Vec<u8>, key: &str, text: &str) {
    msgpack::write_raw(out, key.as_bytes());
    msgpack::write_raw(out, text.as_bytes());
}

fn write_unsigned(out: &mut Vec<u8>, key: &str, value: u32) {
    msgpack::write_raw(out, key.as_bytes());
    msgpack::write_unsigned(out, value);
}

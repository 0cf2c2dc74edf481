//! How news travels: a few nodes at a time, and in whatever packet goes out anyway.

use std::{net::SocketAddr, time::Duration};

use super::{CHECKSUM_SINCE, Event, Membership, Output, PACKET_BYTES, member::Entry};
use crate::{
    queue::retransmit_limit,
    wire::{
        kind,
        message::Message,
        packet::{self, COMPOUND_OVERHEAD, PART_OVERHEAD, PARTS_MAX},
    },
};

/// News about members is sent so many times, times the digits of the number of nodes.
const NEWS_RETRANSMITS: u32 = 4;
/// So long the dead are told, too, so that they may object.
pub(super) const GOSSIP_TO_DEAD: Duration = Duration::from_secs(30);
/// The type byte of a user message.
const USER_OVERHEAD: usize = 1;

impl Membership {
    pub(super) fn gossip(&mut self, now: Duration) {
        if self.news.is_empty() && self.user_messages.is_empty() {
            return;
        }
        let own_name = &self.config.name;
        let chosen = self.pick(self.config.fan_out, |name, entry| {
            let is_long_gone = entry.is_gone() && now > entry.since + GOSSIP_TO_DEAD;
            name != own_name && !is_long_gone
        });
        let room = PACKET_BYTES - COMPOUND_OVERHEAD - packet::label_overhead(&self.config.label);
        for (_, entry) in chosen {
            let mut parts = self.take_news(room);
            match parts.len() {
                0 => return,
                1 => self.send_to_node(&entry, parts.remove(0)),
                _ => {
                    for parts in parts.chunks(PARTS_MAX) {
                        self.send_to_node(&entry, packet::join(parts));
                    }
                }
            }
        }
    }

    /// Messages that fit beside others in `room` bytes: about members first, then the users'.
    fn take_news(&mut self, room: usize) -> Vec<Vec<u8>> {
        let limit = retransmit_limit(NEWS_RETRANSMITS, self.nodes.len());
        let mut parts = self.news.take(PART_OVERHEAD, room, limit);
        let n_used: usize = parts.iter().map(|part| part.len() + PART_OVERHEAD).sum();
        let room = room.saturating_sub(n_used);
        if self.user_messages.is_empty() || room <= PART_OVERHEAD + USER_OVERHEAD {
            return parts;
        }
        let limit = retransmit_limit(self.config.user_retransmits, self.n_members());
        for message in self.user_messages.take(PART_OVERHEAD + USER_OVERHEAD, room, limit) {
            self.emit(Event::UserSent { bytes: message.len() });
            let mut part = Vec::with_capacity(message.len() + USER_OVERHEAD);
            part.push(kind::USER);
            part.extend(message);
            parts.push(part);
        }
        parts
    }

    /// Sends a message, and with it what news fits beside it.
    pub(super) fn send(&mut self, to: SocketAddr, message: &Message<'_>) {
        let message = message.to_bytes();
        let overhead = COMPOUND_OVERHEAD + packet::label_overhead(&self.config.label);
        let room = PACKET_BYTES.saturating_sub(message.len() + overhead);
        let mut parts = self.take_news(room);
        if parts.is_empty() {
            return self.send_body(to, message, false);
        }
        parts.insert(0, message);
        // Beyond what its number can say nothing fits in a packet.
        parts.truncate(PARTS_MAX);
        self.send_body(to, packet::join(&parts), false);
    }

    /// Sends to a node whose versions are known, which is why there is a checksum.
    pub(super) fn send_to_node(&mut self, entry: &Entry, body: Vec<u8>) {
        self.send_body(entry.address, body, entry.versions[1] >= CHECKSUM_SINCE);
    }

    fn send_body(&mut self, to: SocketAddr, body: Vec<u8>, has_checksum: bool) {
        let to = SocketAddr::new(to.ip().to_canonical(), to.port());
        let bytes = packet::wrap(&self.config.label, body, has_checksum);
        self.outputs.push(Output::Packet { to, bytes });
    }
}

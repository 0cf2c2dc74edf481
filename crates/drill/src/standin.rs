//! Stands in for keepalived on two machines: adverts over the links, checks, notify scripts.
//!
//! The protocol is in [`vrrp`](crate::vrrp); this passes the adverts on and starts and stops what
//! the notify scripts of the recipe start and stop.

use crate::{
    links::{Links, Party},
    parts::Parts,
    topology::member_name,
    vrrp::{Input, Node, Output},
};

/// As often as `vrrp_script` runs (`interval 1`).
const CHECK_MS: i64 = 1000;

pub(crate) struct Standin {
    nodes: [Node; 2],
    /// Of a Prometheus that starts no check is made for a while, or it would never start.
    check_from_ms: [i64; 2],
    next_check_ms: i64,
    links: Links,
}

impl Standin {
    pub(crate) fn new(links: Links) -> Standin {
        let nodes = [Node::new(150), Node::new(100)];
        Standin { nodes, check_from_ms: [0; 2], next_check_ms: 0, links }
    }

    /// The member whose Prometheus has the virtual address.
    pub(crate) fn master(&self) -> Option<usize> {
        self.nodes.iter().position(Node::is_master)
    }

    pub(crate) fn is_away(&self, member: usize) -> bool {
        self.nodes[member].state == crate::vrrp::State::Away
    }

    /// Time passes; `healthy` says whose Prometheus answers.
    pub(crate) fn tick(
        &mut self,
        now_ms: i64,
        healthy: &[bool],
        parts: &mut Parts,
    ) -> anyhow::Result<()> {
        let is_time_to_check = now_ms >= self.next_check_ms;
        if is_time_to_check {
            self.next_check_ms = now_ms + CHECK_MS;
        }
        for (member, is_healthy) in healthy.iter().enumerate().take(2) {
            if is_time_to_check && now_ms >= self.check_from_ms[member] {
                self.tell(now_ms, member, Input::Check(*is_healthy), parts)?;
            }
            self.tell(now_ms, member, Input::Tick, parts)?;
        }
        Ok(())
    }

    pub(crate) fn tell(
        &mut self,
        now_ms: i64,
        member: usize,
        input: Input,
        parts: &mut Parts,
    ) -> anyhow::Result<()> {
        for output in self.nodes[member].handle(now_ms, input) {
            match output {
                Output::Start => {
                    self.check_from_ms[member] = now_ms + 5 * CHECK_MS;
                    parts.start(&member_name(member))?;
                }
                Output::Stop => {
                    parts.resume(&member_name(member));
                    parts.terminate(&member_name(member), false);
                }
                Output::Advert { priority } => {
                    let other = 1 - member;
                    if self.links.is_open(Party::Member(member), Party::Member(other)) {
                        self.tell(now_ms, other, Input::Advert { priority }, parts)?;
                    }
                }
            }
        }
        Ok(())
    }
}

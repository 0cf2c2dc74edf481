//! Frames as protobuf; long outcomes in pieces.

use std::{collections::BTreeMap, time::Duration};

use bytes::{Bytes, BytesMut};
use proto::vesta::cluster::v1::{self, frame::Frame as Kind, share::Kind as ShareKind};

use crate::{
    MemberId, acks,
    frame::{AckGroup, Acks, Echo, Frame, Heartbeat, Payload, Share, Shared, SlotId},
    lease::gossip::{EPOCH_MAX, Rank, Word},
};

/// Members that speak another protocol are not linked.
pub(crate) const PROTOCOL: u32 = 1;
/// A larger outcome is not shared.
pub(crate) const OUTCOME_BYTES_MAX: usize = 64 << 20;
/// Outcomes of one peer of which pieces are missing.
const PARTIAL_BYTES_MAX: usize = 2 * OUTCOME_BYTES_MAX;
/// Longer ones would keep heartbeats waiting.
pub(crate) const PIECE_BYTES: usize = 128 << 10;
/// The largest frame: a piece or acknowledgements, with room for the rest.
pub(crate) const FRAME_BYTES_MAX: usize = 1 << 20;

/// The other member sent what makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it sent a frame that makes no sense: {0}")]
pub(crate) struct Malformed(&'static str);

/// A frame without an outcome, ready to be sent.
pub(crate) fn encode(frame: Frame) -> v1::Frame {
    let kind = match frame {
        Frame::Heartbeat(heartbeat) => Kind::Heartbeat(encode_heartbeat(&heartbeat)),
        Frame::Goodbye => Kind::Goodbye(v1::Goodbye {}),
        Frame::Share(id, share) => {
            let (kind, outcome) = match share {
                Share::Want => (ShareKind::Want, None),
                Share::Ask => (ShareKind::Ask, None),
                Share::Unknown => (ShareKind::Unknown, None),
                Share::Took => (ShareKind::Took, None),
                Share::Offer(shared) => (ShareKind::Offer, Some(piece(&shared, 0, usize::MAX))),
                Share::Have(shared) => (ShareKind::Have, Some(piece(&shared, 0, usize::MAX))),
            };
            Kind::Share(v1::Share { key: id.key, slot: id.slot, kind: kind.into(), outcome })
        }
        Frame::Acks(acks) => Kind::Acks(v1::Acks {
            queue: acks.queue,
            groups: acks.groups.into_iter().map(encode_group).collect(),
        }),
    };
    v1::Frame { frame: Some(kind) }
}

/// A piece of an outcome, from `offset` on.
pub(crate) fn encode_piece(
    id: SlotId,
    is_offer: bool,
    shared: &Shared,
    offset: usize,
) -> v1::Frame {
    let kind = if is_offer { ShareKind::Offer } else { ShareKind::Have };
    let outcome = Some(piece(shared, offset, PIECE_BYTES));
    let share = v1::Share { key: id.key, slot: id.slot, kind: kind.into(), outcome };
    v1::Frame { frame: Some(Kind::Share(share)) }
}

fn piece(shared: &Shared, offset: usize, len_max: usize) -> v1::Outcome {
    let bytes = &shared.payload.bytes;
    let end = bytes.len().min(offset.saturating_add(len_max));
    v1::Outcome {
        by: shared.by.to_bytes(),
        failed: shared.has_failed,
        unpacked_len: shared.payload.unpacked_len.unwrap_or_default() as u64,
        len: bytes.len() as u64,
        offset: offset as u64,
        data: bytes.slice(offset.min(end)..end),
    }
}

fn encode_heartbeat(heartbeat: &Heartbeat) -> v1::Heartbeat {
    let word = &heartbeat.lease;
    v1::Heartbeat {
        sent_micros: micros(heartbeat.sent),
        wall_micros: micros(heartbeat.wall),
        echo_micros: heartbeat.echo.map_or(0, |echo| micros(echo.sent)),
        echo_age_micros: heartbeat.echo.map_or(0, |echo| micros(echo.age)),
        fingerprint: heartbeat.fingerprint,
        quarantined: heartbeat.is_quarantined,
        lease: Some(v1::Lease {
            claim: word.claim.unwrap_or_default(),
            holding: word.is_holding,
            promise_epoch: word.promise.map_or(0, |(epoch, _)| epoch),
            promise_to: word.promise.map_or_else(Vec::new, |(_, to)| to.to_bytes()),
            epoch: word.epoch,
            rank: word.rank as u32,
        }),
    }
}

fn encode_group(group: AckGroup) -> v1::AckGroup {
    let AckGroup { time, step, n_steps, series } = group;
    v1::AckGroup { time, step: u32::try_from(step).unwrap_or_default(), steps: n_steps, series }
}

/// What arrived.
#[derive(Debug, PartialEq)]
pub(crate) enum Arrived {
    Frame(Frame),
    /// A piece of something.
    Piece,
}

/// Puts pieces together.
#[derive(Default)]
pub(crate) struct Assembler {
    partial: BTreeMap<(SlotId, bool), (v1::Outcome, BytesMut)>,
    bytes: usize,
}

impl Assembler {
    pub(crate) fn take(&mut self, frame: v1::Frame) -> Result<Arrived, Malformed> {
        let frame = match frame.frame {
            Some(Kind::Heartbeat(heartbeat)) => Frame::Heartbeat(decode_heartbeat(&heartbeat)?),
            Some(Kind::Goodbye(_)) => Frame::Goodbye,
            Some(Kind::Share(share)) => return self.take_share(share),
            Some(Kind::Acks(acks)) => Frame::Acks(decode_acks(acks)?),
            Some(Kind::Hello(_)) => return Err(Malformed("a second hello")),
            // From a newer version of the same protocol.
            None => return Ok(Arrived::Piece),
        };
        Ok(Arrived::Frame(frame))
    }

    fn take_share(&mut self, share: v1::Share) -> Result<Arrived, Malformed> {
        let id = SlotId { key: share.key, slot: share.slot };
        let kind = share.kind();
        let plain = match kind {
            ShareKind::Unspecified => return Ok(Arrived::Piece),
            ShareKind::Want => Some(Share::Want),
            ShareKind::Ask => Some(Share::Ask),
            ShareKind::Unknown => Some(Share::Unknown),
            ShareKind::Took => Some(Share::Took),
            ShareKind::Offer | ShareKind::Have => None,
        };
        if let Some(share) = plain {
            return Ok(Arrived::Frame(Frame::Share(id, share)));
        }
        let outcome = share.outcome.ok_or(Malformed("an offer without an outcome"))?;
        let is_offer = kind == ShareKind::Offer;
        let Some(shared) = self.assemble(id, is_offer, outcome)? else {
            return Ok(Arrived::Piece);
        };
        let share = if is_offer { Share::Offer(shared) } else { Share::Have(shared) };
        Ok(Arrived::Frame(Frame::Share(id, share)))
    }

    fn assemble(
        &mut self,
        id: SlotId,
        is_offer: bool,
        mut outcome: v1::Outcome,
    ) -> Result<Option<Shared>, Malformed> {
        let (len, offset) = (outcome.len, outcome.offset);
        let end = offset.checked_add(outcome.data.len() as u64);
        if len > OUTCOME_BYTES_MAX as u64 || end.is_none_or(|end| end > len) {
            return Err(Malformed("an outcome that is too long"));
        }
        if offset == 0 {
            self.drop_partial(id, is_offer);
            if outcome.data.len() as u64 == len {
                let data = std::mem::take(&mut outcome.data);
                return decode_shared(&outcome, data).map(Some);
            }
            let data = std::mem::take(&mut outcome.data);
            self.bytes += data.len();
            self.partial.insert((id, is_offer), (outcome, BytesMut::from(&data[..])));
        } else {
            let partial = self.partial.get_mut(&(id, is_offer));
            let (first, bytes) = partial.ok_or(Malformed("a piece without a beginning"))?;
            if bytes.len() as u64 != offset || first.len != len || first.by != outcome.by {
                return Err(Malformed("pieces that do not fit"));
            }
            self.bytes += outcome.data.len();
            bytes.extend_from_slice(&outcome.data);
        }
        if self.bytes > PARTIAL_BYTES_MAX {
            return Err(Malformed("too many pieces"));
        }
        let is_whole = end == Some(len);
        if !is_whole {
            return Ok(None);
        }
        let Some((first, bytes)) = self.drop_partial(id, is_offer) else { return Ok(None) };
        decode_shared(&first, bytes.freeze()).map(Some)
    }

    fn drop_partial(&mut self, id: SlotId, is_offer: bool) -> Option<(v1::Outcome, BytesMut)> {
        let partial = self.partial.remove(&(id, is_offer))?;
        self.bytes -= partial.1.len();
        Some(partial)
    }
}

fn decode_shared(outcome: &v1::Outcome, bytes: Bytes) -> Result<Shared, Malformed> {
    let by = MemberId::from_bytes(&outcome.by).ok_or(Malformed("a member's name"))?;
    let unpacked_len = usize::try_from(outcome.unpacked_len).ok().filter(|len| *len > 0);
    if unpacked_len.is_some_and(|len| len > OUTCOME_BYTES_MAX) {
        return Err(Malformed("an outcome that is too long"));
    }
    Ok(Shared { by, has_failed: outcome.failed, payload: Payload { bytes, unpacked_len } })
}

fn decode_heartbeat(heartbeat: &v1::Heartbeat) -> Result<Heartbeat, Malformed> {
    let echo = Echo {
        sent: Duration::from_micros(heartbeat.echo_micros),
        age: Duration::from_micros(heartbeat.echo_age_micros),
    };
    let said = heartbeat.lease.clone().unwrap_or_default();
    if said.claim.max(said.epoch).max(said.promise_epoch) > EPOCH_MAX {
        return Err(Malformed("an epoch"));
    }
    let promise = match &said.promise_to[..] {
        [] => None,
        to => {
            let to = MemberId::from_bytes(to).ok_or(Malformed("a member's name"))?;
            Some((said.promise_epoch, to))
        }
    };
    let lease = Word {
        claim: Some(said.claim).filter(|claim| *claim > 0),
        is_holding: said.holding,
        promise,
        epoch: said.epoch,
        rank: match said.rank {
            0 => Rank::Willing,
            1 => Rank::Released,
            2 => Rank::Unhealthy,
            _ => Rank::Leaving,
        },
    };
    Ok(Heartbeat {
        sent: Duration::from_micros(heartbeat.sent_micros),
        wall: Duration::from_micros(heartbeat.wall_micros),
        echo: Some(echo).filter(|echo| !echo.sent.is_zero()),
        fingerprint: heartbeat.fingerprint,
        is_quarantined: heartbeat.quarantined,
        lease,
    })
}

fn decode_acks(acks: v1::Acks) -> Result<Acks, Malformed> {
    if acks.queue.len() > acks::NAME_BYTES_MAX {
        return Err(Malformed("a queue's name"));
    }
    let group = |group: v1::AckGroup| {
        let v1::AckGroup { time, step, steps: n_steps, series } = group;
        AckGroup { time, step: i64::from(step), n_steps, series }
    };
    let groups = acks.groups.into_iter().map(group).collect();
    Ok(Acks { queue: acks.queue, groups })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

use proto::silence::{self as wire, MeshSilence};

use super::{Pattern, Silence};
use crate::{
    snapshot::{self, Error},
    time::Time,
};

/// A silence with the moment at which nobody needs to remember it any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub silence: Silence,
    pub expires_at: Option<Time>,
}

/// Records as snapshot files and peers read them.
pub fn encode<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u8> {
    let mut buf = Vec::new();
    for record in records {
        let mut message = record.to_proto();
        if let Some(silence) = &mut message.silence {
            // Peers before 0.30 read only this.
            silence.matchers = match silence.matcher_sets.first() {
                Some(set) => set.matchers.clone(),
                None => Vec::new(),
            };
        }
        snapshot::write_record(&message, &mut buf);
    }
    buf
}

pub fn decode(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let messages: Vec<MeshSilence> = snapshot::read_records(bytes)?;
    messages.into_iter().map(Record::from_proto).collect()
}

impl Record {
    /// Without the matchers' copy for old peers.
    pub(super) fn to_proto(&self) -> MeshSilence {
        let Silence {
            id,
            matcher_sets,
            starts_at,
            ends_at,
            updated_at,
            created_by,
            comment,
            annotations,
            receiver_matcher_sets,
        } = self.silence.clone();
        let silence = wire::Silence {
            id,
            matchers: Vec::new(),
            starts_at: starts_at.map(Time::to_proto),
            ends_at: ends_at.map(Time::to_proto),
            updated_at: updated_at.map(Time::to_proto),
            comments: Vec::new(),
            created_by,
            comment,
            annotations,
            matcher_sets: sets_to_proto(matcher_sets),
            receiver_matcher_sets: sets_to_proto(receiver_matcher_sets),
        };
        MeshSilence { silence: Some(silence), expires_at: self.expires_at.map(Time::to_proto) }
    }

    fn from_proto(message: MeshSilence) -> Result<Record, Error> {
        let mut silence = message.silence.ok_or(Error::InvalidState)?;
        if silence.matcher_sets.is_empty() && !silence.matchers.is_empty() {
            let matchers = std::mem::take(&mut silence.matchers);
            silence.matcher_sets = vec![wire::MatcherSet { matchers }];
        }
        // Peers of long ago kept a list of comments.
        if let Some(comment) = silence.comments.into_iter().next() {
            if silence.comment.is_empty() {
                silence.comment = comment.comment;
            }
            if silence.created_by.is_empty() {
                silence.created_by = comment.author;
            }
        }
        Ok(Record {
            silence: Silence {
                id: silence.id,
                matcher_sets: sets_from_proto(silence.matcher_sets),
                starts_at: silence.starts_at.and_then(Time::from_proto),
                ends_at: silence.ends_at.and_then(Time::from_proto),
                updated_at: silence.updated_at.and_then(Time::from_proto),
                created_by: silence.created_by,
                comment: silence.comment,
                annotations: silence.annotations,
                receiver_matcher_sets: sets_from_proto(silence.receiver_matcher_sets),
            },
            expires_at: message.expires_at.and_then(Time::from_proto),
        })
    }
}

fn sets_to_proto(sets: Vec<Vec<Pattern>>) -> Vec<wire::MatcherSet> {
    let to_proto = |pattern: Pattern| wire::Matcher {
        r#type: pattern.type_number,
        name: pattern.name,
        pattern: pattern.pattern,
    };
    sets.into_iter()
        .map(|set| wire::MatcherSet { matchers: set.into_iter().map(to_proto).collect() })
        .collect()
}

fn sets_from_proto(sets: Vec<wire::MatcherSet>) -> Vec<Vec<Pattern>> {
    let from_proto = |matcher: wire::Matcher| Pattern {
        type_number: matcher.r#type,
        name: matcher.name,
        pattern: matcher.pattern,
    };
    sets.into_iter().map(|set| set.matchers.into_iter().map(from_proto).collect()).collect()
}

use std::{
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
    time::Duration,
};

use runtime::Random;

use super::{Error, Record, Silence, State, codec, mutes::Cache, validate};
use crate::{
    index::Index,
    matcher::{Matcher, Mode},
    snapshot,
    time::Time,
};

/// How much of silences a node takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Expired ones count too; `None` is no limit.
    pub silences: Option<usize>,
    pub bytes: Option<usize>,
}

/// All silences that this node knows, and which alerts they are about.
pub struct Silences {
    pub(super) stored: HashMap<String, Stored>,
    /// Grows whenever a silence appears that caches have not seen.
    pub(super) version: u64,
    /// Which silences appeared at which version, oldest first.
    pub(super) appeared: Vec<(u64, String)>,
    pub(super) cache: Cache,
    /// All silences that match something; may still hold some that are gone.
    pub(super) index: Index<String>,
    retention: Duration,
    pub limits: Limits,
    mode: Mode,
}

pub(super) struct Stored {
    pub(super) record: Record,
    /// `None` if the silence can't match anything, because a peer sent a broken one.
    pub(super) matcher_sets: Option<Arc<[Vec<Matcher>]>>,
}

impl Stored {
    fn file(&self, id: &str, index: &mut Index<String>) {
        for set in self.matcher_sets.iter().flat_map(|sets| sets.iter()) {
            index.insert(id.to_owned(), set);
        }
    }
}

/// Which silences are wanted.
#[derive(Debug, Clone, Default)]
pub struct Query<'a> {
    pub ids: Option<&'a [String]>,
    /// Empty is any state.
    pub states: &'a [State],
}

/// What a change did.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Of the silence that is in force now.
    pub id: String,
    /// Messages for the peers.
    pub spread: Vec<Vec<u8>>,
}

impl Silences {
    pub fn new(retention: Duration, limits: Limits, mode: Mode) -> Silences {
        Silences {
            stored: HashMap::new(),
            version: 0,
            appeared: Vec::new(),
            cache: Cache::default(),
            index: Index::default(),
            retention,
            limits,
            mode,
        }
    }

    /// Creates a silence, or changes the one with its id: in place where that is possible,
    /// otherwise by ending it and starting another.
    pub fn set(
        &mut self,
        mut silence: Silence,
        now: Time,
        random: &dyn Random,
    ) -> Result<Changed, Error> {
        silence.starts_at.get_or_insert(now);
        validate::validate(&silence, self.mode).map_err(Error::Invalid)?;
        let previous = match (silence.id.as_str(), self.stored.get(&silence.id)) {
            ("", _) => None,
            (_, None) => return Err(Error::NotFound),
            (_, Some(stored)) => Some(&stored.record.silence),
        };
        if previous.is_some_and(|previous| can_update(previous, &silence, now)) {
            let record = self.checked_record(silence, now)?;
            let id = record.silence.id.clone();
            return Ok(Changed { id, spread: vec![self.store(record, now)] });
        }
        let has_active_previous =
            previous.is_some_and(|previous| previous.state_inside(now) != State::Expired);
        if let Some(limit) = self.limits.silences {
            let count = self.stored.len();
            if count >= limit {
                return Err(Error::TooMany { count, limit });
            }
        }
        let previous_id = std::mem::replace(&mut silence.id, random_uuid(random));
        silence.starts_at = silence.starts_at.max(Some(now));
        let record = self.checked_record(silence, now)?;
        let mut spread = Vec::new();
        if has_active_previous {
            spread.extend(self.expire(&previous_id, now)?);
        }
        let id = record.silence.id.clone();
        spread.push(self.store(record, now));
        Ok(Changed { id, spread })
    }

    /// Ends a silence now. One that has ended already stays as it is.
    pub fn expire(&mut self, id: &str, now: Time) -> Result<Option<Vec<u8>>, Error> {
        let stored = self.stored.get(id).ok_or(Error::NotFound)?;
        let mut silence = stored.record.silence.clone();
        match silence.state_inside(now) {
            State::Expired => return Ok(None),
            State::Active => silence.ends_at = Some(now),
            State::Pending => {
                silence.starts_at = Some(now);
                silence.ends_at = Some(now);
            }
        }
        // Not validated and not limited: whatever is there can be ended.
        let record = self.record(silence, now);
        Ok(Some(self.store(record, now)))
    }

    pub fn get(&self, id: &str) -> Option<&Silence> {
        self.stored.get(id).map(|stored| &stored.record.silence)
    }

    /// The silences that `query` wants, in no particular order.
    pub fn query(&self, query: &Query<'_>, now: Time) -> Result<Vec<&Silence>, Error> {
        let has_state = |silence: &&Silence| {
            query.states.is_empty() || query.states.contains(&silence.state_inside(now))
        };
        match query.ids {
            Some([]) => Err(Error::NoIds),
            Some(ids) => Ok(ids.iter().filter_map(|id| self.get(id)).filter(has_state).collect()),
            None => {
                let all = self.stored.values().map(|stored| &stored.record.silence);
                Ok(all.filter(has_state).collect())
            }
        }
    }

    pub fn count(&self, state: State, now: Time) -> usize {
        self.stored
            .values()
            .filter(|stored| stored.record.silence.state_inside(now) == state)
            .count()
    }

    pub fn len(&self) -> usize {
        self.stored.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    /// How many silences a new label set is compared with.
    pub fn n_appeared(&self) -> usize {
        self.appeared.len()
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// Forgets what nobody needs to remember; says how many, and what was wrong on the way.
    pub fn collect_garbage(&mut self, now: Time) -> (usize, Vec<String>) {
        let before = self.stored.len();
        let mut complaints = Vec::new();
        self.stored.retain(|id, stored| match stored.record.expires_at {
            Some(expiry) => expiry > now,
            None => {
                // Nothing says when to forget it, so it goes.
                complaints.push(format!("silence {id}: unexpected zero expiration timestamp"));
                false
            }
        });
        let n_broken = complaints.len();
        let stored = &self.stored;
        self.appeared.retain(|(_, id)| stored.contains_key(id));
        if self.stored.len() < before {
            self.cache.retain(|id| stored.contains_key(id));
            self.index = Index::default();
            for (id, stored) in &self.stored {
                stored.file(id, &mut self.index);
            }
        }
        (before - self.stored.len() - n_broken, complaints)
    }

    /// Takes in what a peer or a file says; says whether there was news.
    pub fn merge(&mut self, bytes: &[u8], now: Time) -> Result<bool, snapshot::Error> {
        let mut is_news = false;
        for record in codec::decode(bytes)? {
            is_news |= self.merge_record(record, now);
        }
        Ok(is_news)
    }

    /// Of two versions of a silence the one that was updated later stays.
    pub fn merge_record(&mut self, record: Record, now: Time) -> bool {
        if record.expires_at < Some(now) || !self.is_news(&record) {
            return false;
        }
        self.insert(record, now);
        true
    }

    /// Takes in a snapshot file, also what has expired since it was written.
    pub fn load(&mut self, bytes: &[u8], now: Time) -> Result<(), snapshot::Error> {
        for record in codec::decode(bytes)? {
            if self.is_news(&record) {
                self.insert(record, now);
            }
        }
        Ok(())
    }

    /// Everything, as snapshot files and peers read it.
    pub fn encode(&self) -> Vec<u8> {
        let mut records: Vec<&Record> = self.stored.values().map(|stored| &stored.record).collect();
        records.sort_unstable_by(|a, b| a.silence.id.cmp(&b.silence.id));
        codec::encode(records)
    }

    fn is_news(&self, record: &Record) -> bool {
        let known = self.stored.get(&record.silence.id);
        known.is_none_or(|known| supersedes(record, &known.record))
    }

    fn record(&self, mut silence: Silence, now: Time) -> Record {
        silence.updated_at = Some(now);
        let expires_at = silence.ends_at.map(|end| end + self.retention);
        Record { silence, expires_at }
    }

    fn checked_record(&self, silence: Silence, now: Time) -> Result<Record, Error> {
        use prost::Message as _;
        let record = self.record(silence, now);
        if let Some(limit) = self.limits.bytes {
            let bytes = record.to_proto().encoded_len();
            if bytes > limit {
                return Err(Error::TooLarge { bytes, limit });
            }
        }
        Ok(record)
    }

    /// Stores our own change and says it for the peers.
    fn store(&mut self, record: Record, now: Time) -> Vec<u8> {
        let message = codec::encode([&record]);
        self.insert(record, now);
        message
    }

    fn insert(&mut self, record: Record, now: Time) {
        let id = record.silence.id.clone();
        let appears = match self.stored.entry(id.clone()) {
            Entry::Vacant(entry) => {
                let matcher_sets = record.silence.compile();
                entry.insert(Stored { record, matcher_sets }).file(&id, &mut self.index);
                true
            }
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                let was_over = known.record.silence.state_inside(now) == State::Expired;
                if known.record.silence.matcher_sets != record.silence.matcher_sets {
                    known.matcher_sets = record.silence.compile();
                    known.file(&id, &mut self.index);
                    self.cache.clear();
                }
                known.record = record;
                // Caches have forgotten what was over.
                was_over && known.record.silence.state_inside(now) != State::Expired
            }
        };
        if appears {
            self.version += 1;
            self.appeared.push((self.version, id));
        }
    }
}

/// Whether `new` replaces `old`: the later update does. Of two at the same moment the greater bytes
/// do, so that all peers keep the same one, in whatever order they hear of them.
pub(super) fn supersedes(new: &Record, old: &Record) -> bool {
    match new.silence.updated_at.cmp(&old.silence.updated_at) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => new != old && codec::encode([new]) > codec::encode([old]),
    }
}

/// Whether `old` can become `new` without being another silence.
pub(super) fn can_update(old: &Silence, new: &Silence, now: Time) -> bool {
    if old.matcher_sets != new.matcher_sets {
        return false;
    }
    match old.state_inside(now) {
        State::Expired => false,
        State::Pending => new.starts_at >= Some(now),
        State::Active => {
            old.starts_at.map(Time::as_seconds) == new.starts_at.map(Time::as_seconds)
                && new.ends_at >= Some(now)
        }
    }
}

/// A random UUID, version 4.
fn random_uuid(random: &dyn Random) -> String {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

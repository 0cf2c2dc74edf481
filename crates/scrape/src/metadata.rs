//! What targets say of their metric families. The same family of many targets is kept once.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, Hash as _, Hasher as _},
    sync::Arc,
};

use hashbrown::{HashTable, hash_table::Entry};
use model::{Metadata, MetricType};
use parking_lot::Mutex;

/// Metadata stays for so many scrapes after its family has disappeared.
const SCRAPES_KEPT: u32 = 10;

#[derive(Debug, PartialEq, Eq)]
struct Family {
    metric: String,
    metadata: Metadata,
}

/// The families of all targets of a pool.
#[derive(Default)]
pub(crate) struct Interner {
    /// No other lock is taken while this one is held.
    families: Mutex<Families>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Default)]
struct Families {
    table: HashTable<Arc<Family>>,
    /// So many are too many, unless targets have them.
    clean_at: usize,
}

/// The families of one target.
#[derive(Default)]
pub(crate) struct TargetMetadata {
    known: HashTable<Known>,
    scrape: u32,
}

struct Known {
    family: Arc<Family>,
    /// The scrape that saw it last.
    seen: u32,
}

/// One line of metadata.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line<'a> {
    Type(MetricType),
    Help(&'a str),
    Unit(&'a str),
}

impl Interner {
    fn intern(&self, metric: &str, metadata: Metadata) -> Arc<Family> {
        let family = Family { metric: metric.to_owned(), metadata };
        let hash = self.hash(&family);
        let mut families = self.families.lock();
        if families.table.len() >= families.clean_at {
            families.clean();
        }
        match families.table.entry(hash, |known| **known == family, |known| self.hash(known)) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(vacant) => vacant.insert(Arc::new(family)).get().clone(),
        }
    }

    /// Forgets families that no target has.
    pub(crate) fn clean(&self) {
        self.families.lock().clean();
    }

    fn hash(&self, family: &Family) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        family.metric.hash(&mut hasher);
        family.metadata.hash(&mut hasher);
        hasher.finish()
    }

    fn hash_name(&self, metric: &str) -> u64 {
        self.hasher.hash_one(metric)
    }
}

impl Families {
    fn clean(&mut self) {
        self.table.retain(|family| Arc::strong_count(family) > 1);
        self.clean_at = (self.table.len() * 2).max(1024);
    }
}

impl TargetMetadata {
    pub(crate) fn begin(&mut self) {
        self.scrape = self.scrape.wrapping_add(1);
    }

    /// Notes a line, and says whether it is news; one that is none costs no allocation.
    pub(crate) fn note(&mut self, interner: &Interner, metric: &str, line: Line<'_>) -> bool {
        let hash = interner.hash_name(metric);
        let rehash = |known: &Known| interner.hash_name(&known.family.metric);
        let mut metadata = Metadata::default();
        match self.known.entry(hash, |known| known.family.metric == metric, rehash) {
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.seen = self.scrape;
                if line.is_in(&known.family.metadata) {
                    return false;
                }
                metadata.clone_from(&known.family.metadata);
                line.write_to(&mut metadata);
                known.family = interner.intern(metric, metadata);
            }
            Entry::Vacant(vacant) => {
                line.write_to(&mut metadata);
                let family = interner.intern(metric, metadata);
                vacant.insert(Known { family, seen: self.scrape });
            }
        }
        true
    }

    /// What is known of a family.
    pub(crate) fn get(&self, interner: &Interner, metric: &str) -> Option<&Metadata> {
        let hash = interner.hash_name(metric);
        let known = self.known.find(hash, |known| known.family.metric == metric)?;
        Some(&known.family.metadata)
    }

    /// Forgets what has disappeared for long.
    pub(crate) fn clean(&mut self) {
        let scrape = self.scrape;
        self.known.retain(|known| scrape.wrapping_sub(known.seen) <= SCRAPES_KEPT);
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The bytes of names and texts.
    pub(crate) fn bytes(&self) -> usize {
        let size = |known: &Known| {
            let metadata = &known.family.metadata;
            known.family.metric.len()
                + metadata.help.len()
                + metadata.unit.len()
                + metadata.kind.as_str().len()
        };
        self.known.iter().map(size).sum()
    }

    pub(crate) fn to_map(&self) -> BTreeMap<String, Metadata> {
        let families = self.known.iter().map(|known| &known.family);
        families.map(|family| (family.metric.clone(), family.metadata.clone())).collect()
    }
}

impl Line<'_> {
    fn is_in(self, metadata: &Metadata) -> bool {
        match self {
            Line::Type(kind) => metadata.kind == kind,
            Line::Help(help) => metadata.help == help,
            Line::Unit(unit) => metadata.unit == unit,
        }
    }

    fn write_to(self, metadata: &mut Metadata) {
        match self {
            Line::Type(kind) => metadata.kind = kind,
            Line::Help(help) => help.clone_into(&mut metadata.help),
            Line::Unit(unit) => unit.clone_into(&mut metadata.unit),
        }
    }
}

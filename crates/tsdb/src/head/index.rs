use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet, HashTable};
use model::Labels;
use storage::label_index::LabelIndex;

use super::{
    Head, SeriesId,
    postings::Postings,
    sorted_symbols::SortedSymbols,
    symbols::{Symbol, Symbols},
};

/// Name and value.
pub(crate) type LabelIds = (Symbol, Symbol);

/// Numbers need no hashing that withstands attacks.
type SymbolMap<T> = HashMap<Symbol, T, FixedState>;

/// From labels to series.
#[derive(Default)]
pub(crate) struct Index {
    symbols: Symbols,
    by_labels: HashTable<Hashed>,
    postings: SymbolMap<SymbolMap<Postings>>,
    /// All series, in order.
    all: Vec<SeriesId>,
    n_created: u32,
}

/// Half of the hash of a series' labels tells nearly all series apart.
#[derive(Clone, Copy)]
struct Hashed {
    hash: u32,
    id: SeriesId,
}

impl Hashed {
    fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

/// Hash tables want their bits at both ends.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

impl Index {
    pub(super) fn find(&self, head: &Head, labels: &Labels, hash: u64) -> Option<SeriesId> {
        let hash = hash as u32;
        let same =
            |hashed: &Hashed| hashed.hash == hash && self.has_labels(head, hashed.id, labels);
        self.by_labels.find(spread(hash), same).map(|hashed| hashed.id)
    }

    fn has_labels(&self, head: &Head, id: SeriesId, labels: &Labels) -> bool {
        let Some(page) = head.page(id) else { return false };
        let page = page.lock();
        page.get(id).is_some_and(|series| self.pairs(&series.labels).eq(labels.iter()))
    }

    /// Gives labels that are new a number; `None` once there is none left.
    pub(super) fn insert(
        &mut self,
        labels: &Labels,
        hash: u64,
    ) -> Option<(SeriesId, Box<[LabelIds]>)> {
        // The last number is not used: handles of series are one larger.
        let id = SeriesId(self.n_created);
        self.n_created = self.n_created.checked_add(1)?;
        let mut label_ids = Vec::with_capacity(labels.len());
        for (name, value) in labels.iter() {
            label_ids.push((self.symbols.intern(name), self.symbols.intern(value)));
        }
        for (name, value) in &label_ids {
            let values = self.postings.entry(*name).or_default();
            let postings = values.entry(*value).or_default();
            if postings.is_empty() {
                self.symbols.add_use(*name);
                self.symbols.add_use(*value);
            }
            postings.push(id);
        }
        self.all.push(id);
        let hashed = Hashed { hash: hash as u32, id };
        self.by_labels.insert_unique(hashed.spread(), hashed, Hashed::spread);
        Some((id, label_ids.into()))
    }

    /// Forgets series whose numbers and labels are given.
    pub(crate) fn remove(&mut self, gone: &[(SeriesId, Box<[LabelIds]>)]) {
        let ids: HashSet<SeriesId, FixedState> = gone.iter().map(|(id, _)| *id).collect();
        self.by_labels.retain(|hashed| !ids.contains(&hashed.id));
        self.all.retain(|id| !ids.contains(id));
        let labels: HashSet<LabelIds, FixedState> =
            gone.iter().flat_map(|(_, labels)| labels).copied().collect();
        for (name, value) in labels {
            let Some(values) = self.postings.get_mut(&name) else { continue };
            let Some(postings) = values.get_mut(&value) else { continue };
            postings.retain(|id| !ids.contains(id));
            postings.shrink_to_fit();
            if postings.is_empty() {
                values.remove(&value);
                if values.is_empty() {
                    self.postings.remove(&name);
                }
                self.symbols.remove_use(name);
                self.symbols.remove_use(value);
            }
        }
    }

    /// The text of labels.
    pub(crate) fn pairs<'a>(
        &'a self,
        labels: &'a [LabelIds],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        labels.iter().map(|(name, value)| (self.symbols.text(*name), self.symbols.text(*value)))
    }

    pub(crate) fn labels(&self, labels: &[LabelIds]) -> Labels {
        Labels::from_sorted(self.pairs(labels))
    }

    pub(crate) fn all(&self) -> &[SeriesId] {
        &self.all
    }

    /// The names of labels, in no order.
    pub(crate) fn label_names(&self) -> impl Iterator<Item = &str> {
        self.postings.keys().map(|name| self.symbols.text(*name))
    }

    /// The values of a label and the series that have them, in no order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = (&str, &[SeriesId])> {
        let values = self.symbols.find(name).and_then(|name| self.postings.get(&name));
        values.into_iter().flatten().map(|(value, ids)| (self.symbols.text(*value), ids.as_slice()))
    }

    pub(crate) fn sorted_symbols(&self) -> SortedSymbols {
        SortedSymbols::new(&self.symbols)
    }

    pub(crate) fn symbol_bytes(&self) -> usize {
        self.symbols.text_bytes()
    }
}

impl LabelIndex for Index {
    type Id = SeriesId;
    type List<'a> = &'a [SeriesId];

    fn all(&self) -> storage::Result<&[SeriesId]> {
        Ok(&self.all)
    }

    fn series_with(&self, name: &str, value: &str) -> storage::Result<Option<&[SeriesId]>> {
        let postings = || {
            let values = self.postings.get(&self.symbols.find(name)?)?;
            values.get(&self.symbols.find(value)?)
        };
        Ok(postings().map(|ids| &**ids))
    }

    fn each_value<'a>(
        &'a self,
        name: &str,
        visit: &mut dyn FnMut(&str, &'a [SeriesId]),
    ) -> storage::Result<()> {
        for (value, ids) in self.values(name) {
            visit(value, ids);
        }
        Ok(())
    }

    fn names(&self) -> Vec<&str> {
        self.label_names().collect()
    }
}

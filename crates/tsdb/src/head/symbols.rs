use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Stands for a label's name or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(u32);

/// Every text that is a label's name or value, once.
#[derive(Default)]
pub(crate) struct Symbols {
    entries: Vec<Entry>,
    free: Vec<Symbol>,
    by_text: HashTable<Symbol>,
    hasher: RandomState,
    text_bytes: usize,
}

#[derive(Default)]
struct Entry {
    text: Box<str>,
    /// Zero if the entry is free.
    n_uses: u32,
}

impl Symbol {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Symbols {
    /// The symbols in use, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Symbol)> {
        let entries = self.entries.iter().enumerate().filter(|(_, entry)| entry.n_uses > 0);
        entries.map(|(idx, entry)| (&*entry.text, Symbol(idx as u32)))
    }

    /// All symbols have a smaller index.
    pub(crate) fn capacity(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        &self.entries[symbol.0 as usize].text
    }

    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        let hash = self.hasher.hash_one(text);
        self.by_text.find(hash, |symbol| self.text(*symbol) == text).copied()
    }

    /// The symbol of `text`, new or known; its use is not counted yet.
    pub(crate) fn intern(&mut self, text: &str) -> Symbol {
        if let Some(symbol) = self.find(text) {
            return symbol;
        }
        self.text_bytes += text.len();
        let entry = Entry { text: text.into(), n_uses: 0 };
        let symbol = match self.free.pop() {
            Some(symbol) => {
                self.entries[symbol.0 as usize] = entry;
                symbol
            }
            None => {
                self.entries.push(entry);
                Symbol(self.entries.len() as u32 - 1)
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        let hash = |symbol: &Symbol| hasher.hash_one(&*entries[symbol.0 as usize].text);
        self.by_text.insert_unique(hash(&symbol), symbol, hash);
        symbol
    }

    pub(crate) fn add_use(&mut self, symbol: Symbol) {
        self.entries[symbol.0 as usize].n_uses += 1;
    }

    /// Forgets the text when this was its last use.
    pub(crate) fn remove_use(&mut self, symbol: Symbol) {
        let entry = &mut self.entries[symbol.0 as usize];
        entry.n_uses -= 1;
        if entry.n_uses > 0 {
            return;
        }
        self.text_bytes -= entry.text.len();
        let hash = self.hasher.hash_one(&*entry.text);
        if let Ok(found) = self.by_text.find_entry(hash, |other| *other == symbol) {
            found.remove();
        }
        self.entries[symbol.0 as usize] = Entry::default();
        self.free.push(symbol);
    }

    /// Bytes of all texts.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }
}

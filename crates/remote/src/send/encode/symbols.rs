use hashbrown::HashMap;
use model::Labels;

/// Texts of a request, each once; the first is the empty one.
pub(crate) struct SymbolTable<'a> {
    texts: Vec<&'a str>,
    numbers: HashMap<&'a str, u32>,
}

impl Default for SymbolTable<'_> {
    fn default() -> Self {
        SymbolTable { texts: vec![""], numbers: HashMap::new() }
    }
}

impl<'a> SymbolTable<'a> {
    /// The number of a text.
    pub(crate) fn add(&mut self, text: &'a str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        })
    }

    /// The numbers of the names and values of a label set, instead of what `refs` has.
    pub(crate) fn add_all(&mut self, labels: &'a Labels, refs: &mut Vec<u32>) {
        refs.clear();
        refs.extend(labels.iter().flat_map(|(name, value)| [self.add(name), self.add(value)]));
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &'a str> {
        self.texts.iter().copied()
    }

    /// What the texts take in a message, roughly.
    pub(crate) fn n_bytes(&self) -> usize {
        self.texts.iter().map(|text| text.len() + 4).sum()
    }
}

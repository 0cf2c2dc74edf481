use super::{
    index::LabelIds,
    symbols::{Symbol, Symbols},
};

/// The texts of the head at one moment, sorted, and the place of each symbol among them.
///
/// Symbols that come later have no place; series that are older than a block have none of those.
pub(crate) struct SortedSymbols {
    texts: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// By symbol; `u32::MAX` for one without a place.
    numbers: Vec<u32>,
}

impl SortedSymbols {
    pub(super) fn new(symbols: &Symbols) -> SortedSymbols {
        let mut used: Vec<(&str, Symbol)> = symbols.iter().collect();
        used.sort_unstable_by_key(|(text, _)| *text);
        let mut sorted = SortedSymbols {
            texts: String::with_capacity(symbols.text_bytes()),
            ends: Vec::with_capacity(used.len()),
            numbers: vec![u32::MAX; symbols.capacity()],
        };
        for (number, (text, symbol)) in used.into_iter().enumerate() {
            sorted.texts.push_str(text);
            sorted.ends.push(sorted.texts.len());
            sorted.numbers[symbol.index()] = number as u32;
        }
        sorted
    }

    /// The same without the texts that none of these labels has.
    pub(crate) fn restricted_to(&self, labels: impl Iterator<Item = LabelIds>) -> SortedSymbols {
        let mut is_used = vec![false; self.ends.len()];
        for label in labels {
            let (name, value) = self.number(label);
            for number in [name, value] {
                if let Some(is_used) = is_used.get_mut(number as usize) {
                    *is_used = true;
                }
            }
        }
        let mut restricted =
            SortedSymbols { texts: String::new(), ends: Vec::new(), numbers: Vec::new() };
        let mut new_numbers = vec![u32::MAX; self.ends.len()];
        for (number, text) in self.texts().enumerate().filter(|(number, _)| is_used[*number]) {
            new_numbers[number] = restricted.ends.len() as u32;
            restricted.texts.push_str(text);
            restricted.ends.push(restricted.texts.len());
        }
        let renumbered = |number: &u32| new_numbers.get(*number as usize).copied();
        restricted.numbers =
            self.numbers.iter().map(|number| renumbered(number).unwrap_or(u32::MAX)).collect();
        restricted
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let text = self.texts.get(begin..*end).unwrap_or_default();
            begin = *end;
            text
        })
    }

    pub(crate) fn number(&self, label: LabelIds) -> (u32, u32) {
        let number = |symbol: Symbol| self.numbers.get(symbol.index()).copied().unwrap_or(u32::MAX);
        (number(label.0), number(label.1))
    }

    pub(crate) fn numbers(&self, labels: &[LabelIds]) -> Vec<(u32, u32)> {
        labels.iter().map(|label| self.number(*label)).collect()
    }
}

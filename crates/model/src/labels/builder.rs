use super::Labels;

/// Collects labels in any order, then makes a set of them.
#[derive(Debug, Clone, Default)]
pub struct LabelsBuilder {
    /// In no order; names are unique, an empty value means "not there".
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    pub fn new(base: &Labels) -> LabelsBuilder {
        let pairs = base.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        LabelsBuilder { pairs }
    }

    /// The value that the set would have; "" where it would have none.
    pub fn get(&self, name: &str) -> &str {
        self.pairs.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) -> &mut LabelsBuilder {
        match self.pairs.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => {
                old.clear();
                old.push_str(value);
            }
            None => self.pairs.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub fn remove(&mut self, name: &str) -> &mut LabelsBuilder {
        self.pairs.retain(|(n, _)| n != name);
        self
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) -> &mut LabelsBuilder {
        self.pairs.retain(|(n, _)| keep(n));
        self
    }

    /// The labels that the set would have, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str()))
    }

    pub fn build(&self) -> Labels {
        let mut pairs: Vec<_> = self.iter().collect();
        pairs.sort_unstable();
        Labels::from_sorted(pairs)
    }
}

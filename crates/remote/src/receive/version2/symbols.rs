use model::{MetricType, Timestamp};
use storage::Exemplar;

use crate::{
    labels::RawLabels,
    metric_type,
    wire::{Fields, Result},
};

/// The texts of a request.
pub(crate) struct Symbols<'a>(Vec<&'a [u8]>);

/// What a series says of its metric.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Metadata {
    kind: u64,
    pub(crate) help_ref: u32,
    pub(crate) unit_ref: u32,
}

/// A reference that leads nowhere; the words are upstream's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadReference {
    #[error("invalid labelRefs length {0}")]
    OddLabels(usize),
    #[error("labelRefs {name} (name) = {value} (value) outside of symbols table (size {size})")]
    Label { name: u32, value: u32, size: usize },
    #[error("metadata {what} {found} outside of symbols table (size {size})")]
    Metadata { what: &'static str, found: u32, size: usize },
}

impl<'a> Symbols<'a> {
    /// Reads the table; it may stand anywhere in the request.
    pub(crate) fn read(request: &'a [u8]) -> Result<Symbols<'a>> {
        let mut symbols = Vec::new();
        let mut fields = Fields::new(request);
        while let Some(field) = fields.next()? {
            if field.number == 4 {
                symbols.push(field.bytes()?);
            }
        }
        Ok(Symbols(symbols))
    }

    /// The text of a reference that was checked.
    pub(crate) fn text(&self, symbol: u32) -> &'a [u8] {
        self.0.get(symbol as usize).copied().unwrap_or_default()
    }

    fn has(&self, symbol: u32) -> bool {
        (symbol as usize) < self.0.len()
    }

    pub(crate) fn check_labels(&self, refs: &[u32]) -> Result<(), BadReference> {
        let (pairs, rest) = refs.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(BadReference::OddLabels(refs.len()));
        }
        match pairs.iter().find(|[name, value]| !self.has(*name) || !self.has(*value)) {
            Some([name, value]) => {
                Err(BadReference::Label { name: *name, value: *value, size: self.0.len() })
            }
            None => Ok(()),
        }
    }

    pub(crate) fn check_metadata(&self, metadata: &Metadata) -> Result<(), BadReference> {
        // Without metadata there is nothing to look up, but upstream's table always begins with "".
        for (what, found) in [("help_ref", metadata.help_ref), ("unit_ref", metadata.unit_ref)] {
            if !self.has(found) {
                return Err(BadReference::Metadata { what, found, size: self.0.len() });
            }
        }
        Ok(())
    }

    /// Reads an exemplar and checks its references.
    pub(super) fn exemplar(&self, bytes: &[u8]) -> Result<Result<Exemplar, BadReference>> {
        let (mut refs, mut value, mut time) = (Vec::new(), 0.0, 0);
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => field.numbers(|number| refs.push(number as u32))?,
                2 => value = field.double()?,
                3 => time = field.number()? as i64,
                _ => {}
            }
        }
        let time = Timestamp::from_millis(time);
        Ok(self.check_labels(&refs).map(|()| {
            let mut labels = RawLabels::default();
            let (pairs, _) = refs.as_chunks::<2>();
            pairs.iter().for_each(|[name, value]| labels.push(self.text(*name), self.text(*value)));
            Exemplar { labels: labels.to_set(), value, time }
        }))
    }
}

impl Metadata {
    pub(crate) fn read(bytes: &[u8]) -> Result<Metadata> {
        let mut metadata = Metadata::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => metadata.kind = field.number()?,
                3 => metadata.help_ref = field.number()? as u32,
                4 => metadata.unit_ref = field.number()? as u32,
                _ => {}
            }
        }
        Ok(metadata)
    }

    pub(crate) fn kind(&self) -> MetricType {
        metric_type::of_number(self.kind)
    }

    pub(super) fn is_set(&self) -> bool {
        self.kind != 0 || self.help_ref != 0 || self.unit_ref != 0
    }
}

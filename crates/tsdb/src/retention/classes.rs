//! Which series belong to which class, and of which class a block is.

use std::{sync::Arc, time::Duration};

use blocks::Meta;
use model::{Labels, Matcher};
use storage::label_index;

use super::Retention;
use crate::{
    Error, Options, Result,
    head::{Index, SeriesId},
};

/// What a block says of its class, before the name and the mark of all definitions.
const HINT: &str = "vesta-retention-class";

/// The number of a class; the last one is that of series that no class selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClassId(usize);

/// The classes as they are defined now.
#[derive(Clone)]
pub(crate) struct Classes {
    retention: Arc<Retention>,
    /// Tells definitions apart: a block of other ones may hold series of several classes.
    mark: u32,
}

impl Classes {
    pub(crate) fn new(retention: Retention) -> Classes {
        let mut text = String::new();
        for class in &retention.classes {
            text.push_str(&class.name);
            for selector in &class.selectors {
                text.push('{');
                for matcher in selector {
                    text.push_str(&format!("{matcher},"));
                }
            }
            text.push('\n');
        }
        Classes { mark: fnv1a(&text), retention: Arc::new(retention) }
    }

    pub(crate) fn retention(&self) -> &Retention {
        &self.retention
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = ClassId> {
        (0..=self.retention.classes.len()).map(ClassId)
    }

    /// Whether all series are of one class.
    pub(crate) fn is_single(&self) -> bool {
        self.retention.classes.is_empty()
    }

    fn rest(&self) -> ClassId {
        ClassId(self.retention.classes.len())
    }

    fn name(&self, class: ClassId) -> &str {
        self.retention.classes.get(class.0).map_or("", |class| &class.name)
    }

    fn time(&self, class: ClassId) -> Duration {
        self.retention.classes.get(class.0).map_or(self.retention.time, |class| class.time)
    }

    /// Says in `meta` that the block is of this class.
    pub(crate) fn mark(&self, meta: Meta, class: ClassId) -> Meta {
        if self.is_single() { meta } else { meta.with_hint(self.hint(class)) }
    }

    /// Whether a hint says of which class a block is, by whatever definitions.
    pub(crate) fn is_hint(hint: &str) -> bool {
        hint.starts_with(HINT)
    }

    fn hint(&self, class: ClassId) -> String {
        format!("{HINT}:{:08x}:{}", self.mark, self.name(class))
    }

    /// The class of a block; `None` if it may hold series of several.
    pub(crate) fn of_block(&self, meta: &Meta) -> Option<ClassId> {
        if self.is_single() {
            return Some(self.rest());
        }
        self.all().find(|class| meta.has_hint(&self.hint(*class)))
    }

    pub(crate) fn of_labels(&self, labels: &Labels) -> ClassId {
        let is_match = |matcher: &Matcher| matcher.matches(labels.value(&matcher.name));
        let selects = |selector: &Vec<Matcher>| selector.iter().all(is_match);
        let mut classes = self.retention.classes.iter();
        let found = classes.position(|class| class.selectors.iter().any(selects));
        found.map_or(self.rest(), ClassId)
    }

    /// The classes of all series in the head.
    pub(crate) fn members(&self, index: &Index) -> Result<Members> {
        let mut by_class = Vec::with_capacity(self.retention.classes.len());
        for class in &self.retention.classes {
            let mut ids = Vec::new();
            for selector in &class.selectors {
                let selected = label_index::select(index, selector);
                ids.extend(selected.map_err(|error| Error::Select(error.to_string()))?);
            }
            ids.sort_unstable();
            ids.dedup();
            by_class.push(ids);
        }
        Ok(Members { by_class })
    }

    /// How old the block may become, in milliseconds; zero for any age.
    pub(crate) fn age_ms(&self, meta: &Meta) -> i64 {
        let time = match self.of_block(meta) {
            Some(class) => self.time(class),
            None => self.retention.longest(),
        };
        i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
    }

    /// The length of the longest blocks of a class, in milliseconds.
    pub(crate) fn block_range_max(&self, class: ClassId, options: &Options) -> i64 {
        const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);
        let of_retention = match self.time(class) {
            Duration::ZERO => LONGEST,
            time => (time / 10).min(LONGEST),
        };
        options.block_range_max.unwrap_or(of_retention).as_millis() as i64
    }
}

/// Which series of the head are of which class.
pub(crate) struct Members {
    /// Sorted, but for those of no class.
    by_class: Vec<Vec<SeriesId>>,
}

impl Members {
    pub(crate) fn has(&self, class: ClassId, id: SeriesId) -> bool {
        let mut classes = self.by_class.iter();
        let found = classes.position(|ids| ids.binary_search(&id).is_ok());
        found.unwrap_or(self.by_class.len()) == class.0
    }
}

/// A hash that is the same for ever.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

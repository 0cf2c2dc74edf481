//! `io.prometheus.write.v2.Request`: texts once in a table of symbols, series that refer to them.

mod symbols;

use model::Labels;
use storage::{ExemplarError, SeriesRef};
use tracing::debug;

pub(crate) use self::symbols::{Metadata, Symbols};
use super::{
    Options, Refusal, Report,
    batch::{Batch, CHUNK_SERIES, Failure, Item, Series},
    cache::Key,
    version1::read_sample,
};
use crate::{
    histogram,
    labels::{Invalid, RawLabels},
    wire::{Fields, Result as WireResult},
};

/// Keeps keys apart from those of version 1, which are made of other bytes.
const SALT: u64 = 0x9e37_79b9_7f4a_7c15;

/// Appends what is good and complains of the rest.
pub(super) fn append(
    batch: &mut Batch<'_>,
    request: &[u8],
    options: &Options,
) -> Result<Report, Refusal> {
    let symbols = Symbols::read(request)?;
    let names = Names { symbols, type_and_unit_labels: options.type_and_unit_labels };
    let mut writer = Writer {
        batch,
        names,
        report: Report::default(),
        head: Head::default(),
        keeps_metadata: options.metadata,
    };
    let mut items = Vec::with_capacity(CHUNK_SERIES);
    let mut text = Vec::new();
    let mut fields = Fields::new(request);
    let mut n_series = 0;
    while let Some(field) = fields.next()? {
        if field.number != 5 {
            continue;
        }
        let series = field.bytes()?;
        writer.head.read(series)?;
        if writer.has_good_references(n_series) {
            let key = writer.names.key(&writer.head, writer.batch, &mut text);
            let handle = SeriesRef::UNKNOWN;
            items.push(Item { idx: n_series, key, handle, labels: series, rest: series });
        }
        n_series += 1;
        if items.len() == CHUNK_SERIES {
            writer.append_items(&mut items)?;
        }
    }
    writer.append_items(&mut items)?;
    Ok(writer.report)
}

struct Writer<'a, 'b, 'c> {
    batch: &'b mut Batch<'c>,
    names: Names<'a>,
    report: Report,
    /// Of the series at hand.
    head: Head,
    keeps_metadata: bool,
}

/// How references become labels.
struct Names<'a> {
    symbols: Symbols<'a>,
    type_and_unit_labels: bool,
}

/// What a series says beside its samples.
#[derive(Default)]
struct Head {
    refs: Vec<u32>,
    metadata: Metadata,
    n_samples: u64,
}

impl Head {
    fn read(&mut self, series: &[u8]) -> WireResult<()> {
        self.refs.clear();
        (self.metadata, self.n_samples) = (Metadata::default(), 0);
        let mut fields = Fields::new(series);
        while let Some(field) = fields.next()? {
            match field.number {
                1 => field.numbers(|number| self.refs.push(number as u32))?,
                2 | 3 => self.n_samples += 1,
                5 => self.metadata = Metadata::read(field.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The references as Go prints a slice.
    fn print_refs(&self) -> String {
        let refs: Vec<String> = self.refs.iter().map(u32::to_string).collect();
        format!("[{}]", refs.join(" "))
    }
}

impl<'a> Names<'a> {
    fn labels(&self, head: &Head) -> RawLabels<'_> {
        let mut labels = RawLabels::default();
        let (pairs, _) = head.refs.as_chunks::<2>();
        for [name, value] in pairs {
            labels.push(self.symbols.text(*name), self.symbols.text(*value));
        }
        let metadata = &head.metadata;
        let (kind, unit) = (metadata.kind().as_str(), self.symbols.text(metadata.unit_ref));
        if self.type_and_unit_labels && (kind != "unknown" || !unit.is_empty()) {
            let kind = if kind == "unknown" { "" } else { kind };
            labels.set(b"__type__", kind.as_bytes());
            labels.set(b"__unit__", unit);
        }
        labels
    }

    /// Labels of a series that was known, so they were good once.
    fn known_labels(&self, head: &Head) -> Result<Labels, Failure> {
        let labels = self.labels(head).checked();
        labels.map_err(|_| Failure::Store("labels of a known series are broken".to_owned()))
    }

    fn metadata(&self, head: &Head) -> model::Metadata {
        let text = |symbol| String::from_utf8_lossy(self.symbols.text(symbol)).into_owned();
        let Metadata { help_ref, unit_ref, .. } = head.metadata;
        model::Metadata { kind: head.metadata.kind(), unit: text(unit_ref), help: text(help_ref) }
    }

    /// `text` is room to work in.
    fn key(&self, head: &Head, batch: &Batch<'_>, text: &mut Vec<u8>) -> Key {
        text.clear();
        let mut push = |symbol: &[u8]| {
            text.extend_from_slice(&(symbol.len() as u32).to_le_bytes());
            text.extend_from_slice(symbol);
        };
        head.refs.iter().for_each(|symbol| push(self.symbols.text(*symbol)));
        if self.type_and_unit_labels {
            push(head.metadata.kind().as_str().as_bytes());
            push(self.symbols.text(head.metadata.unit_ref));
        }
        batch.cache.key(text, SALT)
    }
}

impl<'a> Writer<'a, '_, '_> {
    /// Whether what the series refers to is there; otherwise complains.
    fn has_good_references(&mut self, idx: usize) -> bool {
        let (symbols, head) = (&self.names.symbols, &self.head);
        if let Err(reason) = symbols.check_labels(&head.refs) {
            let text = || format!("parsing labels for series {}: {reason}", head.print_refs());
            self.report.complaints.push(idx, text);
            self.report.n_invalid += head.n_samples;
            return false;
        }
        if let Err(reason) = symbols.check_metadata(&head.metadata) {
            let text = || format!("parsing metadata for series {}: {reason}", head.print_refs());
            self.report.complaints.push(idx, text);
            return false;
        }
        true
    }

    fn append_items(&mut self, items: &mut Vec<Item<'a>>) -> Result<(), Refusal> {
        self.batch.look_up(items);
        for item in items.drain(..) {
            self.head.read(item.rest)?;
            if let Some(series) = self.series(&item) {
                self.append_item(&item, series)?;
            }
        }
        Ok(())
    }

    /// The series that an item names; otherwise complains.
    fn series(&mut self, item: &Item<'a>) -> Option<Series> {
        let head = &self.head;
        let series = match item.handle {
            SeriesRef::UNKNOWN => {
                let mut labels = self.names.labels(head);
                match labels.checked() {
                    Ok(labels) => Series::new(item, labels),
                    Err(invalid) => {
                        let text = || invalid_series(&invalid, &mut labels);
                        self.report.complaints.push(item.idx, text);
                        self.report.n_invalid += head.n_samples;
                        return None;
                    }
                }
            }
            _ => Series::known(item),
        };
        if head.n_samples == 0 {
            let mut labels = self.names.labels(head);
            let what = "TimeSeries must contain at least one sample or histogram for series";
            self.report.complaints.push(item.idx, || format!("{what} {}", labels.print()));
            return None;
        }
        Some(series)
    }

    fn append_item(&mut self, item: &Item<'a>, mut series: Series) -> Result<(), Refusal> {
        let Writer { batch, names, report, head, keeps_metadata } = self;
        let labels = || names.known_labels(head);
        let mut n_written = 0;
        let mut fields = Fields::new(item.rest);
        while let Some(field) = fields.next()? {
            let outcome = match field.number {
                2 => {
                    let (time, value) = read_sample(field.bytes()?)?;
                    let outcome = batch.append(&mut series, time, value, labels);
                    report.written.samples += u64::from(outcome.is_ok());
                    n_written += u64::from(outcome.is_ok());
                    outcome
                }
                3 => {
                    let histogram = histogram::read(field.bytes()?)?;
                    let outcome = batch.append_histogram(&mut series, histogram, labels);
                    report.written.histograms += u64::from(outcome.is_ok());
                    n_written += u64::from(outcome.is_ok());
                    outcome
                }
                4 => {
                    match names.symbols.exemplar(field.bytes()?)? {
                        Ok(exemplar) => match batch.append_exemplar(&series, &exemplar) {
                            Ok(()) => report.written.exemplars += 1,
                            Err(error @ ExemplarError::OutOfOrder) => {
                                report.complaints.push(item.idx, || {
                                    format!("{error} for series {}", names.labels(head).print())
                                });
                            }
                            // Upstream goes on, too.
                            Err(error) => debug!(err = %error, "exemplar not taken"),
                        },
                        Err(reason) => report.complaints.push(item.idx, || {
                            let labels = names.labels(head).print();
                            format!("parsing exemplar for series {labels}: {reason}")
                        }),
                    }
                    continue;
                }
                _ => continue,
            };
            match outcome {
                Ok(()) => {}
                Err(Failure::Sample(reason)) => report.complaints.push(item.idx, || {
                    format!("{reason} for series {}", names.labels(head).print())
                }),
                Err(failure) => return Err(failure.into()),
            }
        }
        if head.metadata.is_set() {
            report.n_with_metadata += n_written;
            if *keeps_metadata && n_written > 0 {
                batch.append_metadata(&series, &names.metadata(head));
            }
        }
        Ok(())
    }
}

fn invalid_series(invalid: &Invalid, labels: &mut RawLabels<'_>) -> String {
    let printed = labels.print();
    match invalid {
        Invalid::Text => format!("invalid metric name or labels, got {printed}"),
        Invalid::Duplicate(name) => {
            format!("invalid labels for series, labels {printed}, duplicated label {name}")
        }
    }
}

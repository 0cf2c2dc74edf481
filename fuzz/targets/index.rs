//! The index of a block: opened, then asked everything.

#![no_main]

use blocks::Block;
use fuzz::{checksums, folder::Folder};
use libfuzzer_sys::fuzz_target;
use model::{MatchKind, Matcher, TimeRange};
use storage::{Columns, LabelHints, Queryable as _, SelectHints};

fuzz_target!(|bytes: &[u8]| {
    let mut index = bytes.to_vec();
    checksums::of_index(&mut index);
    let folder = Folder::of_good_block();
    folder.replace("index", &index);
    let Ok(block) = Block::open(&folder.disk, &folder.path) else { return };
    let _ = block.symbols().count();
    if let Ok(series) = block.series() {
        for series in series.take(1000) {
            let _ = (series.labels(), series.label_symbols(), series.chunk_metas());
            let _ = series.chunks();
        }
    }
    let querier = block.querier(TimeRange::ALL).expect("a block always answers");
    let regex = Matcher::new(MatchKind::Regex, "cpu", ".*a|b").expect("a good pattern");
    let not = Matcher::new(MatchKind::NotEqual, "le", "x").expect("no pattern");
    for matchers in [vec![Matcher::equal("le", "a")], vec![regex], vec![not]] {
        let hints = SelectHints::new(TimeRange::ALL);
        let Ok(set) = querier.select(true, &hints, &matchers) else { continue };
        for series in set.series.iter().take(1000) {
            let _ = (series.labels(), series.read(TimeRange::ALL, &mut Columns::default()));
        }
    }
    if let Ok(names) = querier.label_names(&LabelHints::default(), &[]) {
        for name in names.values.iter().take(100) {
            let _ = querier.label_values(name, &LabelHints::default(), &[]);
        }
    }
});

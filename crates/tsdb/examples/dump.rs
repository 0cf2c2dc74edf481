//! Prints the samples of a data directory as `promtool tsdb dump` does:
//! `cargo run -p tsdb --example dump -- data/`

#![expect(clippy::print_stdout, reason = "a command")]

use std::{
    error::Error,
    io::{self, Write as _},
    path::Path,
};

use model::TimeRange;
use runtime::Runtime;
use storage::{Columns, Queryable as _, SelectHints};
use tsdb::{Database, Options};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(directory) = std::env::args().nth(1) else {
        println!("usage: dump <data directory>");
        return Ok(());
    };
    let database = Database::open(&Runtime::real(), Path::new(&directory), Options::default())?;
    let querier = database.querier(TimeRange::ALL)?;
    let set = querier.select(true, &SelectHints::new(TimeRange::ALL), &[])?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut columns = Columns::default();
    for series in &set.series {
        columns.clear();
        series.read(TimeRange::ALL, &mut columns)?;
        let labels = series.labels();
        for (time, value) in columns.times.iter().zip(&columns.values) {
            let mut text = String::new();
            model::float::write_general(*value, &mut text);
            writeln!(out, "{labels} {text} {time}")?;
        }
    }
    Ok(out.flush()?)
}

//! `tsdb …`: data directories seen from outside, and blocks made of other data.
//!
//! Reading (`list`, `dump`, `analyze`) changes nothing and may go on beside a running server
//! (`folder`); importing (`openmetrics`, `backfill`) only adds blocks (`builder`).

mod analyze;
mod backfill;
mod bench;
mod builder;
mod dump;
mod folder;
mod list;
mod openmetrics;

use crate::{
    Exit, World,
    arguments::{Global, Tsdb},
};

#[cfg(test)]
pub(crate) use builder::block_duration;

pub(crate) async fn run(global: &Global, world: &mut World, tsdb: &Tsdb) -> anyhow::Result<Exit> {
    match tsdb {
        Tsdb::List(list) => runtime::blocking(|| list::run(world, list)),
        Tsdb::Dump(dump) => runtime::blocking(|| dump::run(world, dump)),
        Tsdb::DumpOpenmetrics(dump) => runtime::blocking(|| dump::run_openmetrics(world, dump)),
        Tsdb::Analyze(analyze) => runtime::blocking(|| analyze::run(world, analyze)),
        Tsdb::Openmetrics(import) => runtime::blocking(|| openmetrics::run(world, import)),
        Tsdb::Rules(rules) => backfill::run(global, world, rules).await,
        Tsdb::BenchWrite(bench) => runtime::blocking(|| bench::run(world, bench)),
    }
}

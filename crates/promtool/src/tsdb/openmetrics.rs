//! `tsdb create-blocks-from openmetrics`: samples with timestamps to blocks.

use std::{collections::HashMap, path::Path};

use anyhow::Context as _;
use exposition::{Entry, Parser};
use model::{Labels, LabelsBuilder};
use runtime::Disk;

use super::{
    builder::{Builder, block_duration},
    list::BlockTable,
};
use crate::{Exit, World, arguments::ImportOpenmetrics, check::describe};

pub(crate) fn run(world: &mut World, import: &ImportOpenmetrics) -> anyhow::Result<Exit> {
    let disk = world.runtime.disk.clone();
    let body = read(&*disk, &import.file)?;
    disk.create_directories(&import.output)?;
    let mut builder = Builder::new(Some(block_duration(import.max_block_duration)));
    gather(&body, &import.labels, &mut builder)?;
    let mut table = BlockTable::new(import.human_readable);
    let runtime = world.runtime.clone();
    builder
        .write(&runtime, &import.output, |meta| match import.quiet {
            true => Ok(()),
            false => table.add(world, meta, &import.output),
        })
        .context("block creation")?;
    Ok(Exit::Success)
}

/// The file as memory; what cannot be mapped, as a pipe, is read.
fn read(disk: &dyn Disk, path: &Path) -> anyhow::Result<Body> {
    let shown = path.display();
    let open = |error: std::io::Error| {
        anyhow::anyhow!("try lock file: open {shown}: {}", describe(&error))
    };
    match disk.map(path) {
        Ok(map) if !map.is_empty() => Ok(Body::Mapped(map)),
        _ => read_to_end(disk, path).map(Body::Read).map_err(open),
    }
}

enum Body {
    Mapped(runtime::disk::Map),
    Read(Vec<u8>),
}

impl std::ops::Deref for Body {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Body::Mapped(map) => map,
            Body::Read(bytes) => bytes,
        }
    }
}

/// Reads until there is no more: a pipe does not know its length.
fn read_to_end(disk: &dyn Disk, path: &Path) -> std::io::Result<Vec<u8>> {
    let file = disk.open(path)?;
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    loop {
        match file.read_at(&mut buffer, bytes.len() as u64)? {
            0 => return Ok(bytes),
            n => bytes.extend_from_slice(buffer.get(..n).unwrap_or_default()),
        }
    }
}

/// Hands all samples to the builder, in one pass. A series is known by its bytes.
fn gather(body: &[u8], extra: &[(String, String)], builder: &mut Builder) -> anyhow::Result<()> {
    let mut known: HashMap<&[u8], u32> = HashMap::new();
    for entry in Parser::openmetrics(body) {
        let entry = entry.context("getting min and max timestamp: next")?;
        let Entry::Series(series) = entry else { continue };
        let number = match known.get(series.raw) {
            Some(number) => *number,
            None => {
                let labels = labels(&series, extra)?;
                let number = builder.series(labels);
                known.insert(series.raw, number);
                number
            }
        };
        let Some(time) = series.timestamp else {
            let labels = labels(&series, &[])?;
            anyhow::bail!(
                "getting min and max timestamp: expected timestamp for series {labels}, got none"
            );
        };
        builder
            .add(number, time.as_millis(), series.value)
            .context("process blocks: block creation")?;
    }
    Ok(())
}

fn labels(series: &exposition::Series<'_>, extra: &[(String, String)]) -> anyhow::Result<Labels> {
    let mut labels = LabelsBuilder::new(&Labels::empty());
    for (name, value) in &series.labels()? {
        labels.set(name, value);
    }
    for (name, value) in extra {
        labels.set(name, value);
    }
    Ok(labels.build())
}

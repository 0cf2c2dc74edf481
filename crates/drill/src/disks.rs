//! Small disks for the members, so that one can be full: a tmpfs each, which needs root.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use runtime::Runtime;

/// Room for minutes of samples; what is in it is memory.
const SIZE: &str = "size=256m";
const FILLER: &str = "filler";
const CHUNK_BYTES: usize = 1 << 20;

/// Mounted folders; unmounted when dropped.
#[derive(Default)]
pub(crate) struct SmallDisks(Vec<PathBuf>);

impl SmallDisks {
    pub(crate) fn mount(&mut self, folder: &Path) -> anyhow::Result<()> {
        run(Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder))?;
        self.0.push(folder.to_owned());
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for SmallDisks {
    fn drop(&mut self) {
        for folder in &self.0 {
            // At worst an empty folder stays mounted; there is nobody left to tell.
            run(Command::new("umount").arg("--lazy").arg(folder)).unwrap_or_default();
        }
    }
}

/// Leaves no byte free.
pub(crate) fn fill(runtime: &Runtime, folder: &Path) -> anyhow::Result<()> {
    let mut file = runtime.disk.create(&folder.join(FILLER)).context("create the filler")?;
    for len in [CHUNK_BYTES, 4096, 1] {
        let chunk = vec![0; len];
        while file.write_all(&chunk).is_ok() {}
    }
    Ok(())
}

pub(crate) fn free(runtime: &Runtime, folder: &Path) -> anyhow::Result<()> {
    runtime.disk.remove_file(&folder.join(FILLER)).context("remove the filler")
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

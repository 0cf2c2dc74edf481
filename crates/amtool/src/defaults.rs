//! Defaults of flags from configuration files.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use config::decode::{Decoder, Setting as _};
use runtime::Disk;

/// Keys of old, and the flags that they mean today.
const LEGACY: [(&str, &str); 1] = [("comment_required", "require-comment")];

/// Values of flags by their name.
pub(crate) type Defaults = BTreeMap<String, String>;

/// Reads the files; the first that says something of a flag is right. One that is not there says
/// nothing.
pub(crate) fn read(disk: &dyn Disk, files: &[PathBuf]) -> anyhow::Result<Defaults> {
    read_with(disk, files, &LEGACY)
}

pub(crate) fn read_with(
    disk: &dyn Disk,
    files: &[PathBuf],
    legacy: &[(&str, &str)],
) -> anyhow::Result<Defaults> {
    let mut defaults = Defaults::new();
    for file in files {
        for (key, value) in read_file(disk, file)? {
            let renamed = legacy.iter().find(|(old, _)| *old == key);
            let name = renamed.map_or(key, |(_, new)| (*new).to_owned());
            defaults.entry(name).or_insert(value);
        }
    }
    Ok(defaults)
}

fn read_file(disk: &dyn Disk, file: &Path) -> anyhow::Result<Defaults> {
    let text = match disk.read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Defaults::new()),
        Err(error) => return Err(error.into()),
    };
    let Some(node) = config::yaml::parse(&text)?.filter(|node| !node.is_null()) else {
        return Ok(Defaults::new());
    };
    let mut decoder = Decoder::default();
    match Defaults::decode(&node, &mut decoder) {
        Ok(Some(defaults)) if decoder.mismatch_count() == 0 => Ok(defaults),
        Ok(_) => anyhow::bail!("{}: flags and their values are expected", file.display()),
        Err(broken) => anyhow::bail!("{}", broken.message),
    }
}

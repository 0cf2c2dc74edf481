//! The lease as files in a folder that all members have, on a network file system perhaps.
//!
//! A file cannot be replaced on a condition, but a name can be given to one file only. So each
//! record is a file of its own with the next number; the highest number counts.

use std::{
    io,
    path::{Path, PathBuf},
};

use runtime::{BoxFuture, Runtime};

use super::store::{Record, Store, Version};

/// Records behind the newest one that are left for slow readers.
const KEPT: u64 = 8;

pub(super) struct Folder {
    runtime: Runtime,
    folder: PathBuf,
    name: String,
}

impl Folder {
    pub(super) fn new(path: &Path, runtime: Runtime) -> Result<Folder, String> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(format!("{} is no file", path.display()));
        };
        let name = name.to_str().ok_or("its name is not UTF-8")?.to_owned();
        Ok(Folder { runtime, folder: folder.to_owned(), name })
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}.{number:020}", self.name))
    }

    fn numbers(&self) -> io::Result<Vec<u64>> {
        let entries = self.runtime.disk.list(&self.folder)?;
        let number = |name: &str| name.strip_prefix(&self.name)?.strip_prefix('.')?.parse().ok();
        Ok(entries.iter().filter_map(|entry| number(&entry.name)).collect())
    }

    fn newest(&self) -> io::Result<Option<(Record, Version)>> {
        let Some(newest) = self.numbers()?.into_iter().max() else { return Ok(None) };
        let text = self.runtime.disk.read_to_string(&self.path(newest))?;
        Ok(Some((serde_json::from_str(&text)?, Version(newest.to_string()))))
    }

    fn write(&self, record: &Record, version: Option<&Version>) -> io::Result<Option<Version>> {
        let disk = &self.runtime.disk;
        disk.create_directories(&self.folder)?;
        let number = version.map_or(0, |version| version.0.parse::<u64>().unwrap_or_default()) + 1;
        // Nobody else writes under this name.
        let temporary = self.folder.join(format!("{}.{}.tmp", self.name, record.run));
        let mut file = disk.create(&temporary)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync()?;
        drop(file);
        let linked = disk.hard_link(&temporary, &self.path(number));
        disk.remove_file(&temporary)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            result => result?,
        }
        disk.sync_directory(&self.folder)?;
        // Whoever slept may have taken a number that others have left behind long ago.
        let numbers = self.numbers()?;
        if numbers.iter().any(|other| *other > number) {
            disk.remove_file(&self.path(number))?;
            return Ok(None);
        }
        for old in numbers.into_iter().filter(|old| old + KEPT < number) {
            // Another member may have done so.
            disk.remove_file(&self.path(old)).unwrap_or_default();
        }
        Ok(Some(Version(number.to_string())))
    }

    fn explain(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.folder.join(&self.name).display())
    }
}

impl Store for Folder {
    fn read(&self) -> BoxFuture<'_, Result<Option<(Record, Version)>, String>> {
        Box::pin(async move {
            match runtime::blocking(|| self.newest()) {
                // Nobody has written anything yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                result => result.map_err(|error| self.explain(&error)),
            }
        })
    }

    fn write_if<'a>(
        &'a self,
        record: &'a Record,
        version: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, String>> {
        Box::pin(async move {
            let written = runtime::blocking(|| self.write(record, version));
            written.map_err(|error| self.explain(&error))
        })
    }
}

//! Files and directories, through a door that a test can crash behind.

mod real;
mod simulated;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use real::RealDisk;
pub use simulated::SimulatedDisk;

/// A file system. Calls block: not for async threads, but for small things at start-up.
pub trait Disk: Send + Sync {
    /// Opens for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Creates or truncates, for writing and reading.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens for writing at the end and for reading; creates it if it is missing.
    fn append(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// The whole file as memory, mapped where the file system can.
    fn map(&self, path: &Path) -> io::Result<Map>;

    /// Names in the directory, sorted.
    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>>;

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata>;

    fn create_directories(&self, path: &Path) -> io::Result<()>;

    /// Moves a file or directory; on success the target's old content is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals in `directory` durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// How large the file system of `path` is, if that can be told.
    fn total_bytes(&self, path: &Path) -> io::Result<u64> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Takes the lock file at `path` for this process, until the guard is dropped.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>>;
}

/// An open file.
pub trait File: Send + Sync {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at the end.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, over what is there. Not for files that were opened for
    /// writing at the end.
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written durable, by whomever: also through a file that is open for reading.
    fn sync(&mut self) -> io::Result<()>;

    fn set_len(&mut self, len: u64) -> io::Result<()>;

    fn len(&self) -> io::Result<u64>;

    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// Holds a lock file; dropping it lets go.
pub trait LockGuard: Send + Sync {}

/// Read-only bytes of a file.
#[derive(Clone)]
pub struct Map(Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Map {
    pub fn new(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Map {
        Map(Arc::new(bytes))
    }
}

impl std::ops::Deref for Map {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub name: String,
    pub is_directory: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileMetadata {
    pub len: u64,
    pub is_directory: bool,
    /// Milliseconds since the epoch.
    pub modified_ms: i64,
}

fn read_to_end(file: &dyn File, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        match file.read_at(&mut part, bytes.len() as u64)? {
            0 => return Ok(()),
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
}

/// What can be said in terms of [`Disk`] alone.
impl dyn Disk + '_ {
    pub fn exists(&self, path: &Path) -> bool {
        self.metadata(path).is_ok()
    }

    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let mut bytes = vec![0; file.len()? as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match file.read_at(&mut bytes[filled..], filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        if bytes.is_empty() {
            // Files of the kernel say that they are empty, and are not.
            read_to_end(&*file, &mut bytes)?;
        }
        Ok(bytes)
    }

    pub fn read_to_string(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Replaces the file at `path`: afterwards, also after a crash, it is the old or the new one.
    pub fn write_atomically(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let mut file = self.create(&temporary)?;
        file.write_all(bytes)?;
        file.sync()?;
        drop(file);
        self.rename(&temporary, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.sync_directory(parent),
            _ => self.sync_directory(Path::new(".")),
        }
    }
}

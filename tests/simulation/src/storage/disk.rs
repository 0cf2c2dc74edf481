//! A disk that says what is about to be done to it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use runtime::{
    Disk,
    disk::{Entry, File, FileMetadata, LockGuard, Map, SimulatedDisk},
};

/// A change, or that one is made durable.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    Create(PathBuf),
    Append(PathBuf),
    Write(PathBuf, usize),
    Overwrite(PathBuf, usize, u64),
    Sync(PathBuf),
    Cut(PathBuf, u64),
    CreateDirectories(PathBuf),
    Rename(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
    RemoveFile(PathBuf),
    RemoveDirectory(PathBuf),
    SyncDirectory(PathBuf),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Create(path) => write!(f, "create {}", path.display()),
            Operation::Append(path) => write!(f, "open for append {}", path.display()),
            Operation::Write(path, len) => write!(f, "write {len} bytes to {}", path.display()),
            Operation::Overwrite(path, len, offset) => {
                write!(f, "write {len} bytes at {offset} of {}", path.display())
            }
            Operation::Sync(path) => write!(f, "sync {}", path.display()),
            Operation::Cut(path, len) => write!(f, "cut {} to {len} bytes", path.display()),
            Operation::CreateDirectories(path) => write!(f, "create directory {}", path.display()),
            Operation::Rename(from, to) => {
                write!(f, "rename {} to {}", from.display(), to.display())
            }
            Operation::Link(from, to) => write!(f, "link {} as {}", from.display(), to.display()),
            Operation::RemoveFile(path) => write!(f, "remove {}", path.display()),
            Operation::RemoveDirectory(path) => write!(f, "remove directory {}", path.display()),
            Operation::SyncDirectory(path) => write!(f, "sync directory {}", path.display()),
        }
    }
}

/// Told of each operation before it happens, with the bytes that are written.
pub(super) type Watcher = Arc<dyn Fn(Operation, &[u8]) + Send + Sync>;

#[derive(Clone)]
pub(super) struct WatchedDisk {
    pub(super) inner: SimulatedDisk,
    pub(super) watcher: Watcher,
}

impl WatchedDisk {
    fn tell(&self, operation: Operation) {
        (self.watcher)(operation, &[]);
    }

    fn watched(&self, path: &Path, inner: Box<dyn File>) -> Box<dyn File> {
        Box::new(WatchedFile { inner, path: path.to_owned(), watcher: self.watcher.clone() })
    }
}

impl Disk for WatchedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(self.watched(path, self.inner.open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.tell(Operation::Create(path.to_owned()));
        Ok(self.watched(path, self.inner.create(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.tell(Operation::Append(path.to_owned()));
        Ok(self.watched(path, self.inner.append(path)?))
    }

    fn map(&self, path: &Path) -> io::Result<Map> {
        self.inner.map(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(directory)
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.inner.metadata(path)
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        let disk: &dyn Disk = &self.inner;
        if !disk.exists(path) {
            self.tell(Operation::CreateDirectories(path.to_owned()));
        }
        self.inner.create_directories(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tell(Operation::Rename(from.to_owned(), to.to_owned()));
        self.inner.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.tell(Operation::Link(from.to_owned(), to.to_owned()));
        self.inner.hard_link(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.tell(Operation::RemoveFile(path.to_owned()));
        self.inner.remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.tell(Operation::RemoveDirectory(path.to_owned()));
        self.inner.remove_directory(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.tell(Operation::SyncDirectory(directory.to_owned()));
        self.inner.sync_directory(directory)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        self.inner.lock(path)
    }
}

struct WatchedFile {
    inner: Box<dyn File>,
    path: PathBuf,
    watcher: Watcher,
}

impl File for WatchedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        (self.watcher)(Operation::Write(self.path.clone(), bytes.len()), bytes);
        self.inner.write_all(bytes)
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        (self.watcher)(Operation::Overwrite(self.path.clone(), bytes.len(), offset), bytes);
        self.inner.write_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        (self.watcher)(Operation::Sync(self.path.clone()), &[]);
        self.inner.sync()
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        (self.watcher)(Operation::Cut(self.path.clone(), len), &[]);
        self.inner.set_len(len)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

//! A disk in memory that remembers what is durable, so that tests can crash it.

mod tree;

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use self::tree::{Contents, Directory, Node, Shared};
use super::{Disk, Entry, File, FileMetadata, LockGuard, Map};
use crate::{Clock, clock::SimulatedClock};

/// A file system in memory. Cloning gives another handle to the same one.
///
/// It keeps two versions of each file and directory: as written, and as synced. [`after_kill`]
/// gives the disk as the next process finds it when this one is killed, [`after_power_loss`] as
/// it is found when the machine was. To crash at every point of some work: do it once and count
/// the [`operations`], then for each n do it again on a disk that is told to [`stop_after`] n.
///
/// [`after_kill`]: SimulatedDisk::after_kill
/// [`after_power_loss`]: SimulatedDisk::after_power_loss
/// [`operations`]: SimulatedDisk::operations
/// [`stop_after`]: SimulatedDisk::stop_after
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

/// The lock of a file or directory in the tree may be taken while this one is held, never the
/// other way round.
struct State {
    root: Shared<Directory>,
    locks: BTreeSet<PathBuf>,
    operations: u64,
    stop_after: u64,
    bytes_left: u64,
    total_bytes: u64,
}

impl Default for SimulatedDisk {
    fn default() -> SimulatedDisk {
        SimulatedDisk::new(Arc::new(SimulatedClock::default()))
    }
}

impl SimulatedDisk {
    /// An empty disk; files are stamped with the time of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> SimulatedDisk {
        SimulatedDisk::with_root(Shared::default(), clock)
    }

    fn with_root(root: Shared<Directory>, clock: Arc<dyn Clock>) -> SimulatedDisk {
        let (locks, operations) = (BTreeSet::new(), 0);
        let state = State {
            root,
            locks,
            operations,
            stop_after: u64::MAX,
            bytes_left: u64::MAX,
            total_bytes: u64::MAX,
        };
        SimulatedDisk { state: Arc::new(Mutex::new(state)), clock }
    }

    /// How many times something was changed or made durable.
    pub fn operations(&self) -> u64 {
        self.state.lock().operations
    }

    /// Lets the disk carry out `operations` changes, counted from its beginning; each later one
    /// fails, and reading goes on.
    pub fn stop_after(&self, operations: u64) {
        self.state.lock().stop_after = operations;
    }

    /// Lets `bytes` more be written; then writes stop short and fail with "no space left".
    pub fn fill_up_after(&self, bytes: u64) {
        self.state.lock().bytes_left = bytes;
    }

    /// Says from now on that it has room for so many bytes in all.
    pub fn set_total_bytes(&self, bytes: u64) {
        self.state.lock().total_bytes = bytes;
    }

    /// The disk as the next process finds it after this one was killed: all that was written.
    pub fn after_kill(&self) -> SimulatedDisk {
        let state = self.state.lock();
        SimulatedDisk::with_root(tree::copy_written(&state.root), self.clock.clone())
    }

    /// The disk as it is found after a power loss: all that was synced, and of the rest what
    /// `seed` happens to leave: torn tails, sectors of zeros where others behind them were written,
    /// the first of several changes of names.
    pub fn after_power_loss(&self, seed: u64) -> SimulatedDisk {
        let state = self.state.lock();
        SimulatedDisk::with_root(tree::copy_durable(&state.root, seed), self.clock.clone())
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_millis()
    }

    fn file(&self, path: &Path, access: Access) -> io::Result<Box<dyn File>> {
        let mut state = self.state.lock();
        if access != Access::Read {
            state.operate()?;
        }
        let (directory, name) = tree::parent(&state.root, path)?;
        let mut directory = directory.lock();
        let contents = match directory.written.get(&name) {
            Some(Node::File(contents)) => contents.clone(),
            Some(Node::Directory(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            None if access == Access::Read => return Err(tree::not_found(path)),
            None => {
                let contents = Shared::<Contents>::default();
                directory.written.insert(name, Node::File(contents.clone()));
                directory.note_change();
                contents
            }
        };
        if access != Access::Read {
            let mut contents = contents.lock();
            contents.modified_ms = self.now_ms();
            if access == Access::Truncate {
                contents.written = Arc::default();
            }
        }
        Ok(Box::new(SimulatedFile { disk: self.clone(), contents, access }))
    }

    /// Changes a directory's names.
    fn change<T>(
        &self,
        path: &Path,
        change: impl FnOnce(&mut Directory, String) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock();
        state.operate()?;
        let (directory, name) = tree::parent(&state.root, path)?;
        let mut directory = directory.lock();
        let outcome = change(&mut directory, name)?;
        directory.note_change();
        Ok(outcome)
    }
}

impl State {
    fn operate(&mut self) -> io::Result<()> {
        if self.operations >= self.stop_after {
            return Err(io::Error::other("the simulated disk was stopped"));
        }
        self.operations += 1;
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.file(path, Access::Read)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.file(path, Access::Truncate)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.file(path, Access::Append)
    }

    fn map(&self, path: &Path) -> io::Result<Map> {
        let state = self.state.lock();
        match tree::node(&state.root, path)? {
            Node::Directory(_) => Err(io::ErrorKind::IsADirectory.into()),
            Node::File(contents) => Ok(Map::new(Mapped(contents.lock().written.clone()))),
        }
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<Entry>> {
        let state = self.state.lock();
        let directory = tree::directory(&state.root, directory)?;
        let directory = directory.lock();
        let entry = |(name, node): (&String, &Node)| Entry {
            name: name.clone(),
            is_directory: matches!(node, Node::Directory(_)),
        };
        Ok(directory.written.iter().map(entry).collect())
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        let state = self.state.lock();
        match tree::node(&state.root, path)? {
            Node::Directory(_) => {
                Ok(FileMetadata { len: 0, is_directory: true, modified_ms: self.now_ms() })
            }
            Node::File(contents) => {
                let contents = contents.lock();
                let len = contents.written.len() as u64;
                let modified_ms = contents.modified_ms;
                Ok(FileMetadata { len, is_directory: false, modified_ms })
            }
        }
    }

    fn create_directories(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut directory = state.root.clone();
        for name in tree::names(path) {
            let known = directory.lock().written.get(&name).cloned();
            directory = match known {
                Some(Node::Directory(next)) => next,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    state.operate()?;
                    let next = Shared::<Directory>::default();
                    let mut above = directory.lock();
                    above.written.insert(name, Node::Directory(next.clone()));
                    above.note_change();
                    drop(above);
                    next
                }
            };
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.operate()?;
        let moved = tree::node(&state.root, from)?;
        let (source, old_name) = tree::parent(&state.root, from)?;
        let (target, new_name) = tree::parent(&state.root, to)?;
        if let (Node::Directory(_), Some(old)) = (&moved, target.lock().written.get(&new_name)) {
            tree::must_be_empty(old)?;
        }
        source.lock().written.remove(&old_name);
        target.lock().written.insert(new_name, moved);
        target.lock().note_change();
        if !Arc::ptr_eq(&source, &target) {
            source.lock().note_change();
        }
        Ok(())
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let linked = tree::node(&self.state.lock().root, from)?;
        self.change(to, |directory, name| match directory.written.contains_key(&name) {
            true => Err(io::ErrorKind::AlreadyExists.into()),
            false => {
                directory.written.insert(name, linked);
                Ok(())
            }
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(path, |directory, name| match directory.written.get(&name) {
            None => Err(tree::not_found(path)),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            Some(Node::File(_)) => {
                directory.written.remove(&name);
                Ok(())
            }
        })
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.change(path, |directory, name| match directory.written.get(&name) {
            None => Err(tree::not_found(path)),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            Some(Node::Directory(_)) => {
                directory.written.remove(&name);
                Ok(())
            }
        })
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.operate()?;
        let directory = tree::directory(&state.root, directory)?;
        directory.lock().sync();
        Ok(())
    }

    fn total_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.state.lock().total_bytes)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn LockGuard>> {
        drop(self.append(path)?);
        if !self.state.lock().locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimulatedLock { disk: self.clone(), path: path.to_owned() }))
    }
}

/// A file as it was when it was mapped.
struct Mapped(Arc<Vec<u8>>);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

struct SimulatedLock {
    disk: SimulatedDisk,
    path: PathBuf,
}

impl LockGuard for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        self.disk.state.lock().locks.remove(&self.path);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Append,
    Truncate,
}

struct SimulatedFile {
    disk: SimulatedDisk,
    contents: Shared<Contents>,
    access: Access,
}

impl SimulatedFile {
    fn may_write(&self) -> io::Result<()> {
        match self.access {
            Access::Read => Err(io::ErrorKind::PermissionDenied.into()),
            Access::Append | Access::Truncate => self.disk.state.lock().operate(),
        }
    }
}

impl File for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let contents = self.contents.lock();
        let rest = contents.written.get(offset as usize..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.may_write()?;
        let mut state = self.disk.state.lock();
        let fitting = usize::try_from(state.bytes_left).unwrap_or(usize::MAX).min(bytes.len());
        state.bytes_left -= fitting as u64;
        let mut contents = self.contents.lock();
        Arc::make_mut(&mut contents.written).extend_from_slice(&bytes[..fitting]);
        contents.modified_ms = self.disk.now_ms();
        match fitting < bytes.len() {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let len = self.len()?;
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::StorageFull)?;
        let n_over = bytes.len().min((len as usize).saturating_sub(offset));
        let (over, behind) = bytes.split_at(n_over);
        self.may_write()?;
        {
            let mut contents = self.contents.lock();
            let written = Arc::make_mut(&mut contents.written);
            if offset > written.len() {
                written.resize(offset, 0);
            }
            written[offset..offset + over.len()].copy_from_slice(over);
        }
        if behind.is_empty() { Ok(()) } else { self.write_all(behind) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.state.lock().operate()?;
        let mut contents = self.contents.lock();
        contents.synced = contents.written.clone();
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.may_write()?;
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::StorageFull)?;
        Arc::make_mut(&mut self.contents.lock().written).resize(len, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.contents.lock().written.len() as u64)
    }
}

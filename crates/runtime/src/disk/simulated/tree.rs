//! Files and directories, each as written and as synced.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Component, Path},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{Random, random::SeededRandom};

/// What the disk writes at once; a torn tail ends at any byte, zeros fill a sector.
const SECTOR: usize = 512;

pub(super) type Shared<T> = Arc<Mutex<T>>;

#[derive(Clone)]
pub(super) enum Node {
    File(Shared<Contents>),
    Directory(Shared<Directory>),
}

/// Bytes are shared until they are written again, so that copies of a disk cost little.
#[derive(Default, Clone)]
pub(super) struct Contents {
    pub(super) written: Arc<Vec<u8>>,
    pub(super) synced: Arc<Vec<u8>>,
    pub(super) modified_ms: i64,
}

#[derive(Default)]
pub(super) struct Directory {
    pub(super) written: Names,
    synced: Names,
    /// What it was after each change that is not durable yet; the last is as written.
    changes: Vec<Names>,
}

type Names = BTreeMap<String, Node>;

impl Directory {
    /// Remembers that names have changed, by one step that happens as a whole.
    pub(super) fn note_change(&mut self) {
        self.changes.push(self.written.clone());
    }

    pub(super) fn sync(&mut self) {
        self.changes.clear();
        self.synced = self.written.clone();
    }
}

/// The names on the way to `path`; the disk has one root, so `/a` and `a` are the same.
pub(super) fn names(path: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(names.pop()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    names
}

pub(super) fn node(root: &Shared<Directory>, path: &Path) -> io::Result<Node> {
    let mut node = Node::Directory(root.clone());
    for name in names(path) {
        let Node::Directory(directory) = node else {
            return Err(io::ErrorKind::NotADirectory.into());
        };
        node = directory.lock().written.get(&name).cloned().ok_or_else(|| not_found(path))?;
    }
    Ok(node)
}

pub(super) fn directory(root: &Shared<Directory>, path: &Path) -> io::Result<Shared<Directory>> {
    match node(root, path)? {
        Node::Directory(directory) => Ok(directory),
        Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// The directory that holds `path`, and its name there.
pub(super) fn parent(
    root: &Shared<Directory>,
    path: &Path,
) -> io::Result<(Shared<Directory>, String)> {
    let mut names = names(path);
    let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
    let above: std::path::PathBuf = names.iter().collect();
    Ok((directory(root, &above)?, name))
}

pub(super) fn must_be_empty(node: &Node) -> io::Result<()> {
    match node {
        Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        Node::Directory(directory) if directory.lock().written.is_empty() => Ok(()),
        Node::Directory(_) => Err(io::ErrorKind::DirectoryNotEmpty.into()),
    }
}

pub(super) fn not_found(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        format!("open {}: no such file or directory", path.display()),
    )
}

/// What survives the process: all that was written, which remains as durable as it was.
pub(super) fn copy_written(root: &Shared<Directory>) -> Shared<Directory> {
    let mut copies = Copies::default();
    let all = |directory: &Directory| Directory {
        written: directory.written.clone(),
        synced: directory.synced.clone(),
        changes: directory.changes.clone(),
    };
    copies.directory(root, &mut { all }, &mut Contents::clone)
}

/// What survives a power loss: all that was synced, and what `seed` leaves of the rest. Each
/// directory has its changes up to some point, each file some of its sectors.
pub(super) fn copy_durable(root: &Shared<Directory>, seed: u64) -> Shared<Directory> {
    let random = SeededRandom::new(seed);
    let mut copies = Copies::default();
    copies.directory(
        root,
        &mut |directory| {
            let n_kept = random.u64() as usize % (directory.changes.len() + 1);
            let names = match n_kept.checked_sub(1) {
                Some(last) => &directory.changes[last],
                None => &directory.synced,
            };
            Directory { written: names.clone(), synced: names.clone(), changes: Vec::new() }
        },
        &mut |contents| {
            let bytes = torn(contents, &random);
            let modified_ms = contents.modified_ms;
            Contents { synced: bytes.clone(), written: bytes, modified_ms }
        },
    )
}

fn torn(contents: &Contents, random: &SeededRandom) -> Arc<Vec<u8>> {
    let Contents { written, synced, .. } = contents;
    let Some(unsynced) = written.strip_prefix(synced.as_slice()) else {
        // It was cut or overwritten: one or the other.
        let keeps_change = random.u64().is_multiple_of(2);
        return if keeps_change { written.clone() } else { synced.clone() };
    };
    let kept = (random.u64() % (unsynced.len() as u64 + 1)) as usize;
    let mut bytes = [synced, &unsynced[..kept]].concat();
    match random.u64() % 4 {
        // The length was written, the end was not.
        0 => {
            let start = bytes.len().saturating_sub(SECTOR).max(synced.len());
            bytes[start..].fill(0);
        }
        // The disk has written sectors in another order.
        1 => {
            let mut start = synced.len();
            while start < bytes.len() {
                let end = (start + 1).next_multiple_of(SECTOR).min(bytes.len());
                if random.u64().is_multiple_of(2) {
                    bytes[start..end].fill(0);
                }
                start = end;
            }
        }
        _ => {}
    }
    Arc::new(bytes)
}

/// Files and directories copied so far, by their address, so that hard links stay links.
#[derive(Default)]
struct Copies {
    files: HashMap<usize, Shared<Contents>>,
    directories: HashMap<usize, Shared<Directory>>,
}

impl Copies {
    fn directory(
        &mut self,
        original: &Shared<Directory>,
        choose: &mut dyn FnMut(&Directory) -> Directory,
        copy: &mut dyn FnMut(&Contents) -> Contents,
    ) -> Shared<Directory> {
        let address = Arc::as_ptr(original).addr();
        if let Some(known) = self.directories.get(&address) {
            return known.clone();
        }
        let Directory { written, synced, changes } = choose(&original.lock());
        let mut copy_names = |names: Names| -> Names {
            let copy_node = |(name, node)| {
                let node = match node {
                    Node::File(contents) => Node::File(self.file(&contents, copy)),
                    Node::Directory(below) => Node::Directory(self.directory(&below, choose, copy)),
                };
                (name, node)
            };
            names.into_iter().map(copy_node).collect()
        };
        let directory = Directory {
            written: copy_names(written),
            synced: copy_names(synced),
            changes: changes.into_iter().map(copy_names).collect(),
        };
        let directory = Arc::new(Mutex::new(directory));
        self.directories.insert(address, directory.clone());
        directory
    }

    fn file(
        &mut self,
        original: &Shared<Contents>,
        copy: &mut dyn FnMut(&Contents) -> Contents,
    ) -> Shared<Contents> {
        let address = Arc::as_ptr(original).addr();
        let known = self.files.entry(address);
        known.or_insert_with(|| Arc::new(Mutex::new(copy(&original.lock())))).clone()
    }
}

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

#[derive(Default)]
pub(super) struct Contents {
    pub(super) written: Vec<u8>,
    pub(super) synced: Vec<u8>,
    pub(super) modified_ms: i64,
}

#[derive(Default)]
pub(super) struct Directory {
    pub(super) written: BTreeMap<String, Node>,
    pub(super) synced: BTreeMap<String, Node>,
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
    copies.directory(
        root,
        &mut |directory| (directory.written.clone(), directory.synced.clone()),
        &mut |contents| Contents {
            written: contents.written.clone(),
            synced: contents.synced.clone(),
            modified_ms: contents.modified_ms,
        },
    )
}

/// What survives a power loss: all that was synced, and what `seed` leaves of the rest.
pub(super) fn copy_durable(root: &Shared<Directory>, seed: u64) -> Shared<Directory> {
    let random = SeededRandom::new(seed);
    let mut copies = Copies::default();
    copies.directory(
        root,
        &mut |directory| {
            let keeps_changes = random.u64().is_multiple_of(2);
            let names = if keeps_changes { &directory.written } else { &directory.synced };
            (names.clone(), names.clone())
        },
        &mut |contents| {
            let bytes = torn(contents, &random);
            Contents { synced: bytes.clone(), written: bytes, modified_ms: contents.modified_ms }
        },
    )
}

fn torn(contents: &Contents, random: &SeededRandom) -> Vec<u8> {
    let Some(unsynced) = contents.written.strip_prefix(contents.synced.as_slice()) else {
        // It was cut or overwritten: one or the other.
        let keeps_change = random.u64().is_multiple_of(2);
        return if keeps_change { contents.written.clone() } else { contents.synced.clone() };
    };
    let kept = (random.u64() % (unsynced.len() as u64 + 1)) as usize;
    let mut bytes = [&contents.synced, &unsynced[..kept]].concat();
    let has_hole = random.u64().is_multiple_of(4);
    if has_hole {
        let start = bytes.len().saturating_sub(SECTOR).max(contents.synced.len());
        bytes[start..].fill(0);
    }
    bytes
}

type Names = BTreeMap<String, Node>;

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
        choose: &mut dyn FnMut(&Directory) -> (Names, Names),
        copy: &mut dyn FnMut(&Contents) -> Contents,
    ) -> Shared<Directory> {
        let address = Arc::as_ptr(original).addr();
        if let Some(known) = self.directories.get(&address) {
            return known.clone();
        }
        let (written, synced) = choose(&original.lock());
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
        let directory = Directory { written: copy_names(written), synced: copy_names(synced) };
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

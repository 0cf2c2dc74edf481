//! Whose connection is this? On loopback all come from 127.0.0.1; the kernel knows the process.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use procfs::process::{FDTarget, Process};

use crate::links::Party;

/// The process of each party; changes with each restart.
pub(crate) type Owners = Arc<Mutex<BTreeMap<Party, u32>>>;

/// The party whose process has the socket `address`. Reads /proc: blocks for a moment.
pub(crate) fn owner_of(address: SocketAddr, owners: &Owners) -> Option<Party> {
    let sockets = procfs::net::tcp().ok()?;
    let inode = sockets.iter().find(|socket| socket.local_address == address)?.inode;
    let owners = owners.lock().clone();
    owners.into_iter().find(|(_, pid)| has_socket(*pid, inode)).map(|(party, _)| party)
}

fn has_socket(pid: u32, inode: u64) -> bool {
    let Ok(files) = Process::new(pid as i32).and_then(|process| process.fd()) else { return false };
    files.flatten().any(|file| matches!(file.target, FDTarget::Socket(socket) if socket == inode))
}

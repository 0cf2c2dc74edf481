//! Listeners that whoever started this process has opened for it: systemd's socket activation.

#![expect(unsafe_code, reason = "a descriptor that is known by its number alone is taken over")]

use std::{
    io,
    net::TcpListener,
    os::fd::{FromRawFd as _, RawFd},
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::io::FdFlags;

/// The first descriptor that is handed over, by convention.
const FIRST: RawFd = 3;
/// More are not looked for.
const COUNT_MAX: RawFd = 64;

/// Those that have been taken, a bit each: a descriptor has one owner.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// The addresses under which [`super::Network::listen`] finds the listeners that were handed over;
/// none if this process was not meant.
pub fn inherited_addresses() -> Vec<String> {
    addresses(|name| std::env::var(name).ok(), std::process::id())
}

pub(super) fn addresses(variable: impl Fn(&str) -> Option<String>, own_id: u32) -> Vec<String> {
    let number = |name| variable(name)?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(own_id) {
        return Vec::new();
    }
    let count = number("LISTEN_FDS").unwrap_or_default().min(COUNT_MAX as u32);
    (0..count).map(|idx| format!("fd:{}", FIRST as u32 + idx)).collect()
}

/// Takes over the listener of an address `fd:3`.
pub(super) fn listener(number: &str) -> io::Result<TcpListener> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "no such inherited socket");
    let fd: RawFd = number.parse().map_err(|_| invalid())?;
    let is_handed_over =
        inherited_addresses().iter().any(|it| it.strip_prefix("fd:") == Some(number));
    if !is_handed_over {
        return Err(invalid());
    }
    let bit = 1_u64 << (fd - FIRST);
    if TAKEN.fetch_or(bit, Ordering::AcqRel) & bit != 0 {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    // SAFETY: whoever started this process says in its environment that the descriptor is open and
    // ours, nothing else here opens or closes descriptors by number, and the bit above makes this
    // the only owner.
    let listener = unsafe { TcpListener::from_raw_fd(fd) };
    // Not a socket, or not one of TCP.
    listener.local_addr()?;
    rustix::io::fcntl_setfd(&listener, FdFlags::CLOEXEC)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

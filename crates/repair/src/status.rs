//! How far it is, for people and their pages.

use std::time::Duration;

use model::{TimeRange, Timestamp};

/// What repair does and has done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// Where this member may lack something; reads ask others there.
    pub holes: Vec<TimeRange>,
    /// What is under way.
    pub running: Option<Progress>,
    /// What was taken over from others lately, the latest last.
    pub mended: Vec<Mended>,
    pub peers: Vec<PeerStatus>,
    pub windows_compared: u64,
    pub windows_different: u64,
    pub samples_added: u64,
    pub samples_replaced: u64,
    pub bytes_received: u64,
}

/// What is fetched from one member.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub peer: String,
    pub range: TimeRange,
    pub started: Timestamp,
    pub samples: u64,
    pub bytes: u64,
}

/// What was lacking here and was taken over from another member.
#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    pub peer: String,
    pub range: TimeRange,
    pub finished: Timestamp,
    pub samples: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerStatus {
    pub name: String,
    pub is_live: bool,
    /// Closed time that has not been compared with it.
    pub unchecked: Duration,
    pub last_compared: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    pub error: Option<String>,
}

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

/// What is drilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Two servers.
    Pair,
    /// Two servers that know nothing of each other, as upstream has them.
    PlainPair,
    /// Three servers, each target on two of them.
    Three,
    /// The seed's own recipe: two Prometheus, of which keepalived lets one run.
    UpstreamKeepalived,
}

/// Where the writer writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remote {
    Vesta,
    Prometheus,
    VictoriaMetrics,
    None,
}

#[derive(Debug, Clone)]
pub struct Options {
    pub topology: Topology,
    pub remote: Remote,
    /// One Alertmanager, or three.
    pub n_alertmanagers: usize,
    pub seeds: RangeInclusive<u64>,
    /// How long there are faults, for each seed.
    pub duration: Duration,
    /// How long the members may take to become whole after the last fault.
    pub settle: Duration,
    /// How many seeds run at the same time.
    pub at_once: usize,
    /// Disks are filled, too: needs root.
    pub fill_disks: bool,
    /// The folder stays.
    pub keep: bool,
    /// Where a page with time lines is written.
    pub report: Option<PathBuf>,
    /// Drills the seed's own recipe as well and shows both.
    pub compare: bool,
    /// Names of the flags that this program's server honours.
    pub server_flags: Vec<String>,
}

//! What does this member lack, who has it, and how does it get here?
//!
//! Members compare digests of windows of time, fetch what differs and write what wins by
//! [`storage::Sample::rank`]; after that they have the same samples. Each member takes only; the
//! others take from it. Knows neither the database nor the cluster: series are a
//! `storage::Queryable`, a [`Backfill`] writes, members are handed in. [`Holes`], [`Ledger`],
//! digests and differences are pure. Start at [`Repair`].

mod delete;
mod diff;
mod digest;
mod fetch;
mod holes;
mod ledger;
mod metrics;
mod repair;
mod server;
mod status;

pub use digest::{N_SHARDS, shard};
pub use holes::Holes;
pub use ledger::Ledger;
pub use repair::{Backfill, Delete, Limits, Member, Repair, Settings, Sources, Written};
pub use status::{Mended, PeerStatus, Progress, Status};

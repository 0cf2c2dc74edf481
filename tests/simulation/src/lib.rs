//! Does Vesta lose, invent or double anything when the world around it fails?
//!
//! In each module a seed chooses a history and its faults, a part of Vesta lives through it in the
//! simulated world of `runtime`, and a model that fits on a page says what must come of it. A
//! failure prints its seed and the shortest story that still fails;
//! `cargo run -p simulation -- storage --seed 17` tells it again.
//!
//! One module for each part of Vesta, a file of the same name in `tests/`, a line in `main.rs`:
//! [`alertmanager`] counts what clusters of Alertmanagers tell twice, or not at all,
//! [`cluster`] cuts, stops and kills servers that act as one, [`remote`] does the same to the two ends
//! of remote write, [`rules`] restarts, kills and pauses a
//! server while alerts are active, [`storage`] crashes the database at every write.

pub mod alertmanager;
pub mod cluster;
pub mod dice;
pub mod remote;
pub mod rules;
mod seeds;
pub mod storage;

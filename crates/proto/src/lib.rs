//! What do the protobuf messages look like?
//!
//! Generated from `proto/*.proto` by `cargo xtask proto` and checked in; no logic. One module a
//! file: [`metrics`], [`nflog`], [`silence`], [`cluster`].

#[rustfmt::skip] // generated
pub mod cluster;
#[rustfmt::skip] // generated
pub mod metrics;
#[rustfmt::skip] // generated
pub mod nflog;
#[rustfmt::skip] // generated
pub mod silence;

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct Timestamp {
    /// Since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// 0 to 999,999,999, counted forward also before the epoch.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

//! What do the protobuf messages look like?
//!
//! Generated from `proto/*.proto` by `cargo xtask proto` and checked in; no logic. One module a
//! file: [`metrics`], [`nflog`], [`silence`], [`cluster`], [`thanos`] and what is ours, [`vesta`].

#[rustfmt::skip] // generated
pub mod cluster;
#[rustfmt::skip] // generated
pub mod metrics;
#[rustfmt::skip] // generated
pub mod nflog;
#[rustfmt::skip] // generated
pub mod silence;

pub mod trace;

/// Thanos' services for those who read series.
#[rustfmt::skip] // generated
pub mod thanos {
    include!("thanos.rs");
    pub mod info {
        include!("thanos.info.rs");
    }
}

/// Between members of a cluster of ours.
pub mod vesta {
    pub mod cluster {
        #[rustfmt::skip] // generated
        pub mod v1 {
            include!("vesta.cluster.v1.rs");
        }
    }
    pub mod repair {
        #[rustfmt::skip] // generated
        pub mod v1 {
            include!("vesta.repair.v1.rs");
        }
    }
}

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

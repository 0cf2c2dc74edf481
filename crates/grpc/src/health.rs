//! `grpc.health.v1.Health`: load balancers ask it.

use tonic::{Response, Status};

use crate::Methods;

/// Nobody needs more to name a service.
const REQUEST_BYTES_MAX: usize = 1024;
const SERVING: i32 = 1;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckRequest {
    #[prost(string, tag = "1")]
    pub(crate) service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct CheckResponse {
    #[prost(int32, tag = "1")]
    pub(crate) status: i32,
}

/// Whoever can be asked is well.
pub(crate) fn methods() -> Methods {
    Methods::new(REQUEST_BYTES_MAX).unary(
        "/grpc.health.v1.Health/Check",
        |_: tonic::Request<CheckRequest>| async {
            Ok::<_, Status>(Response::new(CheckResponse { status: SERVING }))
        },
    )
}

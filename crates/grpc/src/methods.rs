//! Methods that are served.

use std::convert::Infallible;

use axum::{Router, response::IntoResponse as _, routing::post};
use prost::Message;
use tonic::{Request, Response, Status, Streaming, codegen::tokio_stream::Stream, server::Grpc};
use tonic_prost::ProstCodec;

use crate::health;

/// Methods of one or more services, as a router for `transport::server`.
///
/// Routers of several services are merged, then [`finish`]ed once.
#[derive(Default)]
pub struct Methods {
    router: Router,
    /// A request that is larger is refused.
    request_bytes_max: usize,
}

impl Methods {
    pub fn new(request_bytes_max: usize) -> Methods {
        Methods { router: Router::new(), request_bytes_max }
    }

    /// Adds a method with one answer; `path` is `/package.Service/Method`.
    pub fn unary<Q, A, F>(
        self,
        path: &str,
        handle: impl Fn(Request<Q>) -> F + Clone + Send + Sync + 'static,
    ) -> Methods
    where
        Q: Message + Default + 'static,
        A: Message + 'static,
        F: Future<Output = Result<Response<A>, Status>> + Send + 'static,
    {
        let limit = self.request_bytes_max;
        self.route(path, move |request: http::Request<axum::body::Body>| {
            let service = tower::service_fn(handle.clone());
            async move { grpc::<Q, A>(limit).unary(service, request).await }
        })
    }

    /// Adds a method that answers with a stream.
    pub fn stream<Q, A, S, F>(
        self,
        path: &str,
        handle: impl Fn(Request<Q>) -> F + Clone + Send + Sync + 'static,
    ) -> Methods
    where
        Q: Message + Default + 'static,
        A: Message + 'static,
        S: Stream<Item = Result<A, Status>> + Send + 'static,
        F: Future<Output = Result<Response<S>, Status>> + Send + 'static,
    {
        let limit = self.request_bytes_max;
        self.route(path, move |request: http::Request<axum::body::Body>| {
            let service = tower::service_fn(handle.clone());
            async move { grpc::<Q, A>(limit).server_streaming(service, request).await }
        })
    }

    /// Adds a method of two streams.
    pub fn duplex<Q, A, S, F>(
        self,
        path: &str,
        handle: impl Fn(Request<Streaming<Q>>) -> F + Clone + Send + Sync + 'static,
    ) -> Methods
    where
        Q: Message + Default + 'static,
        A: Message + 'static,
        S: Stream<Item = Result<A, Status>> + Send + 'static,
        F: Future<Output = Result<Response<S>, Status>> + Send + 'static,
    {
        let limit = self.request_bytes_max;
        self.route(path, move |request: http::Request<axum::body::Body>| {
            let service = tower::service_fn(handle.clone());
            async move { grpc::<Q, A>(limit).streaming(service, request).await }
        })
    }

    pub fn into_router(self) -> Router {
        self.router
    }

    fn route<F>(
        self,
        path: &str,
        answer: impl Fn(http::Request<axum::body::Body>) -> F + Clone + Send + Sync + 'static,
    ) -> Methods
    where
        F: Future<Output = http::Response<tonic::body::Body>> + Send + 'static,
    {
        let handler = move |request: axum::extract::Request| {
            let answer = answer(request);
            async move { answer.await.map(axum::body::Body::new) }
        };
        Methods { router: self.router.route(path, post(handler)), ..self }
    }
}

/// Adds what every server of gRPC has: its health, and a clear answer for methods that it lacks.
pub fn finish(router: Router) -> Router {
    let fallback = async |request: axum::extract::Request| {
        let text = format!("unknown method {}", request.uri().path());
        let answer: http::Response<tonic::body::Body> = Status::unimplemented(text).into_http();
        Ok::<_, Infallible>(answer.map(axum::body::Body::new).into_response())
    };
    router.merge(health::methods().into_router()).fallback(fallback)
}

fn grpc<Q, A>(limit: usize) -> Grpc<ProstCodec<A, Q>>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    // What we send is for the receiver to judge.
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(limit)
        .max_encoding_message_size(usize::MAX)
}

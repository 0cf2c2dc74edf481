use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use prost::Message;
use runtime::{Simulation, clock::Clock as _};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::{
    Channel, Methods, Plain, Settings, finish,
    health::{CheckRequest, CheckResponse},
};

const ADDRESS: &str = "10.0.0.1:10901";

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(uint64, tag = "1")]
    value: u64,
    #[prost(bytes, tag = "2")]
    padding: Vec<u8>,
}

fn number(value: u64) -> Number {
    Number { value, padding: Vec::new() }
}

/// A server of three methods at [`ADDRESS`], and a channel to it from another host.
struct Setup {
    simulation: Simulation,
    channel: Channel,
    server: tokio::task::JoinHandle<()>,
}

impl Setup {
    async fn start() -> Setup {
        let simulation = Simulation::new(1);
        let server = serve(&simulation).await;
        let network = Arc::new(simulation.network.host("10.0.0.2"));
        let settings =
            Settings { connect_timeout: Duration::from_secs(5), answer_bytes_max: 10_000 };
        let clock = simulation.clock.clone();
        let channel = Channel::new(ADDRESS, Arc::new(Plain(network)), clock, settings)
            .expect("it is an address");
        Setup { simulation, channel, server }
    }

    async fn double(&self, value: u64) -> Result<u64, Status> {
        let answer = self.channel.unary::<_, Number>("/t.T/Double", Request::new(number(value)));
        answer.await.map(|answer| answer.into_inner().value)
    }
}

async fn serve(simulation: &Simulation) -> tokio::task::JoinHandle<()> {
    let methods = Methods::new(1_000)
        .unary("/t.T/Double", async |request: Request<Number>| {
            let value = request.into_inner().value;
            let doubled = value.checked_mul(2);
            let answer = doubled.ok_or_else(|| Status::out_of_range("too large"))?;
            Ok(Response::new(number(answer)))
        })
        .stream("/t.T/Count", async |request: Request<Number>| {
            let to = request.into_inner().value;
            Ok(Response::new(stream::iter((0..to).map(|value| Ok(number(value))))))
        })
        .duplex("/t.T/Sums", async |request: Request<Streaming<Number>>| {
            let sums = request.into_inner().scan(0, |sum, next| {
                *sum += next.map(|number| number.value).unwrap_or_default();
                futures_util::future::ready(Some(Ok(number(*sum))))
            });
            Ok(Response::new(sums))
        });
    let network = simulation.network.host("10.0.0.1");
    let listener = runtime::Network::listen(&network, ADDRESS).await.expect("it is free");
    let router = finish(methods.into_router());
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            connections.spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let executor = hyper_util::rt::TokioExecutor::new();
                let server = hyper::server::conn::http2::Builder::new(executor);
                drop(server.serve_connection(io, service).await);
            });
        }
    })
}

#[tokio::test]
async fn all_kinds_of_methods_answer() {
    let setup = Setup::start().await;
    assert_eq!(setup.double(21).await.expect("it answers"), 42);
    let counted = setup.channel.stream::<_, Number>("/t.T/Count", Request::new(number(3))).await;
    let counted = counted.expect("it answers").into_inner();
    let counted: Vec<u64> = counted.map(|n| n.expect("it counts").value).collect().await;
    assert_eq!(counted, [0, 1, 2]);
    let sent = Request::new(stream::iter([1, 2, 3].map(number)));
    let sums = setup.channel.duplex::<_, Number>("/t.T/Sums", sent).await;
    let sums = sums.expect("it answers").into_inner();
    let sums: Vec<u64> = sums.map(|n| n.expect("it sums").value).collect().await;
    assert_eq!(sums, [1, 3, 6]);
}

#[tokio::test]
async fn errors_travel_with_their_words() {
    let setup = Setup::start().await;
    let error = setup.double(u64::MAX).await.expect_err("it does not fit");
    assert_eq!((error.code(), error.message()), (Code::OutOfRange, "too large"));
    let unknown = setup.channel.unary::<_, Number>("/t.T/Nothing", Request::new(number(1))).await;
    let error = unknown.expect_err("there is no such method");
    let words = (error.code(), error.message());
    assert_eq!(words, (Code::Unimplemented, "unknown method /t.T/Nothing"));
}

#[tokio::test]
async fn messages_have_a_limit_in_both_directions() {
    let setup = Setup::start().await;
    let large = Number { value: 1, padding: vec![0; 1_001] };
    let refused = setup.channel.unary::<_, Number>("/t.T/Double", Request::new(large)).await;
    assert_eq!(refused.expect_err("it is too large").code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_server_says_that_it_is_well() {
    let setup = Setup::start().await;
    let question = Request::new(CheckRequest::default());
    let path = "/grpc.health.v1.Health/Check";
    let answer = setup.channel.unary::<_, CheckResponse>(path, question).await;
    assert_eq!(answer.expect("it answers").into_inner().status, 1);
}

#[tokio::test]
async fn a_broken_connection_is_made_anew() {
    let mut setup = Setup::start().await;
    assert_eq!(setup.double(1).await.expect("it answers"), 2);
    setup.server.abort();
    assert!((&mut setup.server).await.is_err(), "it was aborted");
    let error = setup.double(1).await.expect_err("nobody is there");
    assert_eq!(error.code(), Code::Unavailable);
    setup.server = serve(&setup.simulation).await;
    assert_eq!(setup.double(2).await.expect("it answers again"), 4);
}

#[tokio::test]
async fn connecting_has_a_limit() {
    let setup = Setup::start().await;
    setup.simulation.network.cut("10.0.0.1", "10.0.0.2");
    let double = setup.double(1);
    let clock = setup.simulation.clock.clone();
    let (result, ()) = tokio::join!(double, async {
        clock.run_for(Duration::from_secs(6)).await;
        assert!(clock.monotonic() >= Duration::from_secs(6));
    });
    let error = result.expect_err("nothing gets through");
    assert_eq!(error.message(), "connect to 10.0.0.1:10901: no answer in time");
}

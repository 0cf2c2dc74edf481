//! Whole nodes that tell a small collector.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use parking_lot::Mutex;
use prost::Message as _;
use proto::trace::{ExportTraceServiceRequest, ExportTraceServiceResponse, Span, any_value};
use tokio_util::sync::CancellationToken;
use transport::server::{Limits, serve};

use crate::{
    alertmanager::{self, tests as alertmanager_tests},
    server::{self, tests as server_tests},
    testing::World,
};

type Received = Arc<Mutex<Vec<ExportTraceServiceRequest>>>;

async fn listen(world: &World, address: &str, router: Router) {
    let runtime = world.simulation.runtime();
    let listener = runtime.network.listen(address).await.expect("the address is free");
    let (limits, stop) = (Limits::default(), CancellationToken::new());
    tokio::spawn(serve(vec![listener], router, limits, runtime.clock, stop));
}

/// Takes traces by HTTP, compressed.
async fn http_collector(world: &World) -> Received {
    let received = Received::default();
    let keep = received.clone();
    let take = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["x-tenant"], "us");
        let mut bytes = Vec::new();
        stdx::capped::gunzip(&body, 1 << 20, &mut bytes).expect("it is compressed");
        keep.lock().push(ExportTraceServiceRequest::decode(&*bytes).expect("traces"));
    };
    listen(world, "collector:4318", Router::new().route("/v1/traces", post(take))).await;
    received
}

/// Takes traces by gRPC.
async fn grpc_collector(world: &World) -> Received {
    let received = Received::default();
    let keep = received.clone();
    let take = move |request: grpc::Request<ExportTraceServiceRequest>| {
        let keep = keep.clone();
        async move {
            assert_eq!(request.metadata().get("x-tenant").expect("a header"), "us");
            keep.lock().push(request.into_inner());
            Ok(grpc::Response::new(ExportTraceServiceResponse {}))
        }
    };
    let methods = grpc::Methods::new(1 << 20).unary(super::exporter::METHOD, take);
    listen(world, "collector:4317", grpc::finish(methods.into_router())).await;
    received
}

/// The first span with this name, and the name of its service.
async fn find(world: &World, received: &Received, name: &str) -> (Span, String) {
    let find = || {
        received.lock().iter().flat_map(|request| &request.resource_spans).find_map(|resource| {
            let mut spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
            let span = spans.find(|span| span.name == name)?.clone();
            let attributes = &resource.resource.as_ref()?.attributes;
            let service = attributes.iter().find(|it| it.key == "service.name")?;
            match service.value.as_ref()?.value.as_ref()? {
                any_value::Value::StringValue(text) => Some((span, text.clone())),
                any_value::Value::IntValue(_) => None,
            }
        })
    };
    world.until(find).await
}

#[tokio::test]
async fn notifications_and_requests_are_traced() {
    let mut world = World::new();
    let received = http_collector(&world).await;
    let tracing = "tracing: {client_type: http, endpoint: 'collector:4318', insecure: true, \
         sampling_fraction: 1, compression: gzip, headers: {X-Tenant: us}}\n";
    let config = format!("{}{tracing}", alertmanager_tests::WEBHOOK);
    world.write(alertmanager_tests::CONFIG, &config);
    world.other("hook:5001", "").await;
    let options = alertmanager_tests::options();
    world.start(|runtime, signals| alertmanager::run(options, runtime, signals));
    world.wait_for("/-/ready", "OK").await;
    world.post_json("/api/v2/alerts", alertmanager_tests::ALERT).await.expect("it runs");
    let (request, service) = find(&world, &received, "POST /api/v2/alerts").await;
    assert_eq!((request.kind, service.as_str()), (2, "alertmanager"));
    assert!(request.parent_span_id.is_empty() && request.status.is_none(), "{request:?}");
    let (notification, _) = find(&world, &received, "notify webhook").await;
    assert_eq!((notification.kind, notification.trace_id.len()), (3, 16));
    let keys: Vec<&str> = notification.attributes.iter().map(|it| it.key.as_str()).collect();
    assert!(keys.contains(&"alerting.notify.group_key"), "{keys:?}");
    world.wait_for("/metrics", "vesta_traces_failed_spans_total 0").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn queries_are_traced_within_their_requests() {
    let mut world = World::new();
    let received = grpc_collector(&world).await;
    let tracing = "tracing: {endpoint: 'collector:4317', insecure: true, sampling_fraction: 1, \
         headers: {X-Tenant: us}}\n";
    world.write(server_tests::CONFIG, tracing);
    let options = server_tests::options();
    world.start(|runtime, signals| server::run(options, runtime, signals));
    world.wait_for("/api/v1/query?query=1", "success").await;
    let (query, service) = find(&world, &received, "promqlExec").await;
    assert_eq!((query.kind, service.as_str()), (1, "prometheus"));
    find(&world, &received, "GET /api/v1/query").await;
    world.stop().await.expect("a clean end");
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nobody_up() {
    let mut world = World::new();
    let tracing = "tracing: {endpoint: 'collector:4317', insecure: true, sampling_fraction: 1}\n";
    world.write(server_tests::CONFIG, tracing);
    let options = server_tests::options();
    world.start(|runtime, signals| server::run(options, runtime, signals));
    world.wait_for("/api/v1/query?query=1", "success").await;
    world.simulation.clock.run_for(Duration::from_secs(30)).await;
    let metrics = world.get("/metrics").await.expect("it runs").body;
    assert!(metrics.contains("vesta_traces_exported_spans_total 0"), "{metrics}");
    assert!(!metrics.contains("vesta_traces_failed_spans_total 0"), "{metrics}");
    world.stop().await.expect("a clean end");
}

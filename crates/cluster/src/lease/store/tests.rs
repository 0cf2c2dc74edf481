//! Every kind of service keeps a record as the lease needs it.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use object_store::memory::InMemory;
use parking_lot::Mutex;
use runtime::{Network as _, Runtime, Simulation};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use transport::client::Config;

use super::*;
use crate::lease::{bucket::Bucket, etcd::Etcd, folder::Folder, kubernetes::Kubernetes};

const SECOND: Duration = Duration::from_secs(1);

fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("it is JSON")
}

fn record(holder: &str, epoch: u64, renewals: u64) -> Record {
    Record {
        holder: holder.to_owned(),
        run: "7".to_owned(),
        name: "server-a".to_owned(),
        epoch,
        renewals,
        duration_millis: 3_000,
    }
}

async fn check(store: &dyn Store) {
    let (first, second) = (record("A", 1, 1), record("B", 2, 2));
    assert_eq!(store.read().await, Ok(None));
    let version = store.write_if(&first, None).await.expect("it works").expect("it is the first");
    assert_eq!(store.write_if(&second, None).await, Ok(None), "there is one already");
    assert_eq!(store.read().await, Ok(Some((first.clone(), version.clone()))));
    let next = store.write_if(&second, Some(&version)).await.expect("it works");
    let next = next.expect("it was the same");
    assert_ne!(next, version);
    assert_eq!(store.write_if(&first, Some(&version)).await, Ok(None), "it is not any more");
    assert_eq!(store.read().await, Ok(Some((second, next.clone()))));
    let mut version = next;
    for renewal in 3..40 {
        // Nobody's record is of no run.
        let renewed = Record { run: String::new(), ..record("", 2, renewal) };
        let written = store.write_if(&renewed, Some(&version)).await.expect("it works");
        version = written.expect("nobody else writes");
        assert_eq!(store.read().await, Ok(Some((renewed, version.clone()))));
    }
    let old = Version("2".to_owned());
    assert_eq!(store.write_if(&record("A", 9, 9), Some(&old)).await, Ok(None));
}

/// Serves `router` at a host of its own; what to call it by, and how to end it.
async fn serve(router: Router) -> (Runtime, &'static str, CancellationToken) {
    let simulation = Simulation::new(1);
    let network = simulation.network.host("10.0.0.9");
    let listener = network.listen("0.0.0.0:80").await.expect("a free port");
    let stop = CancellationToken::new();
    tokio::spawn(transport::server::serve(
        vec![listener],
        router,
        transport::server::Limits::default(),
        simulation.clock.clone(),
        stop.clone(),
    ));
    (simulation.runtime(), "10.0.0.9:80", stop)
}

#[tokio::test]
async fn a_folder_keeps_a_lease() {
    let runtime = Runtime::simulated(1);
    let folder = Folder::new(std::path::Path::new("/shared/x/lease"), runtime.clone());
    check(&folder.expect("it is a file")).await;
    let left = runtime.disk.list(std::path::Path::new("/shared/x")).expect("it is there").len();
    assert!(left < 12, "{left} files are left");
}

#[tokio::test]
async fn a_bucket_keeps_a_lease() {
    check(&Bucket::new(Arc::new(InMemory::new()), "vesta/lease").expect("it is a path")).await;
}

/// One Lease, as Kubernetes serves it.
#[derive(Default)]
struct Leases {
    lease: Mutex<Option<Value>>,
    versions: Mutex<u64>,
}

impl Leases {
    fn put(&self, mut lease: Value, must_exist: bool) -> (StatusCode, String) {
        let mut known = self.lease.lock();
        let said = |code: StatusCode, reason: &str| {
            let status = json!({ "kind": "Status", "code": code.as_u16(), "reason": reason });
            (code, status.to_string())
        };
        if lease["spec"]["leaseDurationSeconds"].as_i64().is_none_or(|seconds| seconds <= 0) {
            return said(StatusCode::UNPROCESSABLE_ENTITY, "Invalid");
        }
        match &*known {
            Some(_) if !must_exist => return said(StatusCode::CONFLICT, "AlreadyExists"),
            None if must_exist => return said(StatusCode::NOT_FOUND, "NotFound"),
            Some(old)
                if old["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"] =>
            {
                return said(StatusCode::CONFLICT, "Conflict");
            }
            _ => {}
        }
        *self.versions.lock() += 1;
        lease["metadata"]["resourceVersion"] = json!(self.versions.lock().to_string());
        *known = Some(lease.clone());
        (if must_exist { StatusCode::OK } else { StatusCode::CREATED }, lease.to_string())
    }
}

#[tokio::test]
async fn kubernetes_keeps_a_lease() {
    let leases = Arc::new(Leases::default());
    let read = async |State(leases): State<Arc<Leases>>, Path(name): Path<String>| {
        assert_eq!(name, "vesta");
        match &*leases.lease.lock() {
            Some(lease) => (StatusCode::OK, lease.to_string()),
            None => (StatusCode::NOT_FOUND, json!({ "kind": "Status", "code": 404 }).to_string()),
        }
    };
    let replace =
        async |State(leases): State<Arc<Leases>>, lease: Bytes| leases.put(parse(&lease), true);
    let create =
        async |State(leases): State<Arc<Leases>>, lease: Bytes| leases.put(parse(&lease), false);
    let all = "/apis/coordination.k8s.io/v1/namespaces/monitoring/leases";
    let router = Router::new()
        .route(all, axum::routing::post(create))
        .route(&format!("{all}/{{name}}"), get(read).put(replace))
        .with_state(leases.clone());
    let (runtime, address, stop) = serve(router).await;
    let server = format!("http://{address}");
    let store = Kubernetes::new(&server, "monitoring", "vesta", Config::default(), runtime);
    let store = store.expect("it is an address");
    check(&store).await;
    let lease = leases.lease.lock().clone().expect("it was written");
    assert_eq!(lease["spec"]["renewTime"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(lease["spec"]["leaseTransitions"], 2);
    // Another program's lease is respected, by what it says of itself.
    let spec = json!({ "holderIdentity": "other_1", "leaseDurationSeconds": 15 });
    let theirs = json!({ "metadata": { "resourceVersion": "99" }, "spec": spec });
    *leases.lease.lock() = Some(theirs);
    let (record, _) = store.read().await.expect("it works").expect("it is there");
    assert_eq!((&*record.holder, record.duration_millis), ("other_1", 15_000));
    stop.cancel();
}

/// A key's value and its revision, and the revision of the whole.
type Keys = (Option<(String, u64)>, u64);

#[tokio::test]
async fn etcd_keeps_a_lease() {
    let state: Arc<Mutex<Keys>> = Arc::default();
    let range_state = state.clone();
    let range = async move |body: Bytes| {
        let body = parse(&body);
        assert_eq!(body["key"], BASE64_STANDARD.encode("a/key"));
        let kvs: Vec<Value> = range_state
            .lock()
            .0
            .iter()
            .map(
                |(value, revision)| json!({ "value": value, "mod_revision": revision.to_string() }),
            )
            .collect();
        if kvs.is_empty() { json!({ "header": {} }) } else { json!({ "kvs": kvs }) }.to_string()
    };
    let txn = async move |body: Bytes| {
        let body = parse(&body);
        let mut state = state.lock();
        let current = state.0.as_ref().map_or(0, |(_, revision)| *revision).to_string();
        if body["compare"][0]["mod_revision"] != current {
            return json!({ "header": { "revision": state.1.to_string() } }).to_string();
        }
        state.1 += 3;
        let value = body["success"][0]["requestPut"]["value"].as_str().expect("a text");
        state.0 = Some((value.to_owned(), state.1));
        json!({ "header": { "revision": state.1.to_string() }, "succeeded": true }).to_string()
    };
    let router = Router::new()
        .route("/v3/kv/range", axum::routing::post(range))
        .route("/v3/kv/txn", axum::routing::post(txn));
    let (runtime, address, stop) = serve(router).await;
    // The first one is not there.
    let hosts = ["10.0.0.8:80".to_owned(), address.to_owned()];
    let store = Etcd::new(false, None, &hosts, "a/key", runtime).expect("they are addresses");
    check(&store).await;
    stop.cancel();
}

fn lease(own: u128) -> StoreLease {
    let settings = Settings { own: MemberId(own), name: "n".to_owned(), duration: 3 * SECOND };
    StoreLease::new(settings, format!("run-{own}"), Duration::ZERO)
}

/// Does what is due with a record in memory.
fn turn(lease: &mut StoreLease, kept: &mut Option<(Record, u64)>, now: Duration) {
    while let Some(action) = lease.next(now) {
        let version = |n: u64| Version(n.to_string());
        match action {
            Action::Read => {
                let read = kept.as_ref().map(|(record, n)| (record.clone(), version(*n)));
                lease.was_read(now, Ok(read));
            }
            Action::Write { record, version: expected } => {
                let current = kept.as_ref().map(|(_, n)| version(*n));
                let n = kept.as_ref().map_or(0, |(_, n)| *n) + 1;
                let fits = current == expected;
                if fits {
                    *kept = Some((record, n));
                }
                lease.was_written(now, Ok(fits.then(|| version(n))));
            }
        }
    }
}

#[test]
fn one_holds_it_until_it_is_silent_or_lets_go() {
    let (mut a, mut b, mut kept) = (lease(1), lease(2), None);
    let holds = |lease: &StoreLease, now| lease.valid_until().is_some_and(|until| until > now);
    let mut now = Duration::ZERO;
    let mut run = |a: Option<&mut StoreLease>, b: &mut StoreLease, millis: u64| {
        let end = now + Duration::from_millis(millis);
        let mut a = a;
        while now < end {
            now += Duration::from_millis(50);
            if let Some(a) = &mut a {
                turn(a, &mut kept, now);
            }
            turn(b, &mut kept, now);
        }
        now
    };
    let at = run(Some(&mut a), &mut b, 5_000);
    assert!(holds(&a, at) && !holds(&b, at));
    // The first one falls silent: its lease ends before the second one's begins.
    let at = run(None, &mut b, 1_900);
    assert!(!holds(&b, at));
    let at = run(None, &mut b, 2_000);
    assert!(holds(&b, at) && !holds(&a, at));
    assert_eq!(b.held_epoch(), 2);
    let at = run(Some(&mut a), &mut b, 5_000);
    assert!(holds(&b, at) && !holds(&a, at), "it sticks");
    b.want(at, Want::Release { leaves: false });
    assert!(!holds(&b, at));
    let at = run(Some(&mut a), &mut b, 600);
    assert!(holds(&a, at) && !holds(&b, at));
    assert_eq!(a.held_epoch(), 3);
}

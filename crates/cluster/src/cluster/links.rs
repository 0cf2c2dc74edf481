//! A stream between each two members: made, greeted, read, and made again when it broke.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use grpc::{Channel, Methods, Request, Response, Settings, Status, Streaming};
use prost::Message as _;
use proto::vesta::cluster::v1;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::shared::{Shared, State};
use crate::{
    MemberId,
    core::Input,
    frame::Frame,
    lease::store,
    link::{
        outbox::{Outbox, Outgoing},
        wire::{self, Arrived, Assembler},
    },
};

const PATH: &str = "/vesta.cluster.v1.Cluster/Link";
/// For connecting, and again for the greeting.
const HELLO_TIMEOUT: Duration = Duration::from_secs(2);
/// Pauses between attempts, from here to there.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LAST: Duration = Duration::from_secs(2);

/// An open link to another member.
pub(super) struct Link {
    pub(super) outbox: Arc<Outbox>,
    /// The member's shown name, as it said when it was greeted.
    pub(super) name: String,
    pub(super) version: String,
    /// Since the Unix epoch.
    pub(super) since: Duration,
    received_bytes: AtomicU64,
    closed: CancellationToken,
}

impl Link {
    fn new(hello: &v1::Hello, outbox: Arc<Outbox>, shared: &Shared) -> Arc<Link> {
        Arc::new(Link {
            outbox,
            name: hello.name.clone(),
            version: hello.version.clone(),
            since: shared.runtime.clock.now(),
            received_bytes: AtomicU64::new(0),
            closed: CancellationToken::new(),
        })
    }

    /// False if the other side does not read.
    pub(super) fn send(&self, frame: Frame) -> bool {
        self.outbox.push(frame)
    }

    pub(super) fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self) {
        self.outbox.close();
        self.closed.cancel();
    }
}

/// The service that members with lower identities call.
pub(super) fn router(shared: &Arc<Shared>) -> axum::Router {
    // The shared state has no router, so this makes no circle.
    let shared = shared.clone();
    let accept = move |request: Request<Streaming<v1::Frame>>| {
        let shared = shared.clone();
        async move { accept(shared, request.into_inner()).await }
    };
    Methods::new(wire::FRAME_BYTES_MAX).duplex(PATH, accept).into_router()
}

async fn accept(
    shared: Arc<Shared>,
    mut incoming: Streaming<v1::Frame>,
) -> Result<Response<impl futures_util::Stream<Item = Result<v1::Frame, Status>>>, Status> {
    let hello = greeting(&shared, &mut incoming).await?;
    let peer = judge(&shared, &hello)?;
    if peer > shared.options.id {
        return Err(Status::invalid_argument("the member with the lower identity makes the link"));
    }
    let outbox = Arc::new(Outbox::default());
    outbox.push_hello(our_hello(&shared));
    let link = Link::new(&hello, outbox.clone(), &shared);
    let reading = read(shared.clone(), peer, link, incoming);
    shared.spawn(async move {
        if let Err(reason) = reading.await {
            debug!(component = "cluster", member = %peer, reason, "A link ended");
        }
    });
    Ok(Response::new(Outgoing(outbox).map(Ok)))
}

/// Keeps a link to `peer` for as long as gossip knows it, if that is not done already.
pub(super) fn keep(shared: &Arc<Shared>, peer: MemberId) {
    let is_new = shared.dialled.lock().insert(peer);
    if !is_new {
        return;
    }
    let shared = shared.clone();
    shared.clone().spawn(async move {
        dial_again_and_again(&shared, peer).await;
        shared.dialled.lock().remove(&peer);
    });
}

async fn dial_again_and_again(shared: &Arc<Shared>, peer: MemberId) {
    let mut pause = RETRY_FIRST;
    while shared.known().contains(&peer) {
        let Some(info) = shared.infos.get(peer) else { return };
        let started = shared.runtime.clock.monotonic();
        let reason = match dial(shared, peer, &info.store_address).await {
            Ok(()) => "the other side has closed it".to_owned(),
            Err(reason) => reason,
        };
        let lasted = shared.runtime.clock.monotonic().saturating_sub(started);
        if lasted > RETRY_LAST {
            pause = RETRY_FIRST;
        }
        note_trouble(shared, peer, &info.name, reason);
        // So that members that stopped together do not come back together.
        let jitter = 0.5 + shared.runtime.random.fraction();
        shared.runtime.clock.sleep(pause.mul_f64(jitter)).await;
        pause = (2 * pause).min(RETRY_LAST);
    }
}

async fn dial(shared: &Arc<Shared>, peer: MemberId, address: &str) -> Result<(), String> {
    let settings =
        Settings { connect_timeout: HELLO_TIMEOUT, answer_bytes_max: wire::FRAME_BYTES_MAX };
    let clock = shared.runtime.clock.clone();
    let channel = Channel::new(address, shared.connect.clone(), clock.clone(), settings)
        .map_err(|error| format!("store address {address:?}: {error}"))?;
    let outbox = Arc::new(Outbox::default());
    outbox.push_hello(our_hello(shared));
    let calling = channel.duplex(PATH, Request::new(Outgoing(outbox.clone())));
    // Connecting has its own limit.
    let answer = runtime::clock::timeout(&*clock, 2 * HELLO_TIMEOUT, calling).await;
    let answer = answer.ok_or_else(|| format!("{address}: no answer in time"))?;
    let mut incoming = answer.map_err(|status| explain(&status, address))?.into_inner();
    let hello =
        greeting(shared, &mut incoming).await.map_err(|status| explain(&status, address))?;
    let found = judge(shared, &hello).map_err(|status| explain(&status, address))?;
    if found != peer {
        return Err(format!("{address}: another member, {}, is there", hello.name));
    }
    let link = Link::new(&hello, outbox, shared);
    read(shared.clone(), peer, link, incoming).await
}

/// In words for whoever looks why a member is not linked.
fn explain(status: &Status, address: &str) -> String {
    match status.code() {
        grpc::Code::Unimplemented => {
            format!("{address} speaks gRPC, but is no member of a cluster of Vesta's")
        }
        grpc::Code::Unknown | grpc::Code::Internal if status.message().contains("content-type") => {
            format!("{address} does not speak gRPC: is it the web address?")
        }
        _ => status.message().to_owned(),
    }
}

async fn greeting(
    shared: &Shared,
    incoming: &mut Streaming<v1::Frame>,
) -> Result<v1::Hello, Status> {
    let first = runtime::clock::timeout(&*shared.runtime.clock, HELLO_TIMEOUT, incoming.message());
    let first = first.await.unwrap_or_else(|| Err(Status::deadline_exceeded("no greeting")))?;
    match first.and_then(|frame| frame.frame) {
        Some(v1::frame::Frame::Hello(hello)) => Ok(hello),
        _ => Err(Status::invalid_argument("a link begins with a greeting")),
    }
}

/// Who greets, if it is one of us.
fn judge(shared: &Shared, hello: &v1::Hello) -> Result<MemberId, Status> {
    let options = &shared.options;
    if hello.protocol != wire::PROTOCOL {
        let text = format!(
            "{} ({}) speaks protocol {}, {} speaks {}",
            hello.name,
            hello.version,
            hello.protocol,
            options.name,
            wire::PROTOCOL
        );
        return Err(Status::failed_precondition(text));
    }
    if hello.cluster != options.label {
        let text = format!(
            "{} is in the cluster {:?}, {} in {:?}",
            hello.name, hello.cluster, options.name, options.label
        );
        return Err(Status::failed_precondition(text));
    }
    let peer = MemberId::from_bytes(&hello.member)
        .ok_or_else(|| Status::invalid_argument("an identity has 16 bytes"))?;
    if peer == options.id {
        let text = format!(
            "{} and {} have the same identity, {peer}: was a data directory copied?",
            hello.name, options.name
        );
        return Err(Status::already_exists(text));
    }
    Ok(peer)
}

fn our_hello(shared: &Shared) -> v1::Hello {
    v1::Hello {
        protocol: wire::PROTOCOL,
        cluster: shared.options.label.clone(),
        member: shared.options.id.to_bytes(),
        name: shared.options.name.clone(),
        version: shared.options.version.clone(),
    }
}

/// Reads a link until it ends. A new link to the same member replaces an old one.
async fn read(
    shared: Arc<Shared>,
    peer: MemberId,
    link: Arc<Link>,
    mut incoming: Streaming<v1::Frame>,
) -> Result<(), String> {
    {
        let mut state = shared.state.lock();
        if let Some(old) = state.links.insert(peer, link.clone()) {
            old.close();
            shared.handle_in(&mut state, Input::Unlinked(peer));
        }
        shared.handle_in(&mut state, Input::Linked(peer));
    }
    shared.troubles.lock().remove(&peer);
    info!(component = "cluster", member = link.name, version = link.version, "Member is linked");
    // Behind heartbeats and outcomes, which do not wait for it.
    shared.acks.pieces().into_iter().for_each(|piece| link.outbox.push_last(Frame::Acks(piece)));
    let mut assembler = Assembler::default();
    let mut word = None;
    let result = loop {
        let message = tokio::select! {
            biased;
            () = link.closed.cancelled() => break Ok(()),
            message = incoming.message() => message,
        };
        let frame = match message {
            Ok(Some(frame)) => frame,
            Ok(None) => break Ok(()),
            Err(status) => break Err(status.message().to_owned()),
        };
        link.received_bytes.fetch_add(frame.encoded_len() as u64, Ordering::Relaxed);
        let input = match assembler.take(frame) {
            Ok(Arrived::Frame(Frame::Acks(acks))) => {
                shared.acks.merge(peer, &acks);
                Input::Sign(peer)
            }
            Ok(Arrived::Frame(frame)) => {
                if let Frame::Heartbeat(heartbeat) = &frame
                    && word.replace(heartbeat.lease) != Some(heartbeat.lease)
                {
                    shared.want(store::Want::Look);
                }
                Input::Heard(peer, frame)
            }
            Ok(Arrived::Piece) => Input::Sign(peer),
            Err(malformed) => break Err(malformed.to_string()),
        };
        shared.handle(input);
    };
    unlink(&shared, &mut shared.state.lock(), peer, &link);
    info!(component = "cluster", member = link.name, "Member is not linked any more");
    result
}

fn unlink(shared: &Shared, state: &mut State, peer: MemberId, link: &Arc<Link>) {
    link.close();
    if state.links.get(&peer).is_some_and(|current| Arc::ptr_eq(current, link)) {
        state.links.remove(&peer);
        shared.handle_in(state, Input::Unlinked(peer));
    }
}

/// Said once, until it is something else.
fn note_trouble(shared: &Shared, peer: MemberId, name: &str, reason: String) {
    let mut troubles = shared.troubles.lock();
    if troubles.get(&peer) != Some(&reason) {
        warn!(component = "cluster", member = name, reason, "A member cannot be linked");
        troubles.insert(peer, reason);
    }
}

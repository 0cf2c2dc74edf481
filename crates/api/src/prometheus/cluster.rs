//! Several servers as one: who is there, who writes, what is being repaired.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use model::{TimeRange, Timestamp};
use runtime::BoxFuture;

use super::{
    Api,
    json::Object,
    lifecycle::{disabled, not_ready},
    respond::{Result, Success},
};

/// What a member knows of its cluster.
pub trait Cluster: Send + Sync {
    fn status(&self) -> ClusterStatus;

    /// Lets another member write to remote storage; completes when this one does not any more.
    fn release(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// A cluster as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterStatus {
    pub name: String,
    /// How many members have each target; zero is all.
    pub replication_factor: usize,
    /// This one first, then by name.
    pub members: Vec<MemberStatus>,
    pub lease: LeaseStatus,
    /// Stretches of time of which this member may lack samples.
    pub holes: Vec<TimeRange>,
    pub repair: RepairStatus,
    /// In the order of the members; those without targets may be left out.
    pub targets: Vec<TargetShare>,
}

/// How many targets a member has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetShare {
    pub member: String,
    /// It asks them, while those that come first for them are live.
    pub asks: u64,
    /// It has their samples, whoever asks.
    pub holds: u64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemberStatus {
    pub id: String,
    /// What people are shown.
    pub name: String,
    pub gossip_address: String,
    pub store_address: String,
    pub web_url: String,
    pub version: String,
    pub is_self: bool,
    /// Whether it was heard a moment ago.
    pub is_live: bool,
    /// How far its clock is ahead of ours.
    pub clock_offset_seconds: f64,
    /// Whether it works by the same configuration.
    pub has_same_config: bool,
    /// Since the epoch.
    pub since: Option<Duration>,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct LeaseStatus {
    /// What decides: `gossip`, `etcd`, `kubernetes`, `object-store`.
    pub backend: String,
    /// The shown name of the member that writes.
    pub holder: Option<String>,
    pub epoch: u64,
    pub is_mine: bool,
    pub expires_in: Option<Duration>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct RepairStatus {
    /// What is being fetched, if anything is.
    pub doing: Option<TimeRange>,
    pub windows_compared: u64,
    pub windows_different: u64,
    pub samples_written: u64,
    pub bytes_fetched: u64,
    pub last_error: Option<String>,
    /// What was lacking here and came from others, the latest last.
    pub mended: Vec<Mended>,
    pub peers: Vec<RepairPeer>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Mended {
    pub member: String,
    pub range: TimeRange,
    pub finished: Timestamp,
    pub samples: u64,
}

/// How far this member has compared itself with another one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RepairPeer {
    pub member: String,
    /// Closed time that has not been compared with it.
    pub unchecked: Duration,
    pub last_compared: Option<Timestamp>,
    pub error: Option<String>,
}

pub(super) async fn status(State(api): State<Arc<Api>>) -> Result {
    let status = api.cluster.as_ref().map(|cluster| cluster.status());
    Ok(Success::object(|data| {
        data.key("enabled").bool(status.is_some());
        if let Some(status) = &status {
            write(status, data);
        }
    }))
}

/// 200 on the member that writes, 503 on others: for load balancers and keepalived.
pub(super) async fn leader(State(api): State<Arc<Api>>) -> Response {
    if let Some(response) = not_ready(&api) {
        return response;
    }
    let Some(cluster) = &api.cluster else {
        return "This server stands alone.\n".into_response();
    };
    let LeaseStatus { holder, epoch, is_mine, .. } = cluster.status().lease;
    let status = if is_mine { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let text = match holder {
        Some(holder) => format!("{holder} writes, epoch {epoch}.\n"),
        None => "Nobody writes at this moment.\n".to_owned(),
    };
    (status, text).into_response()
}

pub(super) async fn release(State(api): State<Arc<Api>>) -> Response {
    if api.lifecycle.is_none() {
        return disabled();
    }
    let Some(cluster) = &api.cluster else {
        return (StatusCode::CONFLICT, "This server stands alone.\n").into_response();
    };
    match cluster.release().await {
        Ok(()) => "Released.\n".into_response(),
        Err(reason) => (StatusCode::INTERNAL_SERVER_ERROR, reason + "\n").into_response(),
    }
}

fn write(status: &ClusterStatus, data: &mut Object<'_>) {
    data.string("name", &status.name);
    data.key("replicationFactor").int(status.replication_factor);
    data.key("members").array(&status.members, |json, member| {
        json.object(|object| write_member(member, object));
    });
    let LeaseStatus { backend, holder, epoch, is_mine, expires_in, error } = &status.lease;
    data.key("lease").object(|lease| {
        lease.string("backend", backend);
        lease.string("holder", holder.as_deref().unwrap_or_default());
        lease.key("epoch").int(*epoch);
        lease.key("isMine").bool(*is_mine);
        if let Some(expires_in) = expires_in {
            lease.key("expiresInSeconds").seconds(*expires_in);
        }
        lease.string_if_any("error", error.as_deref().unwrap_or_default());
    });
    data.key("holes").array(&status.holes, |json, hole| {
        json.object(|object| write_range(*hole, object));
    });
    let repair = &status.repair;
    data.key("repair").object(|object| {
        if let Some(doing) = repair.doing {
            object.key("doing").object(|object| write_range(doing, object));
        }
        object.key("windowsCompared").int(repair.windows_compared);
        object.key("windowsDifferent").int(repair.windows_different);
        object.key("samplesWritten").int(repair.samples_written);
        object.key("bytesFetched").int(repair.bytes_fetched);
        object.string_if_any("lastError", repair.last_error.as_deref().unwrap_or_default());
        object.key("mended").array(&repair.mended, |json, mended| {
            json.object(|object| {
                object.string("member", &mended.member);
                write_range(mended.range, object);
                object.key("finished").timestamp(mended.finished.as_millis());
                object.key("samples").int(mended.samples);
            });
        });
        object.key("peers").array(&repair.peers, |json, peer| {
            json.object(|object| write_peer(peer, object));
        });
    });
    data.key("targets").array(&status.targets, |json, share| {
        json.object(|object| {
            object.string("member", &share.member);
            object.key("asks").int(share.asks);
            object.key("holds").int(share.holds);
        });
    });
}

fn write_peer(peer: &RepairPeer, object: &mut Object<'_>) {
    object.string("member", &peer.member);
    object.key("uncheckedSeconds").seconds(peer.unchecked);
    if let Some(time) = peer.last_compared {
        object.key("lastCompared").timestamp(time.as_millis());
    }
    object.string_if_any("error", peer.error.as_deref().unwrap_or_default());
}

fn write_member(member: &MemberStatus, object: &mut Object<'_>) {
    object.string("id", &member.id);
    object.string("name", &member.name);
    object.string("gossipAddress", &member.gossip_address);
    object.string("storeAddress", &member.store_address);
    object.string("webUrl", &member.web_url);
    object.string("version", &member.version);
    object.key("isSelf").bool(member.is_self);
    object.key("isLive").bool(member.is_live);
    object.key("clockOffsetSeconds").float(member.clock_offset_seconds);
    object.key("hasSameConfig").bool(member.has_same_config);
    object.key("since").time(member.since);
    object.key("bytesSent").int(member.bytes_sent);
    object.key("bytesReceived").int(member.bytes_received);
}

fn write_range(range: TimeRange, object: &mut Object<'_>) {
    object.key("start").timestamp(range.start.as_millis());
    object.key("end").timestamp(range.end.as_millis());
}

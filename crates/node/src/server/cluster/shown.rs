//! The cluster as people and load balancers see it.

use api::prometheus::cluster::{
    self as shown, ClusterStatus, LeaseStatus, MemberStatus, RepairStatus,
};
use cluster::{Cluster, Member};
use repair::Repair;
use runtime::BoxFuture;

use super::Clustering;

/// Shows the cluster, and lets go of the lease.
pub(in crate::server) struct ClusterAdapter {
    cluster: Cluster,
    repair: Repair,
}

impl ClusterAdapter {
    pub(in crate::server) fn of(clustering: &Clustering) -> ClusterAdapter {
        let (cluster, repair) = (clustering.cluster.clone(), clustering.repair.clone());
        ClusterAdapter { cluster, repair }
    }
}

impl shown::Cluster for ClusterAdapter {
    fn status(&self) -> ClusterStatus {
        let status = self.cluster.status();
        let repair = self.repair.status();
        ClusterStatus {
            name: status.label,
            replication_factor: status.replication_factor,
            members: status.members.into_iter().map(to_member).collect(),
            lease: LeaseStatus {
                backend: status.lease.backend.to_owned(),
                holder: status.lease.holder,
                epoch: status.lease.epoch,
                is_mine: status.lease.is_mine,
                expires_in: status.lease.expires_in,
                error: status.lease.error,
            },
            holes: repair.holes,
            repair: RepairStatus {
                doing: repair.running.as_ref().map(|progress| progress.range),
                windows_compared: repair.windows_compared,
                windows_different: repair.windows_different,
                samples_written: repair.samples_added + repair.samples_replaced,
                bytes_fetched: repair.bytes_received,
                last_error: repair.peers.into_iter().find_map(|peer| peer.error),
            },
        }
    }

    fn release(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.cluster.release())
    }
}

fn to_member(member: Member) -> MemberStatus {
    MemberStatus {
        id: member.id.to_string(),
        name: member.name,
        gossip_address: member.gossip_address,
        store_address: member.store_address,
        web_url: member.web_url,
        version: member.version,
        is_self: member.is_self,
        is_live: member.is_live,
        clock_offset_seconds: member.clock_offset.unwrap_or_default(),
        has_same_config: member.has_same_config,
        since: member.since,
        bytes_sent: member.bytes_sent,
        bytes_received: member.bytes_received,
    }
}

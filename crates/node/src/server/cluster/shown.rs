//! The cluster as people and load balancers see it.

use std::sync::Arc;

use api::prometheus::cluster::{
    self as shown, ClusterStatus, LeaseStatus, MemberStatus, Mended, RepairPeer, RepairStatus,
    TargetShare,
};
use cluster::{Cluster, Member};
use repair::Repair;
use runtime::BoxFuture;

use super::Clustering;

/// Shows the cluster, and lets go of the lease.
pub(in crate::server) struct ClusterAdapter {
    cluster: Cluster,
    repair: Repair,
    scrape: Arc<scrape::Manager>,
}

impl ClusterAdapter {
    pub(in crate::server) fn of(
        clustering: &Clustering,
        scrape: Arc<scrape::Manager>,
    ) -> ClusterAdapter {
        let (cluster, repair) = (clustering.cluster.clone(), clustering.repair.clone());
        ClusterAdapter { cluster, repair, scrape }
    }

    /// Who asks and who has how many targets, by what this member knows of who is live.
    fn target_shares(&self, members: &[Member]) -> Vec<TargetShare> {
        let share =
            |member: &Member| TargetShare { member: member.name.clone(), asks: 0, holds: 0 };
        let mut shares: Vec<TargetShare> = members.iter().map(share).collect();
        let is_there = |member: &Member| member.is_live || member.is_self;
        for key in self.scrape.shared_keys() {
            let mut has_asker = false;
            for owner in self.cluster.owners(key) {
                let Some(place) = members.iter().position(|member| member.id == owner) else {
                    continue;
                };
                let share = &mut shares[place];
                share.holds += 1;
                if !has_asker && is_there(&members[place]) {
                    share.asks += 1;
                    has_asker = true;
                }
            }
        }
        shares
    }
}

impl shown::Cluster for ClusterAdapter {
    fn status(&self) -> ClusterStatus {
        let status = self.cluster.status();
        let repair = self.repair.status();
        ClusterStatus {
            name: status.label,
            replication_factor: status.replication_factor,
            targets: self.target_shares(&status.members),
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
                last_error: repair.peers.iter().find_map(|peer| peer.error.clone()),
                mended: repair.mended.into_iter().map(to_mended).collect(),
                peers: repair.peers.into_iter().map(to_peer).collect(),
            },
        }
    }

    fn release(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.cluster.release())
    }
}

fn to_mended(mended: repair::Mended) -> Mended {
    let repair::Mended { peer, range, finished, samples } = mended;
    Mended { member: peer, range, finished, samples }
}

fn to_peer(peer: repair::PeerStatus) -> RepairPeer {
    let repair::PeerStatus { name, unchecked, last_compared, error, .. } = peer;
    RepairPeer { member: name, unchecked, last_compared, error }
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

//! What peers scrape.

use futures_util::{StreamExt as _, future::join_all};
use grpc::{Request, Status};
use model::Labels;
use proto::thanos::{LabelSet, TargetDiscovery, TargetsRequest, TargetsResponse, targets_response};

use crate::{
    Peer,
    peer::{malformed, without},
    wire,
};

/// An answer has one message; more of them are not waited for.
const MESSAGES_MAX: usize = 64;

/// The targets of each of `peers`, without the external labels that we have in common; where one
/// does not answer, a text for the user.
pub async fn targets(peers: &[Peer]) -> Vec<Result<TargetDiscovery, String>> {
    join_all(peers.iter().map(Peer::targets)).await
}

impl Peer {
    async fn targets(&self) -> Result<TargetDiscovery, String> {
        let asking = async {
            let request = Request::new(TargetsRequest::default());
            let answer = self.channel().stream("/thanos.Targets/Targets", request).await?;
            let mut messages = answer.into_inner().take(MESSAGES_MAX);
            let mut found = TargetDiscovery::default();
            while let Some(message) = messages.next().await {
                let message: TargetsResponse = message?;
                if let Some(targets_response::Result::Targets(targets)) = message.result {
                    found.active_targets.extend(targets.active_targets);
                    found.dropped_targets.extend(targets.dropped_targets);
                }
            }
            self.strip(&mut found)?;
            Ok(found)
        };
        self.within(asking).await.map_err(|status| self.complaint(&status))
    }

    fn strip(&self, targets: &mut TargetDiscovery) -> Result<(), Status> {
        let ours = self.external_labels();
        let strip = |set: &mut Option<LabelSet>| strip(set, &ours).map_err(malformed);
        for target in &mut targets.active_targets {
            strip(&mut target.discovered_labels)?;
            strip(&mut target.labels)?;
        }
        targets.dropped_targets.iter_mut().try_for_each(|t| strip(&mut t.discovered_labels))
    }
}

fn strip(set: &mut Option<LabelSet>, ours: &Labels) -> Result<(), wire::Malformed> {
    if let Some(set) = set {
        set.labels = wire::labels(&without(&wire::read_labels(&set.labels)?, ours));
    }
    Ok(())
}

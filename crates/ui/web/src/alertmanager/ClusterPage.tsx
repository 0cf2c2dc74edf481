//! Who else is in the cluster of Alertmanagers.

import { useAlertmanager } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { Badge, Empty, Trouble, Waiting } from "../parts/bits.js";
import type { Status } from "./types.js";

const TONES = { ready: "good", settling: "warn", disabled: "quiet" } as const;

export function ClusterPage() {
  const { data, error, reload } = useAlertmanager<Status>("status", {}, 5000);
  return (
    <>
      <div class="page-head">
        <h1>Cluster</h1>
        {data && <Badge tone={TONES[data.cluster.status]}>{data.cluster.status}</Badge>}
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && <section class="panel"><Members cluster={data.cluster} /></section>}
    </>
  );
}

export function Members({ cluster }: { cluster: Status["cluster"] }) {
  const { name, status, peers = [] } = cluster;
  if (status === "disabled") {
    return <Empty title="Alone">With <code>--cluster.peer</code>, two or three Alertmanagers share silences and notify once.</Empty>;
  }
  const seconds = (value: number | undefined) => (value === undefined ? "–" : roughDuration(value * 1000));
  return (
    <table class="list">
      <thead><tr><th scope="col">Member</th><th scope="col">Address</th><th scope="col" class="right">Heard</th><th scope="col" class="right">Round trip</th></tr></thead>
      <tbody>
        {peers.map((peer) => (
          <tr key={peer.name}>
            <td class="mono breaks">{peer.name}{peer.name === name && <span class="muted"> (this one)</span>}</td>
            <td class="mono breaks">{peer.address}</td>
            <td class="right num nowrap" data-name="Heard">{peer.lagSeconds === undefined ? "–" : `${seconds(peer.lagSeconds)} ago`}</td>
            <td class="right num nowrap" data-name="Round trip">{seconds(peer.roundTripSeconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

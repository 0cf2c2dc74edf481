//! How the Alertmanager is set up, and who else is in its cluster.

import { useAlertmanager } from "../base/api.js";
import { Ago, Badge, CopyButton, Empty, Moment, Trouble, Waiting } from "../parts/bits.js";

interface Status {
  cluster: { name?: string; status: "ready" | "settling" | "disabled"; peers?: { name: string; address: string }[] };
  config: { original: string };
  uptime: string;
  versionInfo: Record<string, string>;
}

export function StatusPage() {
  const { data, error, reload } = useAlertmanager<Status>("status", {}, 15_000);
  const peers = data?.cluster.peers ?? [];
  return (
    <>
      <div class="page-head"><h1>Status</h1></div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && (
        <>
          <div class="columns spaced">
            <section class="panel">
              <header class="panel-head"><h2>Cluster</h2> <Badge tone={{ ready: "good", settling: "warn", disabled: "quiet" }[data.cluster.status] as "good"}>{data.cluster.status}</Badge></header>
              {data.cluster.name && <dl class="pairs"><div><dt>This member</dt><dd class="mono">{data.cluster.name}</dd></div></dl>}
              {peers.length > 0 && (
                <table class="list">
                  <thead><tr><th scope="col">Member</th><th scope="col">Address</th></tr></thead>
                  <tbody>{peers.map((peer) => <tr key={peer.name}><td class="mono">{peer.name}{peer.name === data.cluster.name && <span class="muted"> (this one)</span>}</td><td class="mono">{peer.address}</td></tr>)}</tbody>
                </table>
              )}
              {data.cluster.status === "disabled" && <Empty title="Alone">With <code>--cluster.peer</code>, two or three Alertmanagers share silences and notify once.</Empty>}
            </section>
            <section class="panel">
              <header class="panel-head"><h2>Build</h2></header>
              <dl class="pairs">
                <div><dt>Started</dt><dd><Moment time={data.uptime} />, <Ago time={data.uptime} /></dd></div>
                {([["version", "Version"], ["revision", "Revision"], ["branch", "Branch"], ["buildUser", "Built by"], ["buildDate", "Built on"], ["goVersion", "Compiler"]] as const).map(([key, name]) => (
                  <div key={key}><dt>{name}</dt><dd>{data.versionInfo[key] || "–"}</dd></div>
                ))}
              </dl>
            </section>
          </div>
          <section class="panel">
            <header class="panel-head"><h2>Configuration</h2> <span class="spring" /> <CopyButton text={data.config.original} /></header>
            <pre class="code" tabIndex={0}>{data.config.original}</pre>
          </section>
        </>
      )}
    </>
  );
}

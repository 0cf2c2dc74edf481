//! How the Alertmanager is set up, and who else is in its cluster.

import { useAlertmanager } from "../base/api.js";
import { Ago, Badge, CopyButton, Moment, Trouble, Waiting } from "../parts/bits.js";
import { Members } from "./ClusterPage.js";
import type { Status } from "./types.js";

export function StatusPage() {
  const { data, error, reload } = useAlertmanager<Status>("status", {}, 15_000);
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
              <Members cluster={data.cluster} />
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

//! How the server is set up: build, process, flags, configuration, whom it tells of alerts.

import { useMemo, useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { matchesText } from "../base/format.js";
import { go, place } from "../base/route.js";
import { useStore } from "../base/store.js";
import { page } from "../page.js";
import { Ago, Badge, CopyButton, Empty, Moment, SearchBox, Tabs, Trouble, Waiting } from "../parts/bits.js";

const PATHS = ["/status", "/flags", "/config", "/alertmanager-discovery", "/features"] as const;
type Path = (typeof PATHS)[number];
/** An agent tells nobody of alerts. */
const SHOWN = PATHS.filter((path) => page.role !== "agent" || path !== "/alertmanager-discovery");

export function StatusPage() {
  const path = useStore(place).path as Path;
  const chosen = SHOWN.includes(path) ? path : "/status";
  return (
    <>
      <div class="page-head">
        <h1>Status</h1>
        <Tabs all={SHOWN} chosen={chosen} onChange={go} label="Part"
          names={{ "/status": "Server", "/flags": "Flags", "/config": "Configuration", "/alertmanager-discovery": "Alertmanagers", "/features": "Features" }} />
      </div>
      {chosen === "/status" && <Server />}
      {chosen === "/flags" && <Flags />}
      {chosen === "/config" && <Config />}
      {chosen === "/alertmanager-discovery" && <Alertmanagers />}
      {chosen === "/features" && <Features />}
    </>
  );
}

interface Runtime {
  startTime: string;
  CWD: string;
  hostname: string;
  serverTime: string;
  reloadConfigSuccess: boolean;
  lastConfigTime: string;
  corruptionCount: number;
  goroutineCount: number;
  GOMAXPROCS: number;
  storageRetention: string;
}

function Server() {
  const runtime = useApi<Runtime>("status/runtimeinfo", {}, 10_000);
  const build = useApi<Record<string, string>>("status/buildinfo");
  const { data } = runtime;
  return (
    <div class="columns">
      <section class="panel">
        <header class="panel-head"><h2>Process</h2></header>
        {runtime.error && <Trouble onRetry={runtime.reload}>{runtime.error}</Trouble>}
        {!data && !runtime.error && <Waiting />}
        {data && (
          <dl class="pairs">
            <div><dt>Started</dt><dd><Moment time={data.startTime} />, <Ago time={data.startTime} /></dd></div>
            <div><dt>Configuration</dt><dd>{data.reloadConfigSuccess ? <Badge tone="good">loaded</Badge> : <Badge tone="bad">last reload failed</Badge>} <Ago time={data.lastConfigTime} /></dd></div>
            <div><dt>Retention</dt><dd>{data.storageRetention || "–"}</dd></div>
            <div><dt>Corruptions found in the log</dt><dd>{data.corruptionCount}</dd></div>
            <div><dt>Host</dt><dd>{data.hostname}</dd></div>
            <div><dt>Folder</dt><dd class="mono">{data.CWD}</dd></div>
            <div><dt>Tasks</dt><dd>{data.goroutineCount}</dd></div>
            <div><dt>Threads</dt><dd>{data.GOMAXPROCS}</dd></div>
            <div><dt>The server's time</dt><dd><Moment time={data.serverTime} /></dd></div>
          </dl>
        )}
      </section>
      <section class="panel">
        <header class="panel-head"><h2>Build</h2></header>
        {build.error && <Trouble onRetry={build.reload}>{build.error}</Trouble>}
        {build.data && (
          <dl class="pairs">
            {([["version", "Version"], ["revision", "Revision"], ["branch", "Branch"], ["buildUser", "Built by"], ["buildDate", "Built on"], ["goVersion", "Compiler"]] as const).map(([key, name]) => (
              <div key={key}><dt>{name}</dt><dd>{build.data![key] || "–"}</dd></div>
            ))}
          </dl>
        )}
      </section>
    </div>
  );
}

function Flags() {
  const { data, error, reload } = useApi<Record<string, string>>("status/flags");
  const [filter, setFilter] = useState("");
  const found = Object.entries(data ?? {}).filter(([name, value]) => matchesText(filter, [name, value])).sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <section class="panel">
      <div class="foot"><SearchBox value={filter} onInput={setFilter} label="Filter flags" /></div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && found.length === 0 && <Empty title="No flag matches" />}
      <table class="list">
        <thead class="sr"><tr><th scope="col">Flag</th><th scope="col">Value</th></tr></thead>
        <tbody>{found.map(([name, value]) => <tr key={name}><td class="mono nowrap">--{name}</td><td class="mono breaks">{value || <span class="muted">empty</span>}</td></tr>)}</tbody>
      </table>
    </section>
  );
}

function Config() {
  const { data, error, reload } = useApi<{ yaml: string }>("status/config");
  return (
    <section class="panel">
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && <><div class="foot"><CopyButton text={data.yaml} label="Copy all" /></div><pre class="code" tabIndex={0}>{data.yaml}</pre></>}
    </section>
  );
}

interface Found {
  activeAlertmanagers: { url: string }[];
  droppedAlertmanagers: { url: string }[];
}

function Alertmanagers() {
  const { data, error, reload } = useApi<Found>("alertmanagers", {}, 15_000);
  const all = useMemo(() => [
    ...(data?.activeAlertmanagers ?? []).map(({ url }) => ({ url, isActive: true })),
    ...(data?.droppedAlertmanagers ?? []).map(({ url }) => ({ url, isActive: false })),
  ], [data]);
  return (
    <section class="panel">
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && all.length === 0 && <Empty title="No Alertmanager">Nobody hears of firing alerts: the configuration names none under <code>alerting</code>.</Empty>}
      {all.length > 0 && (
        <table class="list">
          <thead><tr><th scope="col">Address</th><th scope="col">State</th></tr></thead>
          <tbody>{all.map(({ url, isActive }) => <tr key={url}><td><a href={pageOf(url)} target="_blank" rel="noreferrer">{url}</a></td><td><Badge tone={isActive ? "good" : "quiet"}>{isActive ? "told of alerts" : "dropped"}</Badge></td></tr>)}</tbody>
        </table>
      )}
    </section>
  );
}

/** Alerts are posted to `…/api/v2/alerts`; people want the page. */
function pageOf(url: string): string {
  return url.replace(/\/api\/v\d\/alerts$/, "/");
}

function Features() {
  const { data, error, reload } = useApi<Record<string, Record<string, boolean>>>("features");
  return (
    <>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      <div class="columns">
        {Object.entries(data ?? {}).map(([category, features]) => (
          <section class="panel" key={category}>
            <header class="panel-head"><h2>{category.replaceAll("_", " ")}</h2></header>
            <div class="foot words">{Object.entries(features).map(([name, isOn]) => <Badge key={name} tone={isOn ? "good" : "quiet"} title={isOn ? "on" : "off"}>{name}</Badge>)}</div>
          </section>
        ))}
      </div>
    </>
  );
}

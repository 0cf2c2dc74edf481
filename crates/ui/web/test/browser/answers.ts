//! What the API says in these tests, with values that pages must not stumble over.

import type { Call } from "./server.js";

const NASTY = '<b>bold</b> 🔥 שלום "quoted"';
const LONG = `a/very/long/${"value/without/spaces/".repeat(8)}`;
const NOW = "2026-03-01T12:30:00Z";

const target = (pool: string, instance: string, health: string, lastError = "") => ({
  discoveredLabels: { __address__: instance, job: pool }, labels: { instance, job: pool, note: NASTY, long: LONG }, scrapePool: pool,
  scrapeUrl: `http://${instance}/metrics`, globalUrl: `http://${instance}/metrics`, lastError, lastScrape: NOW,
  lastScrapeDuration: 0.004, health, scrapeInterval: "15s", scrapeTimeout: "10s",
});

const alerting = (name: string, state: string, alerts: unknown[] = []) => ({
  type: "alerting", name, state, query: "up == 0", duration: 60, keepFiringFor: 0, labels: { severity: "page" },
  annotations: { summary: NASTY }, alerts, health: "ok", evaluationTime: 0.001, lastEvaluation: NOW,
});

const GROUPS = [{
  name: "group", file: "rules.yml", interval: 15, limit: 0, evaluationTime: 0.01, lastEvaluation: NOW,
  rules: [
    alerting("Burning", "firing", [{ labels: { alertname: "Burning", note: NASTY }, annotations: { summary: NASTY }, state: "firing", activeAt: NOW, value: "1e+00" }]),
    alerting("Quiet", "inactive"),
    { type: "recording", name: "broken", query: "x", labels: {}, health: "err", lastError: "vector cannot contain metrics", evaluationTime: 0.001, lastEvaluation: NOW },
  ],
}];

const SERIES = ["/", "/pay"].map((path) => ({ __name__: "requests_total", path, note: NASTY }));

function query({ params }: Call): unknown {
  const expr = params.get("query");
  if (expr === "time()") return { resultType: "scalar", result: [Date.now() / 1000, String(Date.now() / 1000)] };
  if (expr === "rate(x)") return new Error('invalid parameter "query": 1:6: parse error: expected type range vector in call to function "rate", got instant vector');
  if (expr === "many") return { resultType: "vector", result: Array.from({ length: 20_000 }, (_, at) => ({ metric: { at: String(at) }, value: [1, "1"] })) };
  return { resultType: "vector", result: SERIES.map((metric, at) => ({ metric, value: [1, `4${at}`] })) };
}

function range({ params }: Call): unknown {
  const [start, end, step] = ["start", "end", "step"].map((name) => Number(params.get(name))) as [number, number, number];
  const values: [number, string][] = [];
  for (let at = start; at <= end; at += step) values.push([at, String(Math.sin(at / 600) + 2)]);
  return { resultType: "matrix", result: SERIES.map((metric) => ({ metric, values })) };
}

export function server(call: Call): unknown {
  switch (call.path) {
    case "query": return query(call);
    case "query_range": return range(call);
    case "format_query": return "formatted(\n  x\n)";
    case "parse_query": return { type: "aggregation", op: "sum", grouping: ["path"], without: false, param: null, expr: { type: "vectorSelector", name: "x", matchers: [], offset: 0 } };
    case "label/__name__/values": return ["requests_total", "up"];
    case "labels": return ["job", "instance"];
    case "metadata": return { requests_total: [{ type: "counter", help: "How many.", unit: "" }] };
    case "series": return SERIES;
    case "rules": return { groups: call.params.get("type") === "alert" ? GROUPS.map((group) => ({ ...group, rules: group.rules.slice(0, 2) })) : GROUPS };
    case "targets": return {
      activeTargets: [target("good", "a:1", "up"), target("bad", "b:1", "down", "connection refused")],
      droppedTargets: [{ discoveredLabels: { __address__: "c:1", job: "good" }, scrapePool: "good" }], droppedTargetCounts: { good: 1, bad: 0 },
    };
    case "targets/relabel_steps": return { steps: [{ rule: { action: "drop" }, output: {}, keep: false }] };
    case "scrape_pools/config": return { yaml: "job_name: good" };
    case "alertmanagers": return { activeAlertmanagers: [{ url: "http://am:9093/api/v2/alerts" }], droppedAlertmanagers: [] };
    case "status/flags": return { "web.page-title": NASTY, "config.file": LONG };
    case "status/config": return { yaml: `global: {}\n# ${LONG}` };
    case "status/runtimeinfo": return { startTime: NOW, CWD: LONG, hostname: "host", serverTime: NOW, reloadConfigSuccess: false, lastConfigTime: NOW, corruptionCount: 0, goroutineCount: 5, GOMAXPROCS: 2, storageRetention: "15d" };
    case "status/buildinfo": return { version: "3.14.0" };
    case "status/tsdb": return {
      headStats: { numSeries: 1234, numLabelPairs: 5, chunkCount: 6, minTime: 1, maxTime: 2 },
      ...Object.fromEntries(["seriesCountByMetricName", "labelValueCountByLabelName", "memoryInBytesByLabelName", "seriesCountByLabelValuePair"].map((key) => [key, [{ name: `job=${LONG}`, value: 7 }]])),
    };
    case "status/tsdb/blocks": return { blocks: [{ ulid: "01J0000000000000000000000", minTime: 0, maxTime: 7200000, stats: { numSamples: 9 } }] };
    case "features": return { api: { admin: true } };
    case "notifications/live": return [{ text: "Configuration reload has failed.", date: NOW, active: true }];
    default: return [];
  }
}

const ALERT = {
  labels: { alertname: "Burning", path: "/pay", note: NASTY, long: LONG }, annotations: { summary: NASTY }, fingerprint: "1", startsAt: NOW, endsAt: NOW, updatedAt: NOW,
  generatorURL: "javascript:alert(1)", receivers: [{ name: "team" }], status: { state: "active", silencedBy: [], inhibitedBy: [], mutedBy: [] },
};

export function alertmanager(): (call: Call) => unknown {
  let silence: Record<string, unknown> | undefined;
  return ({ method, path, body }) => {
    if (method === "POST") {
      silence = { ...(JSON.parse(body) as object), id: "one", updatedAt: NOW, status: { state: "active" } };
      return { silenceID: "one" };
    }
    if (method === "DELETE") {
      silence = { ...silence, status: { state: "expired" } };
      return {};
    }
    switch (path) {
      case "alerts/groups": return [{ labels: { alertname: "Burning" }, receiver: { name: "team" }, alerts: [ALERT] }];
      case "alerts": return [ALERT];
      case "receivers": return [{ name: "team" }];
      case "silences": return silence ? [silence] : [];
      case "silence/one": return silence;
      case "status": return { cluster: { name: "01J", status: "ready", peers: [{ name: "01J", address: "10.0.0.1:9094" }] }, config: { original: `# ${LONG}` }, uptime: NOW, versionInfo: { version: "0.34.0" } };
      default: return [];
    }
  };
}

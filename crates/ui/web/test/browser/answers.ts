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

/** More than are on a page. */
const MANY_GROUPS = Array.from({ length: 45 }, (_, at) => ({ ...GROUPS[0]!, name: `group ${at + 1}`, rules: [alerting(`Alert ${at + 1}`, "inactive")] }));

const SERIES = ["/", "/pay"].map((path) => ({ __name__: "requests_total", path, note: NASTY }));

function query({ params }: Call): unknown {
  const expr = params.get("query");
  if (expr === "time()") return { resultType: "scalar", result: [Date.now() / 1000, String(Date.now() / 1000)] };
  if (expr === "rate(x)") return new Error('invalid parameter "query": 1:6: parse error: expected type range vector in call to function "rate", got instant vector');
  if (expr === "many") return { resultType: "vector", result: Array.from({ length: 20_000 }, (_, at) => ({ metric: { at: String(at) }, value: [1, "1"] })) };
  return { resultType: "vector", result: SERIES.map((metric, at) => ({ metric, value: [1, `4${at}`] })) };
}

/** A plan as the engine draws it. */
const PLAN = {
  node: "query", detail: "", rows: 2, bytes: 512, seconds: 0.0124, children: [{
    node: "sum", detail: "by (path)", rows: 2, bytes: 512, seconds: 0.012, children: [{
      node: "rate", detail: "", rows: 340, bytes: 652_800, seconds: 0.0105, children: [{
        node: "window", detail: '[5m] {__name__="requests_total"}', rows: 340, bytes: 1_958_400, seconds: 0.0101,
        children: [{ node: "index", detail: "1 matchers", rows: 340, bytes: 0, seconds: 0.0002, children: [] }],
      }],
    }],
  }],
};

const EXEMPLAR_AT = Math.floor(Date.now() / 1000) - 900;
const EXEMPLARS = [{ seriesLabels: SERIES[0], exemplars: [{ labels: { trace_id: "a1b2c3", note: NASTY }, value: "2.4", timestamp: EXEMPLAR_AT }] }];

/** A bell that moves up. */
function histogramAt(seconds: number) {
  const bounds = Array.from({ length: 24 }, (_, at) => 2 ** ((at - 12) / 2));
  const middle = 12 + 6 * Math.sin(seconds / 900);
  const counts = bounds.slice(1).map((_, at) => 40 * Math.exp(-((at - middle) ** 2) / 8));
  const buckets = counts.map((count, at) => [0, String(bounds[at]), String(bounds[at + 1]), String(count)]);
  return { count: "100", sum: "50", buckets };
}

function range({ params }: Call): unknown {
  const [start, end, step] = ["start", "end", "step"].map((name) => Number(params.get(name))) as [number, number, number];
  if (params.get("explain") === "json") return { resultType: "matrix", result: [], explain: PLAN };
  const values: [number, string][] = [];
  for (let at = start; at <= end; at += step) values.push([at, String(Math.sin(at / 600) + 2)]);
  const expr = params.get("query") ?? "";
  if (expr === "many") return { resultType: "matrix", result: Array.from({ length: 20_000 }, (_, at) => ({ metric: { at: String(at) }, values: [[end - step, "1"], [end, String(at)]] })) };
  if (expr.startsWith("scrape_duration_seconds")) {
    return { resultType: "matrix", result: [{ metric: { job: "good", instance: "a:1" }, values: values.map(([at]) => [at, String(0.004 + 0.002 * Math.sin(at / 400))]) }] };
  }
  if (expr === "native") return { resultType: "matrix", result: [{ metric: { path: "/pay" }, histograms: values.map(([at]) => [at, histogramAt(at)]) }] };
  if (expr === "classic") {
    const les = ["0.1", "0.5", "1", "+Inf"];
    return { resultType: "matrix", result: les.map((le, place) => ({ metric: { le }, values: values.map(([at]) => [at, String((place + 1) * (2 + Math.sin(at / 900 + place)))]) })) };
  }
  return { resultType: "matrix", result: SERIES.map((metric) => ({ metric, values })) };
}

const HOUR = 3600_000;
const BLOCKS = [0, 1, 2, 3].flatMap((at) => ["long", ""].map((name) => ({
  ulid: `01J00000000000000000000${at}${name ? "L" : "X"}`, minTime: Date.now() - (10 - 2 * at) * HOUR, maxTime: Date.now() - (8 - 2 * at) * HOUR,
  stats: { numSamples: 123_456, numSeries: 1200, numChunks: 4800 }, compaction: { level: 1, hints: [`vesta-retention-class:0011aabb:${name}`] },
})));

/** What members know of each other; a test may let one die. */
export const world = { isAlone: false, isOtherLive: true, hasManyGroups: false };

function cluster(): unknown {
  if (world.isAlone) return { enabled: false };
  const now = Date.now() / 1000;
  const member = (name: string, isSelf: boolean, isLive: boolean) => ({
    id: name, name, gossipAddress: "10.0.0.1:9094", storeAddress: "10.0.0.1:10901", webUrl: `http://${name}:9090/`, version: isSelf ? "3.14.0" : "3.13.0",
    isSelf, isLive, clockOffsetSeconds: isSelf ? 0 : 0.012, hasSameConfig: name !== "server-c", since: NOW, bytesSent: isSelf ? 0 : 123_456, bytesReceived: isSelf ? 0 : 234_567,
  });
  const { isOtherLive } = world;
  return {
    enabled: true, name: `shop ${NASTY}`, replicationFactor: 2, members: [member("server-a", true, true), member("server-b", false, isOtherLive), member("server-c", false, true)],
    lease: { backend: "gossip", holder: isOtherLive ? "server-b" : "server-a", epoch: isOtherLive ? 7 : 8, isMine: !isOtherLive, expiresInSeconds: 2.4 },
    holes: isOtherLive ? [] : [{ start: now - 600, end: now - 420 }],
    repair: {
      doing: { start: now - 600, end: now - 480 }, windowsCompared: 1234, windowsDifferent: 3, samplesWritten: 4567, bytesFetched: 890_123,
      mended: [{ member: "server-b", start: now - 3000, end: now - 2400, finished: now - 2300, samples: 4567 }],
      peers: [{ member: "server-b", uncheckedSeconds: 0, lastCompared: now - 20 }, { member: "server-c", uncheckedSeconds: 240 }],
    },
    targets: [{ member: "server-a", asks: 12, holds: 20 }, { member: "server-b", asks: 8, holds: 18 }, { member: "server-c", asks: 10, holds: 22 }],
  };
}

const gauge = (name: string, value: number) => ({ name: `prometheus_remote_storage_${name}`, help: "", type: "GAUGE", metric: [{ label: [{ name: "remote_name", value: "long-term" }, { name: "url", value: "http://store:9009/api/v1/push" }], gauge: { value } }] });
const QUEUES = [gauge("queue_highest_timestamp_seconds", 1_772_368_200), gauge("queue_highest_sent_timestamp_seconds", 1_772_368_196), gauge("samples_pending", 250), gauge("shards", 2)];

export function server(call: Call): unknown {
  switch (call.path) {
    case "query": return query(call);
    case "query_range": return range(call);
    case "query_exemplars": return EXEMPLARS;
    case "status/cluster": return cluster();
    case "status/self_metrics": return QUEUES;
    case "status/walreplay": return { min: 10, max: 29, current: 15 };
    case "format_query": return "formatted(\n  x\n)";
    case "parse_query": return { type: "aggregation", op: "sum", grouping: ["path"], without: false, param: null, expr: { type: "vectorSelector", name: "x", matchers: [], offset: 0 } };
    case "label/__name__/values": return ["requests_total", "up"];
    case "labels": return ["job", "instance"];
    case "metadata": return { requests_total: [{ type: "counter", help: "How many.", unit: "" }] };
    case "series": return SERIES;
    case "rules": return world.hasManyGroups ? { groups: MANY_GROUPS } : { groups: call.params.get("type") === "alert" ? GROUPS.map((group) => ({ ...group, rules: group.rules.slice(0, 2) })) : GROUPS };
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
    case "status/tsdb/blocks": return { blocks: BLOCKS, retentionClasses: [{ name: "long", selectors: ['{__name__=~"slo_.+"}'], seconds: 31_536_000 }, { name: "", selectors: [], seconds: 1_296_000 }] };
    case "features": return { api: { admin: true } };
    case "notifications/live": return [{ text: "Configuration reload has failed.", date: NOW, active: true }];
    default: return [];
  }
}

const ALERT = {
  labels: { alertname: "Burning", path: "/pay", note: NASTY, long: LONG }, annotations: { summary: NASTY }, fingerprint: "1", startsAt: NOW, endsAt: NOW, updatedAt: NOW,
  generatorURL: "javascript:alert(1)", receivers: [{ name: "team" }], status: { state: "active", silencedBy: [], inhibitedBy: [], mutedBy: [] },
};

const route = (receiver: string, matchers: string[], more: object = {}) => ({
  id: receiver, receiver, matchers, continue: false, groupBy: ["alertname"], groupWaitSeconds: 30, groupIntervalSeconds: 300, repeatIntervalSeconds: 14_400,
  muteTimeIntervals: [], activeTimeIntervals: [], differing: [], routes: [], ...more,
});

/** As the server judges `{severity="page"}`; without labels nothing is said. */
function routes(labels: string | null): unknown {
  const judged = (outcome: string, more: object = {}) => (labels ? { outcome, ...more } : {});
  return route("team", [], {
    ...judged("passes"),
    routes: [
      route("mail", ['severity="info"'], { ...judged("differs", { differing: ['severity="info"'] }), muteTimeIntervals: ["nights"] }),
      route("pager", ['severity="page"'], { ...judged("passes"), continue: true, routes: [route(`night shift ${NASTY}`, ['path=~"/.+"'], judged("takes", { groupLabels: { alertname: "Burning" } }))] }),
      route("archive", [], judged("unasked")),
    ],
  });
}

const told = (outcome: string, more: object = {}) => ({
  time: NOW, outcome, receiver: "team", integration: "webhook", index: 0, groupKey: '{}:{alertname="Burning"}', groupLabels: { alertname: "Burning", note: NASTY },
  reason: "first notification", firing: 2, resolved: 1, attempts: 1, seconds: 0.042, ...more,
});

export function alertmanager(): (call: Call) => unknown {
  let silence: Record<string, unknown> | undefined;
  return ({ method, path, params, body }) => {
    if (method === "POST") {
      silence = { ...(JSON.parse(body) as object), id: "one", updatedAt: NOW, status: { state: "active" } };
      return { silenceID: "one" };
    }
    if (method === "DELETE") {
      silence = { ...silence, status: { state: "expired" } };
      return {};
    }
    switch (path) {
      case "vesta/v1/routes": return routes(params.get("labels"));
      case "vesta/v1/receivers": return [
        { name: "team", integrations: [{ integration: "webhook", index: 0, last: told("sent") }, { integration: "email", index: 0, last: told("failed", { integration: "email", error: `dial ${LONG}: refused`, attempts: 5 }) }, { integration: "webhook", index: 1 }] },
        { name: `night shift ${NASTY}`, integrations: [] },
      ];
      case "vesta/v1/notifications": return [told("sent"), told("failed", { integration: "email", error: "connection refused", attempts: 5 }), told("peer", { groupLabels: {}, seconds: 0, attempts: 0 })];
      case "alerts/groups": return [{ labels: { alertname: "Burning" }, receiver: { name: "team" }, alerts: [ALERT] }];
      case "alerts": return [ALERT];
      case "receivers": return [{ name: "team" }];
      case "silences": return silence ? [silence] : [];
      case "silence/one": return silence;
      case "status": return { cluster: { name: "01J", status: "ready", peers: [{ name: "01J", address: "10.0.0.1:9094" }, { name: "01K", address: "10.0.0.2:9094", lagSeconds: 0.4, roundTripSeconds: 0.0021 }] }, config: { original: `# ${LONG}` }, uptime: NOW, versionInfo: { version: "0.34.0" } };
      default: return [];
    }
  };
}

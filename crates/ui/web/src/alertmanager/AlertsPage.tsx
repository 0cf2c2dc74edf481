//! Alerts in the groups that are told together.

import { useMemo } from "preact/hooks";
import { useAlertmanager } from "../base/api.js";
import { formatSeries, type Labels } from "../base/format.js";
import { href, place, replaceSearch } from "../base/route.js";
import { persisted, useStore } from "../base/store.js";
import { Badge, Choices, Empty, Fold, LabelList, Trouble, useSome, Waiting } from "../parts/bits.js";
import { formatMatcher, formatMatchers, isSame, parseMatchers, type Matcher } from "./matchers.js";
import { AlertView, FilterBox } from "./parts.js";
import type { Alert, Group } from "./types.js";

const EVERY_MS = 10_000;
const expandsAll = persisted("groups-open", true);
const QUIET = ["silenced", "inhibited", "muted"] as const;
type Quiet = (typeof QUIET)[number];

interface View {
  matchers: Matcher[];
  receiver: string;
  quiet: Quiet[];
  /** Whether those that nothing keeps quiet are shown. */
  isActive: boolean;
  /** Labels to group by instead of the routes' own. */
  group: string[] | null;
}

function parseView(search: string): View {
  const params = new URLSearchParams(search);
  const isCustom = params.get("customGrouping") === "true";
  return {
    matchers: parseMatchers(params.get("filter") ?? "") ?? [],
    receiver: params.get("receiver") ?? "",
    quiet: QUIET.filter((one) => params.get(one) === "true"),
    isActive: params.get("active") !== "false",
    group: isCustom ? (params.get("group") ?? "").split(",").map((name) => name.trim()).filter(Boolean) : null,
  };
}

function formatView(view: View): string {
  const params = new URLSearchParams();
  if (view.matchers.length > 0) params.set("filter", formatMatchers(view.matchers));
  if (view.receiver) params.set("receiver", view.receiver);
  for (const one of view.quiet) params.set(one, "true");
  if (!view.isActive) params.set("active", "false");
  if (view.group) {
    params.set("customGrouping", "true");
    params.set("group", view.group.join(","));
  }
  return params.toString();
}

/** Receivers are asked for by an anchored regular expression. */
function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

export function AlertsPage() {
  const { search } = useStore(place);
  const isOpen = useStore(expandsAll);
  const view = useMemo(() => parseView(search), [search]);
  const change = (part: Partial<View>) => replaceSearch(formatView({ ...view, ...part }));
  const receivers = useAlertmanager<{ name: string }[]>("receivers");
  const { data, error, reload } = useAlertmanager<Group[]>("alerts/groups", {
    filter: view.matchers.map(formatMatcher),
    receiver: view.receiver ? escapeRegex(view.receiver) : undefined,
    active: view.isActive,
    ...Object.fromEntries(QUIET.map((one) => [one, view.quiet.includes(one)])),
  }, EVERY_MS);
  const groups = useMemo(() => (data && view.group ? regroup(data, view.group) : data), [data, view.group]);
  const nAlerts = new Set((data ?? []).flatMap((group) => group.alerts.map((alert) => alert.fingerprint))).size;
  const pick = (name: string, value: string) => {
    const matcher = { name, value, isRegex: false, isEqual: true };
    if (!view.matchers.some((old) => isSame(old, matcher))) change({ matchers: [...view.matchers, matcher] });
  };
  const isNarrowed = view.matchers.length > 0 || view.receiver !== "";
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
        <FilterBox matchers={view.matchers} onChange={(matchers) => change({ matchers })} />
        <select aria-label="Receiver" value={view.receiver} onChange={(event) => change({ receiver: event.currentTarget.value })}>
          <option value="">All receivers</option>
          {[...new Set([...(receivers.data ?? []).map((one) => one.name), ...(view.receiver ? [view.receiver] : [])])].map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
        <span class="muted">Show also</span>
        <Choices all={QUIET} chosen={view.quiet} onChange={(quiet) => change({ quiet })} label="Show also" />
        <GroupBy chosen={view.group} onChange={(group) => change({ group })} />
        <span class="spring" />
        <button type="button" class="quiet" onClick={() => expandsAll.set(!isOpen)}>{isOpen ? "Fold all" : "Open all"}</button>
        <a class="button primary" href={href(`/silences/new${view.matchers.length > 0 ? `?${new URLSearchParams({ filter: formatMatchers(view.matchers) })}` : ""}`)}>New silence</a>
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {groups?.length === 0 && (
        <Empty title={isNarrowed ? "No alert matches" : "Nothing is burning"}>
          {isNarrowed ? "Take something out of the filter to see more." : view.quiet.length < QUIET.length ? "No alert fires that is not silenced, inhibited or muted; the buttons above show those too." : "No alert at all."}
        </Empty>
      )}
      {groups && groups.length > 0 && <p class="muted count-line" role="status">{`${nAlerts} ${nAlerts === 1 ? "alert" : "alerts"} in ${groups.length} ${groups.length === 1 ? "group" : "groups"}`}</p>}
      {groups?.map((group) => (
        <section class="panel" key={`${group.receiver.name} ${formatSeries(group.labels)} ${String(isOpen)}`}>
          <Fold isOpen={isOpen} summary={
            <>
              <LabelList labels={group.labels} isNamed />
              {group.receiver.name && <span class="muted">→ <bdi>{group.receiver.name}</bdi></span>}
              <Badge tone={group.alerts.some(isLoud) ? "bad" : "quiet"}>{`${group.alerts.length} ${group.alerts.length === 1 ? "alert" : "alerts"}`}</Badge>
            </>
          }>
            <Alerts all={group.alerts} onPick={pick} />
          </Fold>
        </section>
      ))}
    </>
  );
}

function Alerts({ all, onPick }: { all: Alert[]; onPick: (name: string, value: string) => void }) {
  const { some, more } = useSome(all, 50);
  return <>{some.map((alert) => <AlertView key={alert.fingerprint} alert={alert} onPick={onPick} />)}{more}</>;
}

function isLoud(alert: Alert): boolean {
  return alert.status.state === "active";
}

function GroupBy({ chosen, onChange }: { chosen: string[] | null; onChange: (group: string[] | null) => void }) {
  return (
    <>
      <select aria-label="Grouping" value={chosen ? "labels" : "routes"} onChange={(event) => onChange(event.currentTarget.value === "labels" ? ["alertname"] : null)}>
        <option value="routes">Groups of the routes</option>
        <option value="labels">Groups by label</option>
      </select>
      {chosen && (
        <input type="text" aria-label="Labels to group by" title="Labels to group by, with commas between" value={chosen.join(", ")} spellcheck={false}
          onChange={(event) => onChange(event.currentTarget.value.split(",").map((name) => name.trim()).filter(Boolean))} />
      )}
    </>
  );
}

/** Each alert once, below the values that it has of these labels. */
function regroup(groups: Group[], names: string[]): Group[] {
  const alerts = new Map(groups.flatMap((group) => group.alerts.map((alert) => [alert.fingerprint, alert])));
  const found = new Map<string, Group>();
  for (const alert of alerts.values()) {
    const labels: Labels = {};
    for (const name of names) if (alert.labels[name] !== undefined) labels[name] = alert.labels[name];
    const key = formatSeries(labels);
    const group = found.get(key) ?? { labels, receiver: { name: "" }, alerts: [] };
    group.alerts.push(alert);
    found.set(key, group);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

//! Alerting rules and what they see burning.

import { useMemo, useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { matchesText, searchable } from "../base/format.js";
import { href } from "../base/route.js";
import { groupsPerPage, persisted, useStore } from "../base/store.js";
import { Ago, Badge, Choices, Empty, Fold, LabelList, Scroll, SearchBox, Trouble, useSome, Waiting, type Tone } from "../parts/bits.js";
import { usePages } from "../parts/pages.js";
import { formatPanels, NEW_PANEL } from "./query/state.js";
import type { AlertingRule, AlertState, RuleGroup } from "./types.js";

export const STATES: Record<AlertState, Tone> = { firing: "bad", pending: "warn", inactive: "good" };
const ALL: readonly AlertState[] = ["firing", "pending", "inactive"];
const RANK: Record<string, number> = { firing: 0, pending: 1, unknown: 2, inactive: 3 };
const EVERY_MS = 10_000;
const shownStates = persisted<AlertState[]>("alert-states", []);
const showsAnnotations = persisted("alert-annotations", true);

export function AlertsPage() {
  const { data, error, reload } = useApi<{ groups: RuleGroup[] }>("rules", { type: "alert" }, EVERY_MS);
  const [filter, setFilter] = useState("");
  const states = useStore(shownStates);
  const annotations = useStore(showsAnnotations);
  const rules = useMemo(() => (data?.groups ?? []).flatMap((group) => group.rules.map((rule) => ({ group, rule: rule as AlertingRule }))), [data]);
  const found = rules
    .filter(({ rule }) => states.length === 0 || states.includes(rule.state as AlertState))
    .filter(({ group, rule }) => matchesText(filter, [rule.name, group.name, rule.query, ...searchable(rule.labels ?? {}), ...(rule.alerts ?? []).flatMap((alert) => searchable(alert.labels))]));
  const groups = Map.groupBy(found, ({ group }) => group);
  const sorted = [...groups].sort(([, a], [, b]) => worst(a) - worst(b));
  const { some, pager } = usePages(sorted, useStore(groupsPerPage), "groups", JSON.stringify([filter, states]));
  const counts = { firing: 0, pending: 0, inactive: 0 };
  for (const { rule } of rules) if (rule.state in counts) counts[rule.state as AlertState] += 1;
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
        <Choices all={ALL} chosen={states} counts={counts} onChange={(next) => shownStates.set(next)} label="State" tones={STATES} />
        <SearchBox value={filter} onInput={setFilter} label="Filter by name or label" />
        <label class="check"><input type="checkbox" checked={annotations} onChange={(event) => showsAnnotations.set(event.currentTarget.checked)} /> Annotations</label>
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && rules.length === 0 && <Empty title="No alerting rules">Rules come from the files under <code>rule_files</code> of the configuration.</Empty>}
      {rules.length > 0 && found.length === 0 && <Empty title="No rule matches">{states.length > 0 ? `Nothing is ${states.join(" or ")}.` : "Clear the filter to see all."}</Empty>}
      {some.map(([group, members]) => (
        <section class="panel" key={`${group.file};${group.name}`}>
          <header class="panel-head"><h2>{group.name}</h2> <span class="muted path">{group.file}</span></header>
          {members.sort((a, b) => RANK[a.rule.state]! - RANK[b.rule.state]!).map(({ rule }) => (
            <RuleView key={rule.name + rule.query + JSON.stringify(rule.labels)} rule={rule} hasAnnotations={annotations} />
          ))}
        </section>
      ))}
      {pager}
    </>
  );
}

function worst(rules: { rule: AlertingRule }[]): number {
  return Math.min(...rules.map(({ rule }) => RANK[rule.state] ?? 2));
}

/** The query page with this expression. */
export function queryLink(expr: string, tab: "table" | "graph" = "table"): string {
  return href(`/query?${formatPanels([{ ...NEW_PANEL, expr, tab }])}`);
}

function RuleView({ rule, hasAnnotations }: { rule: AlertingRule; hasAnnotations: boolean }) {
  const alerts = rule.alerts ?? [];
  const nFiring = alerts.filter((alert) => alert.state === "firing").length;
  const nPending = alerts.length - nFiring;
  const { some, more } = useSome(alerts, 100);
  return (
    <Fold class={`rule ${rule.state}`} isOpen={rule.state === "firing"} summary={
      <>
        <span class="rule-name">{rule.name}</span>
        {nFiring > 0 && <Badge tone="bad">{`${nFiring} firing`}</Badge>}
        {nPending > 0 && <Badge tone="warn">{`${nPending} pending`}</Badge>}
        {rule.state === "inactive" && <Badge tone="good">inactive</Badge>}
        {rule.state === "unknown" && <Badge tone="quiet">unknown</Badge>}
        {rule.health === "err" && <Badge tone="bad">fails</Badge>}
        <LabelList labels={rule.labels ?? {}} />
        <span class="expr mono">{rule.query}</span>
      </>
    }>
      <div class="rule-body">
        <Definition rule={rule} />
        {hasAnnotations && alerts.length === 0 && <Annotations all={rule.annotations ?? {}} />}
        {rule.lastError && <Trouble>{rule.lastError}</Trouble>}
        {alerts.length > 0 && (
          <Scroll>
            <table class="list">
              <thead><tr><th scope="col">State</th><th scope="col">Labels</th><th scope="col">Since</th><th scope="col" class="right">Value</th></tr></thead>
              <tbody>
                {some.map((alert) => (
                  <tr key={JSON.stringify(alert.labels)}>
                    <td><Badge tone={STATES[alert.state]}>{alert.state}</Badge></td>
                    <td>
                      <LabelList labels={alert.labels} without={["alertname"]} />
                      {hasAnnotations && <Annotations all={alert.annotations} />}
                      {alert.keepFiringSince && <p class="muted">Kept firing since <Ago time={alert.keepFiringSince} /></p>}
                    </td>
                    <td class="nowrap" data-name="Since"><Ago time={alert.activeAt} /></td>
                    <td class="right num" data-name="Value">{shortValue(alert.value)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {more}
          </Scroll>
        )}
      </div>
    </Fold>
  );
}

/** The API writes `1e+00`. */
function shortValue(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) ? String(Number(value.toPrecision(8))) : text;
}

export function Definition({ rule }: { rule: AlertingRule }) {
  return (
    <div class="definition">
      <a class="mono" href={queryLink(rule.query)}>{rule.query}</a>
      {rule.duration > 0 && <span class="muted">for {roughDuration(rule.duration * 1000)}</span>}
      {rule.keepFiringFor > 0 && <span class="muted">keeps firing for {roughDuration(rule.keepFiringFor * 1000)}</span>}
    </div>
  );
}

export function Annotations({ all }: { all: Record<string, string> }) {
  const pairs = Object.entries(all);
  if (pairs.length === 0) return null;
  return (
    <dl class="annotations">
      {pairs.map(([name, value]) => (
        <div key={name}><dt>{name}</dt><dd><bdi>{isLink(value) ? <a href={value} target="_blank" rel="noreferrer">{value}</a> : value}</bdi></dd></div>
      ))}
    </dl>
  );
}

function isLink(text: string): boolean {
  return /^https?:\/\/\S+$/.test(text);
}

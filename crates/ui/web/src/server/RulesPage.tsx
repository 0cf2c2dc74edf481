//! All rules: what they compute, how long that takes, what went wrong.

import { useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { matchesText, searchable } from "../base/format.js";
import { groupsPerPage, useStore } from "../base/store.js";
import { Ago, Badge, Choices, Empty, Fold, LabelList, SearchBox, Trouble, Waiting, type Tone } from "../parts/bits.js";
import { usePages } from "../parts/pages.js";
import { Annotations, Definition, queryLink, STATES } from "./AlertsPage.js";
import { countBy } from "./TargetsPage.js";
import type { AlertState, Rule, RuleGroup } from "./types.js";

type Health = Rule["health"];
type Kind = Rule["type"];
const HEALTH: Record<Health, Tone> = { ok: "good", err: "bad", unknown: "quiet" };
const EVERY_MS = 10_000;

export function RulesPage() {
  const { data, error, reload } = useApi<{ groups: RuleGroup[] }>("rules", {}, EVERY_MS);
  const [filter, setFilter] = useState("");
  const [health, setHealth] = useState<Health[]>([]);
  const [kinds, setKinds] = useState<Kind[]>([]);
  const all = (data?.groups ?? []).flatMap((group) => group.rules);
  const groups = (data?.groups ?? [])
    .map((group) => ({ group, rules: group.rules.filter((rule) => isWanted(group, rule)) }))
    .filter(({ rules }) => rules.length > 0);
  const { some, pager } = usePages(groups, useStore(groupsPerPage), "groups", JSON.stringify([filter, health, kinds]));
  function isWanted(group: RuleGroup, rule: Rule): boolean {
    return (health.length === 0 || health.includes(rule.health))
      && (kinds.length === 0 || kinds.includes(rule.type))
      && matchesText(filter, [rule.name, group.name, group.file, rule.query, rule.lastError ?? "", ...searchable(rule.labels ?? {})]);
  }
  return (
    <>
      <div class="page-head">
        <h1>Rules</h1>
        <Choices all={["ok", "err", "unknown"] as const} chosen={health} counts={countBy(all, (rule) => rule.health)} onChange={setHealth} label="Health" tones={HEALTH} />
        <Choices all={["alerting", "recording"] as const} chosen={kinds} counts={countBy(all, (rule) => rule.type)} onChange={setKinds} label="Kind" />
        <SearchBox value={filter} onInput={setFilter} label="Filter by name, expression, label or error" />
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && all.length === 0 && <Empty title="No rules">Rules come from the files under <code>rule_files</code> of the configuration.</Empty>}
      {all.length > 0 && groups.length === 0 && <Empty title="No rule matches">Clear the filter to see all.</Empty>}
      {some.map(({ group, rules }) => <Group key={`${group.file};${group.name}`} group={group} rules={rules} />)}
      {pager}
    </>
  );
}

function Group({ group, rules }: { group: RuleGroup; rules: Rule[] }) {
  const share = group.evaluationTime / group.interval;
  return (
    <section class="panel">
      <header class="panel-head">
        <h2>{group.name}</h2> <span class="muted path">{group.file}</span>
        <span class="spring" />
        <span class="muted">
          last run <Ago time={group.lastEvaluation} />, took <span class="num">{roughDuration(group.evaluationTime * 1000)}</span> of each {roughDuration(group.interval * 1000)}
        </span>
        {share > 0.8 && <Badge tone="warn" title="The group takes almost as long as its interval">slow</Badge>}
      </header>
      {rules.map((rule, at) => (
        <Fold key={at} class={`rule ${rule.health === "err" ? "firing" : ""}`} isOpen={rule.health === "err"} summary={
          <>
            <span class="kind">{rule.type === "alerting" ? "alert" : "record"}</span>
            <span class="rule-name">{rule.name}</span>
            {rule.health !== "ok" && <Badge tone={HEALTH[rule.health]}>{rule.health === "err" ? "fails" : "not run yet"}</Badge>}
            {rule.type === "alerting" && rule.state !== "inactive" && <Badge tone={STATES[rule.state as AlertState] ?? "quiet"}>{rule.state}</Badge>}
            <LabelList labels={rule.labels ?? {}} />
            <span class="expr mono">{rule.query}</span>
            <span class="muted num nowrap">{roughDuration(rule.evaluationTime * 1000)}</span>
          </>
        }>
          <div class="rule-body">
            {rule.type === "alerting"
              ? <><Definition rule={rule} /><Annotations all={rule.annotations ?? {}} /></>
              : <div class="definition"><a class="mono" href={queryLink(rule.query)}>{rule.query}</a></div>}
            <p class="muted">Last run <Ago time={rule.lastEvaluation} />.</p>
            {rule.lastError && <Trouble>{rule.lastError}</Trouble>}
          </div>
        </Fold>
      ))}
    </section>
  );
}

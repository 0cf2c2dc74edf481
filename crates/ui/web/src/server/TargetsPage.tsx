//! What is scraped, and how that goes.

import { useMemo, useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { parseDuration, roughDuration } from "../base/duration.js";
import { formatCount, matchesText, searchable } from "../base/format.js";
import { Ago, Badge, Choices, Empty, Fold, LabelList, Scroll, SearchBox, Trouble, useSome, Waiting, type Tone } from "../parts/bits.js";
import { Window } from "../parts/Window.js";
import { Sparkline, useDurations } from "./Durations.js";
import type { Health, Target, Targets } from "./types.js";

export const HEALTH: Record<Health, Tone> = { up: "good", down: "bad", unknown: "quiet" };
const ALL: readonly Health[] = ["up", "down", "unknown"];
const EVERY_MS = 10_000;

export function TargetsPage() {
  const { data, error, reload } = useApi<Targets>("targets", { state: "active" }, EVERY_MS);
  const [filter, setFilter] = useState("");
  const [health, setHealth] = useState<Health[]>([]);
  const targets = data?.activeTargets;
  const found = useMemo(
    () => (targets ?? []).filter((target) =>
      (health.length === 0 || health.includes(target.health))
      && matchesText(filter, [target.scrapeUrl, target.scrapePool, target.lastError, ...searchable(target.labels)])),
    [targets, filter, health],
  );
  const counts = countBy(targets ?? [], (target) => target.health);
  const pools = Map.groupBy(found, (target) => target.scrapePool);
  return (
    <>
      <div class="page-head">
        <h1>Targets</h1>
        <Choices all={ALL} chosen={health} counts={counts} onChange={setHealth} label="Health" tones={HEALTH} />
        <SearchBox value={filter} onInput={setFilter} label="Filter by address, label or error" />
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!targets && !error && <Waiting />}
      {targets?.length === 0 && (
        <Empty title="No targets">Nothing is scraped: the configuration names none under <code>scrape_configs</code>, or discovery found none. <a href="service-discovery">Discovery</a> shows what relabelling dropped.</Empty>
      )}
      {targets && targets.length > 0 && found.length === 0 && <Empty title="No target matches">Clear the filter to see all {formatCount(targets.length)}.</Empty>}
      {[...pools].map(([pool, members]) => <Pool key={pool} name={pool} targets={members} />)}
    </>
  );
}

export function countBy<T, K extends string>(all: T[], keyOf: (one: T) => K): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {};
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1;
  return counts;
}

function Pool({ name, targets }: { name: string; targets: Target[] }) {
  const nUp = targets.filter((target) => target.health === "up").length;
  const { some, more } = useSome(targets);
  const [isConfig, setConfig] = useState(false);
  const durations = useDurations([...new Set(targets.map((target) => target.labels.job ?? ""))], targets.length);
  const tone: Tone = nUp === targets.length ? "good" : nUp === 0 ? "bad" : "warn";
  return (
    <section class="panel">
      <Fold isOpen summary={<><h2>{name}</h2> <Badge tone={tone}>{`${nUp} of ${targets.length} up`}</Badge></>}>
        <Scroll>
          <table class="list fixed">
            <thead>
              <tr><th scope="col">Endpoint</th><th scope="col">Health</th><th scope="col">Labels</th><th scope="col">Last scrape</th><th scope="col" class="right">Duration</th></tr>
            </thead>
            <tbody>{some.map((target) => <Row key={target.scrapeUrl + JSON.stringify(target.labels)} target={target} durations={durations(target.labels)} />)}</tbody>
          </table>
        </Scroll>
        {more}
      </Fold>
      <button type="button" class="small quiet corner" onClick={() => setConfig(true)}>Configuration</button>
      {isConfig && <ConfigWindow pool={name} onClose={() => setConfig(false)} />}
    </section>
  );
}

function Row({ target, durations }: { target: Target; durations: number[] | undefined }) {
  const isLate = target.lastScrapeDuration * 1000 > (parseDuration(target.scrapeTimeout) ?? Infinity) * 0.8;
  return (
    <>
      <tr class={target.health === "down" ? "with-error" : ""}>
        <td><a class="url" href={target.globalUrl} target="_blank" rel="noreferrer">{target.scrapeUrl}</a></td>
        <td><Badge tone={HEALTH[target.health]}>{target.health}</Badge></td>
        <td><LabelList labels={target.labels} isNamed /></td>
        <td class="nowrap" data-name="Last scrape"><Ago time={target.lastScrape} /> <span class="muted" title={`Every ${target.scrapeInterval}, within ${target.scrapeTimeout}`}>/ {target.scrapeInterval}</span></td>
        <td class="right num nowrap" data-name="Duration">
          {isLate && <span title={`Close to the time limit of ${target.scrapeTimeout}`}><Badge tone="warn">slow</Badge> </span>}
          {roughDuration(target.lastScrapeDuration * 1000)}
          <Sparkline values={durations} />
        </td>
      </tr>
      {target.lastError && <tr class="error-row"><td colSpan={5}><Trouble>{target.lastError}</Trouble></td></tr>}
    </>
  );
}

function ConfigWindow({ pool, onClose }: { pool: string; onClose: () => void }) {
  const { data, error } = useApi<{ yaml: string }>("scrape_pools/config", { scrapePool: pool });
  return (
    <Window title={pool} onClose={onClose}>
      {error && <Trouble>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && <pre class="code" tabIndex={0}>{data.yaml}</pre>}
    </Window>
  );
}

//! What discovery found, and what relabelling made of it.

import { useState } from "preact/hooks";
import { useApi } from "../base/api.js";
import { formatCount, matchesText, searchable, type Labels } from "../base/format.js";
import { Badge, Choices, Empty, Fold, LabelList, Scroll, SearchBox, Trouble, useSome, Waiting } from "../parts/bits.js";
import { Window } from "../parts/Window.js";
import type { Targets } from "./types.js";

interface Found {
  pool: string;
  before: Labels;
  /** Nothing if it was dropped. */
  after?: Labels;
}

type Fate = "kept" | "dropped";

export function DiscoveryPage() {
  const { data, error, reload } = useApi<Targets>("targets", {}, 30_000);
  const [filter, setFilter] = useState("");
  const [fates, setFates] = useState<Fate[]>([]);
  const all: Found[] = data
    ? [
        ...data.activeTargets.map((target) => ({ pool: target.scrapePool, before: target.discoveredLabels, after: target.labels })),
        ...data.droppedTargets.map((target) => ({ pool: target.scrapePool, before: target.discoveredLabels })),
      ]
    : [];
  const fate = (one: Found): Fate => (one.after ? "kept" : "dropped");
  const found = all.filter((one) =>
    (fates.length === 0 || fates.includes(fate(one)))
    && matchesText(filter, [one.pool, ...searchable(one.before), ...searchable(one.after ?? {})]));
  const dropped = Object.values(data?.droppedTargetCounts ?? {}).reduce((sum, count) => sum + count, 0);
  const pools = [...Map.groupBy(found, (one) => one.pool)];
  return (
    <>
      <div class="page-head">
        <h1>Discovery</h1>
        <Choices all={["kept", "dropped"] as const} chosen={fates} counts={{ kept: data?.activeTargets.length ?? 0, dropped }} onChange={setFates} label="What became of it" tones={{ kept: "good", dropped: "quiet" }} />
        <SearchBox value={filter} onInput={setFilter} label="Filter by label" />
      </div>
      {error && <Trouble onRetry={reload}>{error}</Trouble>}
      {!data && !error && <Waiting />}
      {data && all.length === 0 && <Empty title="Nothing discovered">The configuration names no <code>scrape_configs</code>, or their mechanisms found nothing.</Empty>}
      {all.length > 0 && found.length === 0 && <Empty title="Nothing matches">Clear the filter to see all.</Empty>}
      {pools.map(([pool, members]) => <Pool key={pool} name={pool} found={members} nDropped={data?.droppedTargetCounts?.[pool] ?? 0} />)}
    </>
  );
}

function Pool({ name, found, nDropped }: { name: string; found: Found[]; nDropped: number }) {
  const { some, more } = useSome(found, 100);
  const [steps, setSteps] = useState<Labels>();
  const nKept = found.filter((one) => one.after).length;
  const nUnseen = nDropped - (found.length - nKept);
  return (
    <section class="panel">
      <Fold isOpen summary={<><h2>{name}</h2> <Badge tone="good">{`${nKept} kept`}</Badge> {nDropped > 0 && <Badge tone="quiet">{`${nDropped} dropped`}</Badge>}</>}>
        <Scroll>
          <table class="list halves">
            <thead><tr><th scope="col">Discovered</th><th scope="col">Scraped as</th><th scope="col"><span class="sr">Steps</span></th></tr></thead>
            <tbody>
              {some.map((one, at) => (
                <tr key={at}>
                  <td><LabelList labels={one.before} /></td>
                  <td>{one.after ? <LabelList labels={one.after} /> : <Badge tone="quiet">dropped by relabelling</Badge>}</td>
                  <td class="right"><button type="button" class="small quiet" onClick={() => setSteps(one.before)}>Steps</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
        {more}
        {nUnseen > 0 && found.length - nKept > 0 && <p class="foot muted">{`${formatCount(nUnseen)} more were dropped; the server keeps only some.`}</p>}
      </Fold>
      {steps && <StepsWindow pool={name} labels={steps} onClose={() => setSteps(undefined)} />}
    </section>
  );
}

interface Step {
  rule: Record<string, unknown>;
  output: Labels;
  keep: boolean;
}

function StepsWindow({ pool, labels, onClose }: { pool: string; labels: Labels; onClose: () => void }) {
  const { data, error } = useApi<{ steps: Step[] }>("targets/relabel_steps", { scrapePool: pool, labels: JSON.stringify(labels) });
  return (
    <Window title="Relabelling, step by step" onClose={onClose}>
      {error && <Trouble>{error}</Trouble>}
      {!data && !error && <Waiting />}
      <ol class="steps">
        <li><b>Discovered</b><LabelList labels={labels} /></li>
        {data?.steps.map((step, at) => (
          <li key={at}>
            <pre class="code" tabIndex={0}>{ruleText(step.rule)}</pre>
            {step.keep ? <Changes before={at === 0 ? labels : data.steps[at - 1]!.output} after={step.output} /> : <Badge tone="bad">dropped here</Badge>}
          </li>
        ))}
      </ol>
      {data?.steps.length === 0 && <Empty title="No rules">This pool has no <code>relabel_configs</code>.</Empty>}
    </Window>
  );
}

function ruleText(rule: Record<string, unknown>): string {
  return Object.entries(rule)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join(", ")}]` : typeof value === "string" ? JSON.stringify(value) : String(value)}`)
    .join("\n");
}

function Changes({ before, after }: { before: Labels; after: Labels }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
  if (names.length === 0) return <span class="muted">changes nothing</span>;
  return (
    <ul class="changes">
      {names.map((name) => (
        <li key={name} class="mono">
          {before[name] !== undefined && <del>{name}="{before[name]}"</del>} {after[name] !== undefined && <ins>{name}="{after[name]}"</ins>}
        </li>
      ))}
    </ul>
  );
}

//! How a query was answered: the plan, with what each part gave and what it took.

import { ask, useAsked } from "../../base/api.js";
import { roughDuration } from "../../base/duration.js";
import { formatBytes, formatCount } from "../../base/format.js";
import { Scroll, Trouble, Waiting } from "../../parts/bits.js";

/** A part of a plan; its time is that of all below it too. */
export interface PlanNode {
  node: string;
  detail: string;
  rows: number;
  bytes: number;
  seconds: number;
  children: PlanNode[];
}

interface Line {
  node: PlanNode;
  depth: number;
  /** Without what is below; shards work side by side, so it may come to nothing. */
  ownSeconds: number;
}

export function linesOf(node: PlanNode, depth = 0): Line[] {
  const below = node.children.reduce((sum, child) => sum + child.seconds, 0);
  const own = { node, depth, ownSeconds: Math.max(node.seconds - below, 0) };
  return [own, ...node.children.flatMap((child) => linesOf(child, depth + 1))];
}

interface Props {
  expr: string;
  /** Nothing is now. */
  endMs: number | null;
  rangeMs: number;
  stepMs: number;
  /** Another number asks again. */
  round: number;
}

export function Plan({ expr, endMs, rangeMs, stepMs, round }: Props) {
  const key = JSON.stringify([expr, endMs, rangeMs, stepMs, round]);
  const { data, error, isBusy, reload } = useAsked(key, async (signal) => {
    const end = endMs ?? Date.now();
    // One series of the answer is enough: the plan is what is looked at.
    const params = { query: expr, explain: "json", limit: 1, start: (end - rangeMs) / 1000, end: end / 1000, step: stepMs / 1000 };
    return (await ask<{ explain: PlanNode }>("query_range", params, { signal, post: true })).data.explain;
  });
  if (error) return <Trouble onRetry={reload}>{error}</Trouble>;
  if (!data) return <Waiting />;
  return <Drawn root={data} isBusy={isBusy} />;
}

function Drawn({ root, isBusy }: { root: PlanNode; isBusy: boolean }) {
  const lines = linesOf(root);
  const most = Math.max(...lines.map((line) => line.ownSeconds), 1e-9);
  return (
    <section class="plan" aria-label="Plan" aria-busy={isBusy}>
      <h3>Plan</h3>
      <p class="muted">How it was answered, over the range of the graph: what each part gave, and the time that it took itself.</p>
      <Scroll>
        <table class="list keep">
          <thead>
            <tr><th scope="col">Part</th><th scope="col" class="right">Rows</th><th scope="col" class="right">Bytes</th><th scope="col" class="right">With all below</th><th scope="col" class="right">Itself</th><th scope="col"><span class="sr">Share</span></th></tr>
          </thead>
          <tbody>
            {lines.map(({ node, depth, ownSeconds }, at) => (
              <tr key={at}>
                <td class="part">
                  {Array.from({ length: Math.min(depth, 24) }, (_, level) => <i class="level" key={level} />)}
                  <span><b class="mono">{node.node}</b> <span class="mono muted">{node.detail}</span></span>
                </td>
                <td class="right num">{formatCount(node.rows)}</td>
                <td class="right num nowrap">{formatBytes(node.bytes)}</td>
                <td class="right num nowrap muted">{time(node.seconds)}</td>
                <td class="right num nowrap">{time(ownSeconds)}</td>
                <td class="meter"><i style={{ width: `${(ownSeconds / most) * 100}%` }} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

function time(seconds: number): string {
  if (seconds <= 0) return "0";
  return seconds < 0.001 ? `${Number((seconds * 1e6).toPrecision(3))}µs` : roughDuration(seconds * 1000);
}

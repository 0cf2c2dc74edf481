//! How long each target of a pool took lately, as a small graph.

import { ask, useAsked } from "../base/api.js";
import { roughDuration } from "../base/duration.js";
import { parseValue, quote, type Labels } from "../base/format.js";
import { page } from "../page.js";

/** With more targets than this the answer would be larger than its use. */
const TARGETS_MAX = 200;
const RANGE_SECONDS = 3600;
const STEP_SECONDS = 120;
const WIDTH = 80;
const HEIGHT = 18;

interface Found {
  metric: Labels;
  values: [number, string][];
}

/** By the labels of a target: where its samples have the same values, it is that target. */
export type Durations = (labels: Labels) => number[] | undefined;

export function useDurations(jobs: string[], nTargets: number): Durations {
  // Regular expressions take more than names do; names that have such signs are not asked for.
  const plain = jobs.filter((job) => /^[\w .:/-]+$/.test(job)).map((job) => job.replaceAll(".", "\\."));
  // An agent has nothing to ask.
  const isAsked = page.role !== "agent" && plain.length > 0 && nTargets <= TARGETS_MAX;
  const end = Math.floor(Date.now() / 60_000) * 60;
  const query = `scrape_duration_seconds{job=~${quote(plain.join("|"))}}`;
  const { data } = useAsked<Found[]>(isAsked ? `${query} ${end}` : "", async (signal) => {
    if (!isAsked) return [];
    const params = { query, start: end - RANGE_SECONDS, end, step: STEP_SECONDS, limit: TARGETS_MAX * 2 };
    return (await ask<{ result: Found[] }>("query_range", params, { signal, post: true })).data.result;
  });
  const found = new Map((data ?? []).map(({ metric, values }) => [keyOf(metric), values.map(([, value]) => parseValue(value))]));
  return (labels) => found.get(keyOf(labels));
}

function keyOf(labels: Labels): string {
  return `${labels.job ?? ""}\n${labels.instance ?? ""}`;
}

export function Sparkline({ values }: { values: number[] | undefined }) {
  if (!values || values.length < 2) return null;
  const most = Math.max(...values) || 1;
  const points = values.map((value, at) => `${((at / (values.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 1 - (value / most) * (HEIGHT - 2)).toFixed(1)}`);
  return (
    <svg class="spark" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Scrape durations of the last hour, at most ${roughDuration(most * 1000)}`}>
      <polyline points={points.join(" ")} />
    </svg>
  );
}

//! What a query page asks a server, and what comes of it.

import { ask } from "../../base/api.js";
import { parseValue, type Labels } from "../../base/format.js";
import type { RangeSeries, Result } from "./answer.js";
import { stepOf, type Panel, type Tab } from "./state.js";

export interface Outcome {
  tab: Tab;
  instant?: Result;
  range?: { series: RangeSeries[]; exemplars: Exemplar[]; startMs: number; endMs: number; stepMs: number };
  warnings: string[];
  infos: string[];
  tookMs: number;
  nSeries: number;
  stepMs?: number;
}

/** A single event behind the samples, such as a request with its trace. */
export interface Exemplar {
  labels: Labels;
  value: number;
  /** Seconds. */
  timestamp: number;
  seriesLabels: Labels;
}

export async function query(state: Panel, signal: AbortSignal): Promise<Outcome> {
  if (state.tab === "table") {
    const time = (state.momentMs ?? Date.now()) / 1000;
    const { data, ...rest } = await ask<Result>("query", { query: state.expr, time }, { signal, post: true });
    const nSeries = data.resultType === "vector" || data.resultType === "matrix" ? data.result.length : 1;
    return { tab: "table", instant: data, nSeries, ...rest };
  }
  const stepMs = stepOf(state.resolution, state.rangeMs);
  const endMs = state.endMs ?? Date.now();
  const startMs = endMs - state.rangeMs;
  const params = { query: state.expr, start: startMs / 1000, end: endMs / 1000, step: stepMs / 1000 };
  const [{ data, ...rest }, exemplars] = await Promise.all([
    ask<{ result: RangeSeries[] }>("query_range", params, { signal, post: true }),
    state.showExemplars ? askExemplars(state.expr, startMs, endMs, signal) : [],
  ]);
  return { tab: "graph", range: { series: data.result, exemplars, startMs, endMs, stepMs }, nSeries: data.result.length, stepMs, ...rest };
}

async function askExemplars(query: string, startMs: number, endMs: number, signal: AbortSignal): Promise<Exemplar[]> {
  interface Found { seriesLabels: Labels; exemplars: { labels: Labels; value: string; timestamp: number }[] }
  const { data } = await ask<Found[] | null>("query_exemplars", { query, start: startMs / 1000, end: endMs / 1000 }, { signal, post: true });
  return (data ?? []).flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map((one) => ({ ...one, value: parseValue(one.value), seriesLabels })));
}

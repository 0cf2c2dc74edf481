//! Histograms over time as cells: a column for each step, a row for each bucket.

import { parseValue } from "../../base/format.js";
import type { RangeSeries } from "./answer.js";

export interface Heat {
  /** Seconds, evenly spaced. */
  times: number[];
  /** Borders of the rows, from below: one more than there are rows. */
  borders: number[];
  /** For each time the count in each row. */
  cells: Float64Array[];
  most: number;
}

/** Rows beyond this are thinner than a pixel. */
const ROWS_MAX = 400;

interface Counts {
  slot: number;
  buckets: { lower: number; upper: number; count: number }[];
}

export function hasHistograms(series: RangeSeries[]): boolean {
  return series.some((one) => one.histograms?.length);
}

/** All series together; nothing if none of them is a histogram of either kind. */
export function heatOf(series: RangeSeries[], startMs: number, endMs: number, stepMs: number): Heat | null {
  const n = Math.floor((endMs - startMs) / stepMs) + 1;
  const slotOf = (seconds: number) => Math.round((seconds * 1000 - startMs) / stepMs);
  const all = (hasHistograms(series) ? nativeCounts(series, slotOf) : classicCounts(series, slotOf)).filter(({ slot }) => slot >= 0 && slot < n);
  const borders = [...new Set(all.flatMap(({ buckets }) => buckets.flatMap(({ lower, upper }) => [lower, upper])))].sort((a, b) => a - b);
  if (borders.length < 2 || borders.length > ROWS_MAX) return null;
  const rowOf = new Map(borders.map((border, at) => [border, at]));
  const cells = Array.from({ length: n }, () => new Float64Array(borders.length - 1));
  for (const { slot, buckets } of all) {
    for (const { lower, upper, count } of buckets) {
      const [from, to] = [rowOf.get(lower)!, rowOf.get(upper)!];
      // A wide bucket beside finer ones: nobody knows where in it its samples are.
      for (let row = from; row < to; row += 1) cells[slot]![row]! += count / (to - from);
    }
  }
  const most = cells.reduce((max, column) => column.reduce((a, b) => Math.max(a, b), max), 0);
  return { times: cells.map((_, at) => (startMs + at * stepMs) / 1000), borders, cells, most };
}

function nativeCounts(series: RangeSeries[], slotOf: (seconds: number) => number): Counts[] {
  return series.flatMap(({ histograms = [] }) =>
    histograms.map(([seconds, { buckets = [] }]) => ({
      slot: slotOf(seconds),
      buckets: buckets.map(([, lower, upper, count]) => ({ lower: parseValue(lower), upper: parseValue(upper), count: Number(count) }))
        .filter(({ lower, upper }) => lower < upper),
    })));
}

/** Series with the label `le`, whose counts include those of all lower ones. */
function classicCounts(series: RangeSeries[], slotOf: (seconds: number) => number): Counts[] {
  const bySlot = new Map<number, Map<number, number>>();
  for (const { metric, values = [] } of series) {
    const upper = metric.le === undefined ? NaN : parseValue(metric.le);
    if (Number.isNaN(upper)) continue;
    for (const [seconds, text] of values) {
      const slot = slotOf(seconds);
      const sums = bySlot.get(slot) ?? new Map<number, number>();
      sums.set(upper, (sums.get(upper) ?? 0) + parseValue(text));
      bySlot.set(slot, sums);
    }
  }
  return [...bySlot].map(([slot, sums]) => {
    const sorted = [...sums].filter(([, sum]) => Number.isFinite(sum)).sort(([a], [b]) => a - b);
    const first = sorted[0]?.[0] ?? 0;
    const buckets = sorted.map(([upper, sum], at) => ({
      lower: at > 0 ? sorted[at - 1]![0] : first > 0 ? 0 : -Infinity,
      upper,
      count: Math.max(sum - (sorted[at - 1]?.[1] ?? 0), 0),
    }));
    return { slot, buckets: buckets.filter(({ lower, upper }) => lower < upper) };
  });
}

//! What queries give, as the API writes it, and how it is laid out for graphs.

import { parseValue, type Labels } from "../../base/format.js";

export type Bucket = [rule: number, lower: string, upper: string, count: string];

export interface Histogram {
  count: string;
  sum: string;
  buckets?: Bucket[];
}

export type Point = [seconds: number, value: string];
export type HistogramPoint = [seconds: number, histogram: Histogram];

export interface InstantSeries {
  metric: Labels;
  value?: Point;
  histogram?: HistogramPoint;
}

export interface RangeSeries {
  metric: Labels;
  values?: Point[];
  histograms?: HistogramPoint[];
}

export type Result =
  | { resultType: "vector"; result: InstantSeries[] }
  | { resultType: "matrix"; result: RangeSeries[] }
  | { resultType: "scalar"; result: Point }
  | { resultType: "string"; result: Point };

export interface Columns {
  /** Seconds, evenly spaced. */
  times: number[];
  /** A column a series; null where there is no sample. */
  values: (number | null)[][];
}

/** Puts each sample into the slot of its step; infinities cannot be drawn and leave a gap. */
export function columns(series: RangeSeries[], startMs: number, endMs: number, stepMs: number): Columns {
  const n = Math.floor((endMs - startMs) / stepMs) + 1;
  const times = Array.from({ length: n }, (_, at) => (startMs + at * stepMs) / 1000);
  const values = series.map(({ values = [] }) => {
    const column = new Array<number | null>(n).fill(null);
    for (const [seconds, text] of values) {
      const at = Math.round((seconds * 1000 - startMs) / stepMs);
      const value = parseValue(text);
      if (at >= 0 && at < n && Number.isFinite(value)) column[at] = value;
    }
    return column;
  });
  return { times, values };
}

/** Each column on top of those before it. */
export function stack(values: (number | null)[][]): (number | null)[][] {
  const sums = new Array<number>(values[0]?.length ?? 0).fill(0);
  return values.map((column) =>
    column.map((value, slot) => {
      if (value === null) return null;
      sums[slot]! += value;
      return sums[slot]!;
    }),
  );
}

/** The interval of a bucket, with brackets as in mathematics. */
export function bucketRange([rule, lower, upper]: Bucket): string {
  const open = rule === 1 || rule === 3 ? "[" : "(";
  const close = rule === 0 || rule === 3 ? "]" : ")";
  return `${open}${lower}, ${upper}${close}`;
}

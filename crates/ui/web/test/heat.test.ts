import assert from "node:assert/strict";
import test from "node:test";
import type { Bucket, RangeSeries } from "../src/server/query/answer.js";
import { heatOf } from "../src/server/query/heat.js";

const heat = (series: RangeSeries[]) => heatOf(series, 0, 20_000, 10_000);
const rows = (series: RangeSeries[]) => heat(series)?.cells.map((column) => [...column]);

function native(...points: [seconds: number, buckets: Bucket[]][]): RangeSeries {
  return { metric: {}, histograms: points.map(([at, buckets]) => [at, { count: "0", sum: "0", buckets }]) };
}

test("native histograms become rows of buckets; series are added up", () => {
  const series = [
    native([0, [[0, "1", "2", "3"], [0, "2", "4", "5"]]], [10, [[0, "1", "2", "1"]]]),
    native([0, [[0, "2", "4", "1"]]]),
  ];
  assert.deepEqual(heat(series)!.borders, [1, 2, 4]);
  assert.deepEqual(rows(series), [[3, 6], [1, 0], [0, 0]]);
  assert.equal(heat(series)!.most, 6);
});

test("a bucket that is wider than others is spread over them", () => {
  const series = [native([0, [[0, "1", "2", "3"], [0, "2", "4", "5"]]], [10, [[0, "1", "4", "8"]]])];
  assert.deepEqual(rows(series), [[3, 5], [4, 4], [0, 0]]);
});

test("classic buckets count what the lower ones do not", () => {
  const le = (bound: string, ...values: string[]): RangeSeries => ({ metric: { le: bound }, values: values.map((value, at) => [at * 10, value]) });
  const series = [le("+Inf", "10", "7"), le("1", "4", "7"), le("2", "9", "7")];
  assert.deepEqual(heat(series)!.borders, [0, 1, 2, Infinity]);
  assert.deepEqual(rows(series), [[4, 5, 1], [7, 0, 0], [0, 0, 0]]);
});

test("what is no histogram is no heat map", () => {
  assert.equal(heat([{ metric: { job: "a" }, values: [[0, "1"]] }]), null);
  assert.equal(heat([{ metric: { le: "x" }, values: [[0, "1"]] }]), null);
  assert.equal(heat([]), null);
});

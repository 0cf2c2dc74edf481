import assert from "node:assert/strict";
import test from "node:test";
import { bucketRange, columns, stack } from "../src/server/query/answer.js";

test("samples go to the slots of their steps", () => {
  const series = [
    { metric: {}, values: [[10, "1"], [30, "3"]] as [number, string][] },
    { metric: {}, values: [[20, "NaN"], [30.0004, "4"], [999, "5"]] as [number, string][] },
    { metric: {} },
  ];
  assert.deepEqual(columns(series, 10_000, 30_000, 10_000), {
    times: [10, 20, 30],
    values: [[1, null, 3], [null, null, 4], [null, null, null]],
  });
});

test("areas stand on those before them", () => {
  assert.deepEqual(stack([[1, 2, null], [10, null, 10]]), [[1, 2, null], [11, null, 10]]);
  assert.deepEqual(stack([]), []);
});

test("buckets say which of their ends belong to them", () => {
  assert.equal(bucketRange([0, "1", "2", "5"]), "(1, 2]");
  assert.equal(bucketRange([1, "1", "2", "5"]), "[1, 2)");
  assert.equal(bucketRange([2, "1", "2", "5"]), "(1, 2)");
  assert.equal(bucketRange([3, "-1", "1", "5"]), "[-1, 1]");
});

import assert from "node:assert/strict";
import test from "node:test";
import { formatBytes, formatCount, formatSeries, formatShort, matchesText, parseValue } from "../src/base/format.js";

test("series are written as selectors that find them", () => {
  const check = (labels: Record<string, string>, expected: string) => assert.equal(formatSeries(labels), expected);
  check({ __name__: "up", job: "x" }, 'up{job="x"}');
  check({ __name__: "up" }, "up");
  check({}, "{}");
  check({ path: 'a"b\\c\nd' }, '{path="a\\"b\\\\c\\nd"}');
  check({ __name__: "dots.in.it", "a.b": "<b>🔥</b>" }, '{"dots.in.it", "a.b"="<b>🔥</b>"}');
});

test("numbers fit on an axis", () => {
  const check = (value: number, expected: string) => assert.equal(formatShort(value), expected);
  check(0, "0");
  check(1500, "1.5k");
  check(-2e7, "-20M");
  check(0.25, "0.25");
  check(3e-4, "300µ");
  check(1e-12, "1e-12");
  check(3e27, "3.00e+27");
  check(Infinity, "+Inf");
});

test("counts and bytes", () => {
  assert.equal(formatCount(1234567), "1,234,567");
  assert.equal(formatCount(999), "999");
  assert.equal(formatBytes(86_528), "84.5 KiB");
  assert.equal(formatBytes(512), "512 B");
});

test("sample values are read as the API writes them", () => {
  assert.equal(parseValue("+Inf"), Infinity);
  assert.equal(parseValue("-Inf"), -Infinity);
  assert.ok(Number.isNaN(parseValue("NaN")));
  assert.equal(parseValue("1e-09"), 1e-9);
});

test("a filter wants all of its words", () => {
  assert.ok(matchesText("PAY shop", ["job=shop", "path=/pay"]));
  assert.ok(!matchesText("pay host", ["job=shop", "path=/pay"]));
  assert.ok(matchesText("  ", []));
});

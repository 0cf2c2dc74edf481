import assert from "node:assert/strict";
import test from "node:test";
import { formatDuration, narrower, parseDuration, roughDuration, wider } from "../src/base/duration.js";

test("durations are read and written as PromQL does", () => {
  const check = (text: string, millis: number | null, written = text) => {
    assert.equal(parseDuration(text), millis, text);
    if (millis !== null) assert.equal(formatDuration(millis), written, text);
  };
  check("15s", 15_000);
  check("1h30m", 5_400_000);
  check("1d", 86_400_000);
  check("2w", 1_209_600_000);
  check("1y", 31_536_000_000);
  check("250ms", 250);
  check("1m1ms", 60_001);
  check("90m", 5_400_000, "1h30m");
  check("0s", 0);
  check("15", 15_000, "15s");
  check("1.5", 1500, "1s500ms");
  for (const text of ["", "h", "30m1h", "1 h", "-5m", "5x"]) check(text, null);
});

test("people see the two largest units", () => {
  const check = (millis: number, expected: string) => assert.equal(roughDuration(millis), expected);
  check(0.0123, "0.012ms");
  check(4.126, "4.13ms");
  check(12_340, "12.3s");
  check(90_000, "1m 30s");
  check(3600_000, "1h");
  check(3_661_000, "1h 1m");
  check(273_600_000, "3d 4h");
  check(0, "0ms");
  check(NaN, "–");
});

test("ranges grow and shrink in steps that people think in", () => {
  const check = (from: string, more: string, less: string) => {
    assert.equal(formatDuration(wider(parseDuration(from)!)), more);
    assert.equal(formatDuration(narrower(parseDuration(from)!)), less);
  };
  check("1h", "2h", "30m");
  check("47m", "1h", "30m");
  check("1s", "10s", "1s");
  check("2y", "2y", "1y");
});

import assert from "node:assert/strict";
import test from "node:test";
import { addMonths, dayOf, formatDay, formatTime, isNever, parseTime, weeksOf } from "../src/base/time.js";

test("moments are read as they are written", () => {
  const check = (text: string, iso: string | null, written = text) => {
    const millis = parseTime(text, true);
    assert.equal(millis === null ? null : new Date(millis).toISOString(), iso, text);
    if (millis !== null) assert.equal(formatTime(millis, true), written);
  };
  check("2026-03-01 12:30:05", "2026-03-01T12:30:05.000Z");
  check("2026-03-01 12:30", "2026-03-01T12:30:00.000Z", "2026-03-01 12:30:00");
  check("2026-03-01", "2026-03-01T00:00:00.000Z", "2026-03-01 00:00:00");
  check("2026-3-1T2:30:05.25Z", "2026-03-01T02:30:05.250Z", "2026-03-01 02:30:05");
  for (const text of ["", "now", "2026-13-01", "2026-01-01 24:00:00", "2026-01-01 12:60"]) check(text, null);
});

test("local times come back too", () => {
  const millis = Date.UTC(2026, 6, 1, 12, 30, 5);
  assert.equal(parseTime(formatTime(millis, false), false), millis);
});

test("Go's zero time is never", () => {
  assert.ok(isNever("0001-01-01T00:00:00Z"));
  assert.ok(isNever(undefined));
  assert.ok(!isNever("2026-01-01T00:00:00Z"));
});

test("a month is the weeks that it touches", () => {
  const check = (day: string, firstDay: number, weeks: number, first: string, last: string) => {
    const found = weeksOf(dayOf(day)!, firstDay);
    assert.deepEqual([found.length, formatDay(found[0]![0]!), formatDay(found.at(-1)![6]!)], [weeks, first, last], `${day} from ${firstDay}`);
  };
  check("2026-03-15", 1, 6, "2026-02-23", "2026-04-05");
  check("2026-03-15", 0, 5, "2026-03-01", "2026-04-04");
  check("2026-03-15", 6, 5, "2026-02-28", "2026-04-03");
  check("2027-02-28", 1, 4, "2027-02-01", "2027-02-28");
  check("2026-12-31 23:59:59", 1, 5, "2026-11-30", "2027-01-03");
});

test("months are as long as they are", () => {
  const check = (day: string, count: number, found: string) => assert.equal(formatDay(addMonths(dayOf(day)!, count)), found);
  check("2026-03-31", -1, "2026-02-28");
  check("2028-01-31", 1, "2028-02-29");
  check("2026-12-05", 1, "2027-01-05");
});

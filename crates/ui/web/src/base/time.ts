//! Moments as people read and type them, local or UTC.

const two = (number: number) => String(number).padStart(2, "0");

/** `2026-03-01 12:30:05` */
export function formatTime(millis: number, isUtc: boolean): string {
  const date = new Date(millis);
  if (Number.isNaN(date.getTime())) return "–";
  const [year, month, day, hour, minute, second] = isUtc
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${String(year).padStart(4, "0")}-${two(month + 1)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`;
}

/** Reads what `formatTime` writes; seconds, or the whole time of day, may be missing. */
export function parseTime(text: string, isUtc: boolean): number | null {
  const found = /^(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(Z)?$/.exec(text.trim());
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as
    [number, number, number, number, number, number];
  const millis = Number((found[7] ?? "").padEnd(3, "0"));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return null;
  return isUtc || found[8]
    ? Date.UTC(year, month - 1, day, hour, minute, second, millis)
    : new Date(year, month - 1, day, hour, minute, second, millis).getTime();
}

/** What JSON gives for "never": the zero time of Go. */
export function isNever(text: string | undefined): boolean {
  return !text || text.startsWith("0001-01-01");
}

/** A day of the calendar, wherever that is: milliseconds of its midnight in UTC. */
export type Day = number;

const DAY_MS = 24 * 3600_000;

/** The day at the beginning of what `formatTime` writes. */
export function dayOf(text: string): Day | null {
  return parseTime(text.trim().slice(0, 10), true);
}

/** `2026-03-01` */
export function formatDay(day: Day): string {
  return formatTime(day, true).slice(0, 10);
}

export function addDays(day: Day, count: number): Day {
  return day + count * DAY_MS;
}

/** The same day of another month, or the last one where that is shorter. */
export function addMonths(day: Day, count: number): Day {
  const date = new Date(day);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count + 1, 0));
  return Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), Math.min(date.getUTCDate(), last.getUTCDate()));
}

/** The weeks that the month of a day touches, each from its first day on: 0 is Sunday. */
export function weeksOf(day: Day, firstDay: number): Day[][] {
  const date = new Date(day);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  const weeks: Day[][] = [];
  for (let week = addDays(first, -((new Date(first).getUTCDay() - firstDay + 7) % 7)); week < next; week = addDays(week, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, at) => addDays(week, at)));
  }
  return weeks;
}

//! Durations as PromQL writes them: `1h30m`, `15s`, `250ms`.

const UNITS: [string, number][] = [
  ["y", 365 * 24 * 3600 * 1000],
  ["w", 7 * 24 * 3600 * 1000],
  ["d", 24 * 3600 * 1000],
  ["h", 3600 * 1000],
  ["m", 60 * 1000],
  ["s", 1000],
  ["ms", 1],
];

const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds, or null if the text is no duration. A plain number counts seconds. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000);
  const found = PATTERN.exec(trimmed);
  if (trimmed === "" || !found) return null;
  return UNITS.reduce((sum, [, millis], at) => sum + Number(found[at + 1] ?? 0) * millis, 0);
}

/** As PromQL reads it; exact to the millisecond. */
export function formatDuration(millis: number): string {
  if (millis === 0) return "0s";
  let rest = Math.round(Math.abs(millis));
  let text = millis < 0 ? "-" : "";
  for (const [unit, size] of UNITS) {
    const isWhole = unit !== "y" && unit !== "w" ? true : rest % size === 0;
    const count = isWhole ? Math.floor(rest / size) : 0;
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

/** For people: at most the two largest units, so `3d 4h`, `12.3s`, `4.1ms`. */
export function roughDuration(millis: number): string {
  const size = Math.abs(millis);
  if (!Number.isFinite(millis)) return "–";
  if (size < 1) return `${Number(millis.toPrecision(2))}ms`;
  if (size < 1000) return `${Number(millis.toPrecision(3))}ms`;
  if (size < 60_000) return `${Number((millis / 1000).toPrecision(3))}s`;
  const parts: string[] = [];
  let rest = Math.round(size / 1000);
  for (const [unit, unitMillis] of UNITS.slice(2, 6)) {
    const seconds = unitMillis / 1000;
    const count = Math.floor(rest / seconds);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * seconds;
    if (parts.length === 2 || (parts.length === 1 && count === 0)) break;
  }
  return (millis < 0 ? "-" : "") + parts.join(" ");
}

/** The next wider or narrower of the steps that people think in. */
export const RANGE_STEPS = [
  "1s", "10s", "1m", "5m", "15m", "30m", "1h", "2h", "6h", "12h", "1d", "2d", "1w", "2w", "4w", "8w", "1y", "2y",
].map((text) => parseDuration(text)!);

export function wider(millis: number): number {
  return RANGE_STEPS.find((step) => step > millis) ?? millis;
}

export function narrower(millis: number): number {
  return RANGE_STEPS.findLast((step) => step < millis) ?? millis;
}

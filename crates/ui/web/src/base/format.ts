//! Numbers and labels as people read them.

export type Labels = Record<string, string>;

/** `1234567` as `1,234,567`: the same everywhere, whatever the browser's language. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let at = 0;
  let size = bytes;
  while (Math.abs(size) >= 1024 && at < units.length - 1) {
    size /= 1024;
    at += 1;
  }
  return `${at === 0 ? size : Number(size.toPrecision(3))} ${units[at]}`;
}

/** Short enough for an axis: `1.5k`, `20M`, `300µ`, `1e-12`. */
export function formatShort(value: number): string {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  const trim = (number: number) => String(Number(number.toPrecision(6)));
  for (const [limit, unit] of [[1e24, "Y"], [1e21, "Z"], [1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (size >= limit) return size >= 1e27 ? value.toExponential(2) : trim(value / limit) + unit;
  }
  if (size >= 1e-3) return trim(value);
  for (const [limit, unit] of [[1e-6, "µ"], [1e-9, "n"]] as const) {
    if (size >= limit) return trim(value / limit) + unit;
  }
  return Number(value.toPrecision(3)).toExponential();
}

/** Reads a sample's value as the API writes it. */
export function parseValue(text: string): number {
  switch (text) {
    case "NaN": return NaN;
    case "+Inf": case "Inf": return Infinity;
    case "-Inf": return -Infinity;
    default: return Number(text);
  }
}

/** A name that PromQL takes bare. */
const BARE_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const BARE_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function quote(text: string): string {
  return `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
}

export function labelName(name: string): string {
  return BARE_LABEL.test(name) ? name : quote(name);
}

export function isBareMetric(name: string): boolean {
  return BARE_METRIC.test(name);
}

/** A selector that finds this series: `up{job="x"}`. */
export function formatSeries(labels: Labels): string {
  const name = labels.__name__;
  const pairs = Object.entries(labels)
    .filter(([key]) => key !== "__name__")
    .map(([key, value]) => `${labelName(key)}=${quote(value)}`);
  if (name !== undefined && !isBareMetric(name)) pairs.unshift(quote(name));
  const bare = name !== undefined && isBareMetric(name) ? name : "";
  return pairs.length > 0 || bare === "" ? `${bare}{${pairs.join(", ")}}` : bare;
}

/** Whether all words of `query` occur somewhere in `texts`; upper and lower case are the same. */
export function matchesText(query: string, texts: Iterable<string>): boolean {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const all = [...texts].join("\n").toLowerCase();
  return words.every((word) => all.includes(word));
}

/** Labels as texts to be searched: `name="value"` and `name=value`. */
export function searchable(labels: Labels): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [`${name}="${value}"`, `${name}=${value}`]);
}

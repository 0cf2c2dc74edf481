//! Matchers as people write them: `job="x", path=~"/pay.*"`.

import { labelName, quote, type Labels } from "../base/format.js";

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual: boolean;
}

export type Operator = "=" | "!=" | "=~" | "!~";
export const OPERATORS: readonly Operator[] = ["=", "!=", "=~", "!~"];

export function operatorOf(matcher: Matcher): Operator {
  if (matcher.isRegex) return matcher.isEqual ? "=~" : "!~";
  return matcher.isEqual ? "=" : "!=";
}

export function withOperator(matcher: Matcher, operator: Operator): Matcher {
  return { ...matcher, isRegex: operator.endsWith("~"), isEqual: operator.startsWith("=") };
}

export function formatMatcher(matcher: Matcher): string {
  return `${labelName(matcher.name)}${operatorOf(matcher)}${quote(matcher.value)}`;
}

export function formatMatchers(matchers: Matcher[]): string {
  return `{${matchers.map(formatMatcher).join(",")}}`;
}

const NAME = /^\s*("(?:[^"\\]|\\.)*"|[^\s"=!~,{}]+)\s*(=~|!~|!=|=)\s*/;
const QUOTED = /^"((?:[^"\\]|\\.)*)"\s*/;
const BARE = /^[^\s",{}]+(?:[^",{}]*[^\s",{}])?\s*/;

/** All matchers of a text with or without braces, or null if it is none. */
export function parseMatchers(text: string): Matcher[] | null {
  let rest = text.trim();
  if (rest.startsWith("{") && rest.endsWith("}")) rest = rest.slice(1, -1).trim();
  const matchers: Matcher[] = [];
  while (rest !== "") {
    const name = NAME.exec(rest);
    if (!name) return null;
    rest = rest.slice(name[0].length);
    const quoted = QUOTED.exec(rest);
    const value = quoted ?? BARE.exec(rest);
    if (!value) return null;
    rest = rest.slice(value[0].length);
    if (rest !== "" && !rest.startsWith(",")) return null;
    rest = rest.replace(/^,\s*/, "");
    const operator = name[2] as Operator;
    const plain = { name: unquote(name[1]!), value: quoted ? unescape(quoted[1]!) : value[0].trim(), isRegex: false, isEqual: true };
    matchers.push(withOperator(plain, operator));
  }
  return matchers;
}

/** `a="b", c="d"` */
export function textOf(labels: Labels): string {
  return exactly(labels).map(formatMatcher).join(", ");
}

/** Labels as they are pasted: `a="b", c="d"`, with or without braces, a line each, YAML or JSON; null if they are none. */
export function parseLabels(text: string): Labels | null {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      const pairs = Object.entries(JSON.parse(trimmed) as Record<string, unknown>);
      return pairs.every(([, value]) => typeof value === "string") ? (Object.fromEntries(pairs) as Labels) : null;
    } catch {
      // It may be a label set as PromQL writes it.
    }
  }
  const named = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*)$/s.exec(trimmed);
  const [name, rest] = named ? [named[1], named[2]!] : [undefined, trimmed];
  const lines = rest.replace(/^\{/, "").replace(/\}$/, "").split("\n").map((line) => line.trim().replace(/,$/, "").replace(/^([^\s"=:]+):\s+/, "$1=")).filter(Boolean);
  const matchers = parseMatchers(lines.join(","));
  if (!matchers || matchers.some((matcher) => matcher.isRegex || !matcher.isEqual)) return null;
  return { ...(name ? { __name__: name } : {}), ...Object.fromEntries(matchers.map(({ name, value }) => [name, value])) };
}

function unquote(text: string): string {
  return text.startsWith('"') ? unescape(text.slice(1, -1)) : text;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

/** Those that only these labels satisfy. */
export function exactly(labels: Labels): Matcher[] {
  return Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}

export function isSame(a: Matcher, b: Matcher): boolean {
  return formatMatcher(a) === formatMatcher(b);
}

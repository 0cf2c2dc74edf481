//! Small pieces of state that several parts of a page watch, some of them kept in the browser.

import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(listener: () => void): () => void;
}

export function store<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Kept over visits; a browser that keeps nothing is no error. */
export function persisted<T>(key: string, initial: T): Store<T> {
  const name = `vesta.${key}`;
  let start = initial;
  try {
    const kept = localStorage.getItem(name);
    if (kept !== null) start = JSON.parse(kept) as T;
  } catch {
    // Whatever is there is not ours, or storage is off.
  }
  const inner = store(start);
  return {
    ...inner,
    set(value) {
      inner.set(value);
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Full or off: it lasts as long as the page.
      }
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState(0);
  useEffect(() => store.watch(() => redraw((count) => count + 1)), [store]);
  return store.get();
}

export type Theme = "auto" | "light" | "dark";

export const theme = persisted<Theme>("theme", "auto");
export const isUtc = persisted("utc", true);
export const history = persisted<string[]>("history", []);

/** Days are counted from Sunday, as `Date` does. */
export type FirstDay = 0 | 1 | 6;
export const firstDay = persisted<FirstDay>("first-day-of-week", 1);
/** How many groups of alerts or rules are on one page of a list. */
export const groupsPerPage = persisted("groups-per-page", 20);

/** What the query page does by itself. */
export const settings = {
  keepsHistory: persisted("keeps-history", true),
  completes: persisted("completes", true),
  highlights: persisted("highlights", true),
  checks: persisted("checks", true),
  showsWarnings: persisted("shows-warnings", true),
  showsInfos: persisted("shows-infos", true),
};

const HISTORY_MAX = 100;

export function remember(expr: string) {
  if (expr.trim() === "" || !settings.keepsHistory.get()) return;
  history.set([expr, ...history.get().filter((old) => old !== expr)].slice(0, HISTORY_MAX));
}

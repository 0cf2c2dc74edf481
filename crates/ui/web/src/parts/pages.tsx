//! Long lists, a page at a time.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatCount } from "../base/format.js";

/** The part of a list that is on one page; `key` says what the list was narrowed by, and another one begins anew. */
export function usePages<T>(all: T[], perPage: number, name: string, key: string): { some: T[]; pager: ComponentChildren } {
  const [chosen, setChosen] = useState(0);
  useEffect(() => setChosen(0), [key, perPage]);
  const nPages = Math.max(Math.ceil(all.length / perPage), 1);
  // The list may have become shorter since.
  const page = Math.min(chosen, nPages - 1);
  const start = page * perPage;
  const go = (to: number) => {
    setChosen(to);
    scrollTo(0, 0);
  };
  const pager = nPages > 1 && (
    <nav class="pager" aria-label={`Pages of ${name}`}>
      <button type="button" class="small" disabled={page === 0} onClick={() => go(page - 1)}>‹ Previous</button>
      <select aria-label="Page" value={String(page)} onChange={(event) => go(Number(event.currentTarget.value))}>
        {Array.from({ length: nPages }, (_, at) => <option key={at} value={String(at)}>{`Page ${at + 1} of ${nPages}`}</option>)}
      </select>
      <button type="button" class="small" disabled={page === nPages - 1} onClick={() => go(page + 1)}>Next ›</button>
      <span class="muted num">{`${formatCount(start + 1)} to ${formatCount(Math.min(start + perPage, all.length))} of ${formatCount(all.length)} ${name}`}</span>
    </nav>
  );
  return { some: all.slice(start, start + perPage), pager };
}

//! What is around every page: where one is, where one can go, how it looks.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { href, place } from "../base/route.js";
import { isUtc, theme, useStore, type Theme } from "../base/store.js";
import { page, root } from "../page.js";

export interface Entry {
  path: string;
  name: string;
  /** Other paths that this page answers for. */
  also?: string[];
}

const THEMES: Theme[] = ["auto", "light", "dark"];
const SIGNS: Record<Theme, string> = { auto: "◐", light: "☀", dark: "☾" };

export function Shell({ entries, status, children }: { entries: Entry[]; status?: ComponentChildren; children: ComponentChildren }) {
  const { path } = useStore(place);
  const look = useStore(theme);
  const utc = useStore(isUtc);
  const here = entries.find((entry) => isAt(entry, path));
  useEffect(() => {
    if (look === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = look;
  }, [look]);
  useEffect(() => {
    // On a telephone the row of links is wider than the screen.
    document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    document.title = here ? `${here.name} · ${page.title}` : page.title;
  }, [here]);
  useEffect(() => {
    addEventListener("keydown", toBox);
    return () => removeEventListener("keydown", toBox);
  }, []);
  const nextLook = THEMES[(THEMES.indexOf(look) + 1) % THEMES.length]!;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>Skip to the content</button>
      <header class="top">
        <a class="brand" href={href(entries[0]!.path)} title={page.version && `Version ${page.version}`}>
          <img src={`${root}favicon.svg`} alt="" width="20" height="20" />
          <span>Vesta</span>
          {page.role === "alertmanager" && <small>Alertmanager</small>}
        </a>
        <nav aria-label="Pages">
          {entries.map((entry) => (
            <a key={entry.path} href={href(entry.path)} aria-current={entry === here ? "page" : undefined}>{entry.name}</a>
          ))}
          {page.consoles && <a href={root + page.consoles} data-load>Consoles</a>}
        </nav>
        <div class="tools">
          {status}
          <button type="button" class="quiet" title={utc ? "Times are UTC; show local time" : "Times are local; show UTC"}
            onClick={() => isUtc.set(!utc)}>{utc ? "UTC" : "Local"}</button>
          <button type="button" class="quiet sign" title={`Colours: ${look}; change to ${nextLook}`} aria-label={`Colours: ${look}`}
            onClick={() => theme.set(nextLook)}>{SIGNS[look]}</button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>{children}</main>
    </>
  );
}

/** A slash goes to what the page is asked by: the filter, or the first query. */
function toBox(event: KeyboardEvent) {
  // From inside of the query box, which is a shadow root, events seem to come from its host.
  const isTyping = event.composedPath().some((one) => one instanceof HTMLElement && (one.isContentEditable || one.matches("input, select, textarea")));
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  const editor = document.querySelector(".editor")?.shadowRoot?.querySelector<HTMLElement>(".cm-content");
  const box = editor ?? document.querySelector<HTMLElement>('main input[type="search"], .filter-box input');
  if (!box) return;
  event.preventDefault();
  box.focus();
}

function isAt(entry: Entry, path: string): boolean {
  return [entry.path, ...(entry.also ?? [])].some((one) => path === one || path.startsWith(`${one}/`));
}

//! Which page is shown: by path on a server, by what follows `#` on an Alertmanager, as upstream's links have it.

import { page, root } from "../page.js";
import { store } from "./store.js";

export interface Place {
  /** `/alerts`, `/silences/new` */
  path: string;
  /** What follows the question mark, without it. */
  search: string;
}

const isHash = page.role === "alertmanager";

function read(): Place {
  if (!isHash) {
    return { path: `/${location.pathname.slice(root.length)}`, search: location.search.slice(1) };
  }
  const [path = "", search = ""] = splitOnce(location.hash.replace(/^#/, ""), "?");
  return { path: path === "" || path === "/" ? "/alerts" : path, search };
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

export const place = store<Place>(read());

const refresh = () => place.set(read());
addEventListener("popstate", refresh);
addEventListener("hashchange", refresh);

/** The address of a page, for links. */
export function href(path: string): string {
  return isHash ? `#${path}` : root + path.replace(/^\//, "");
}

export function go(path: string) {
  window.history.pushState(null, "", href(path));
  refresh();
  scrollTo(0, 0);
}

/** Changes the address without a step in the browser's history. */
export function replaceSearch(search: string) {
  const { path } = place.get();
  window.history.replaceState(null, "", href(path) + (search ? `?${search}` : ""));
  place.set({ path, search });
}

/** Plain clicks on links to other pages of ours need no load. */
export function followLinks() {
  addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a");
    if (!link || link.target || link.dataset.load !== undefined || isHash) return;
    const url = new URL(link.href, location.href);
    const inside = url.origin === location.origin && url.pathname.startsWith(root) && !url.pathname.slice(root.length).includes("/");
    if (!inside || url.pathname.endsWith("/metrics") || url.hash) return;
    event.preventDefault();
    go(url.pathname.slice(root.length - 1) + url.search);
  });
}
